import CloudJobsCore
import Testing

@Suite("PlannedRunsTests")
struct PlannedRunsTests {
  /// 2026-03-28T00:00:00Z, the day before the clocks of Berlin go forward.
  private static let start = Timestamp(seconds: 1_774_656_000)

  private static func job(
    _ id: JobID, _ schedule: String, zone: String = "Etc/UTC", kind: JobKind = .periodic,
    _ change: (inout JobPolicy) -> Void = { _ in }
  ) throws -> ResolvedJob {
    var definition = JobDefinition(id: id, kind: kind, schedule: .text(schedule), timeZone: zone)
    change(&definition.policy)
    return try ResolvedJob(definition, configuration: nil, zones: .system)
  }

  private static func times(_ job: ResolvedJob, days: Int = 3, limit: Int = 1_000) -> [String] {
    let planned = PlannedRuns(of: [job], from: start, before: start + .days(days), limit: limit)
    return planned.jobs.first?.times.map { "\($0)" } ?? []
  }

  @Test("The times of a span are those of the schedule, its beginning included and its end not")
  func times() throws {
    #expect(
      try Self.times(Self.job("a", "0 0 * * *"))
        == ["2026-03-28T00:00:00Z", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"])
    #expect(
      try Self.times(Self.job("a", "30 2 * * *", zone: "Europe/Berlin"))
        == ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])
  }

  @Test("The calendar of a job is obeyed, and a job that does not run has no times")
  func calendar() throws {
    let day = CivilDate(year: 2_026, month: 3, day: 29)
    #expect(try Self.times(Self.job("a", "0 9 * * *") { $0.startAt = .day(day) }).count == 2)
    #expect(try Self.times(Self.job("a", "0 9 * * *") { $0.endAt = .day(day) }).count == 2)
    #expect(try Self.times(Self.job("a", "0 9 * * *") { $0.skipDates = [.day(day)] }).count == 2)
    #expect(try Self.times(Self.job("a", "0 9 * * *") { $0.enabled = false }).isEmpty)
    #expect(try Self.times(Self.job("a", "0 9 * * *") { $0.paused = true }).isEmpty)
  }

  @Test("A job that is due too often is counted, and the times of the rarest jobs are listed")
  func limit() throws {
    let jobs = [try Self.job("often", "1s"), try Self.job("daily", "0 9 * * *")]
    let planned = PlannedRuns(of: jobs, from: Self.start, before: Self.start + .days(2), limit: 100)
    #expect(planned.dense.map(\.job.id) == ["often"])
    #expect(planned.jobs.map(\.job) == ["daily"] && planned.count == 2 * 86_400 + 2)
    #expect(try Self.times(Self.job("a", "1h"), days: 1, limit: 24).count == 24)
    #expect(try Self.times(Self.job("a", "1h"), days: 1, limit: 23).isEmpty)
  }

  @Test(
    "A job is counted if it has more times than the days of the span may have",
    arguments: [("5m", 1, false), ("5m", 3, false), ("4m", 1, true), ("4m", 3, true), ("1m", 7, true)])
  func dailyLimit(schedule: String, days: Int, isDense: Bool) throws {
    let planned = PlannedRuns(
      of: [try Self.job("a", schedule)], from: Self.start, before: Self.start + .days(days), limit: 60_000,
      dailyLimit: 288)
    #expect(planned.dense.isEmpty != isDense && planned.jobs.isEmpty == isDense)
    #expect(planned.hours.reduce(0, +) == Double(planned.count) && planned.hours.count == 24 * days)
  }

  @Test("The hours of a job that is counted are those of its times")
  func denseHours() throws {
    let jobs = [
      try Self.job("a", "30s") { $0.skipDates = [.day(CivilDate(year: 2_026, month: 3, day: 29))] },
      try Self.job("b", "*/20 * 8-17 * * MON", zone: "Europe/Berlin"), try Self.job("c", "0 9 * * *"),
    ]
    let (start, end) = (Self.start - .minutes(30), Self.start + .days(3) + .minutes(10))
    let counted = PlannedRuns(of: jobs, from: start, before: end, limit: 3)
    let listed = PlannedRuns(of: jobs, from: start, before: end, limit: 1_000_000)
    #expect(counted.dense.map(\.job.id) == ["a", "b"] && listed.dense.isEmpty)
    #expect(counted.hours == listed.hours && counted.count == listed.count)
  }

  @Test(
    "The first and the last time and the number of them are those of the list",
    arguments: [
      ("1m", "Etc/UTC"), ("7s", "Etc/UTC"), ("1500ms", "Etc/UTC"), ("* * * * *", "Europe/Berlin"),
      ("*/10 * * * * *", "Europe/Berlin"), ("0-59 0-23 * * *", "Europe/Berlin"),
      ("*/2 1-3 * * *", "Europe/Berlin"), ("0-58/2 1-3 * * *", "Europe/Berlin"), ("30 2 * * *", "Europe/Berlin"),
      ("every 5 minutes from 22:00 to 04:00", "America/New_York"), ("every 3 minutes synchronized", "Asia/Kathmandu"),
      ("0 9 1 * *", "Etc/UTC"), ("at 2026-03-29T12:00:00Z", "Etc/UTC"),
    ])
  func tally(schedule: String, zone: String) throws {
    let day = CivilDate(year: 2_026, month: 3, day: 29)
    for change in [{ _ in }, { $0.skipDates = [.day(day)] }, { $0.endAt = .day(day) }, { $0.startAt = .day(day) }]
      as [(inout JobPolicy) -> Void]
    {
      let due = try #require(JobTimetable(of: try Self.job("a", schedule, zone: zone, change)))
      // Beside the change of the clocks of Berlin: those of New York, weeks before, and the end of summer.
      for first in [Self.start, Self.start - .days(21), Self.start + .days(210)] {
        for (start, end) in [(0, 72), (25, 26), (24, 48), (30, 31), (12, 12)] {
          let (start, end) = (first + .hours(start), first + .hours(end) + .milliseconds(500))
          let times = due.times(from: start, before: end)
          let tally = due.tally(from: start, before: end)
          #expect(tally?.count ?? 0 == times.count && due.count(from: start, before: end) == times.count)
          #expect(tally?.first == times.first && tally?.last == times.last)
        }
      }
    }
  }

  @Test("A job without a schedule, or one that does not run, has no due times")
  func none() throws {
    #expect(JobTimetable(of: try Self.job("a", "1h") { $0.enabled = false }) == nil)
    #expect(JobTimetable(of: try Self.job("a", "1h") { $0.paused = true }) == nil)
    #expect(JobTimetable(of: try Self.job("a", "1h", kind: .endpoint)) == nil)
  }

  @Test("The hours begin with the span")
  func hours() throws {
    let start = Self.start + .minutes(30)
    let planned = PlannedRuns(of: [try Self.job("a", "15m")], from: start, before: start + .minutes(150), limit: 100)
    #expect(planned.hours == [4, 4, 2])
    let calendar = ForecastCalendar(planned.hours, from: planned.start, in: .utc)
    #expect(calendar.days.count == 1 && calendar.days[0].hours[0] == 4 && calendar.days[0].hours[3] == nil)
  }
}
