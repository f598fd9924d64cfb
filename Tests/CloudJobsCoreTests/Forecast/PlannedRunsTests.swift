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

  @Test("A job that is due too often is named and left out, and others are counted")
  func limit() throws {
    let jobs = [try Self.job("often", "1s"), try Self.job("daily", "0 9 * * *")]
    let planned = PlannedRuns(of: jobs, from: Self.start, before: Self.start + .days(2), limit: 100)
    #expect(planned.omitted == ["often"])
    #expect(planned.jobs.map(\.job) == ["daily"] && planned.count == 2)
    #expect(try Self.times(Self.job("a", "1h"), days: 1, limit: 24).count == 24)
    #expect(try Self.times(Self.job("a", "1h"), days: 1, limit: 23).isEmpty)
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
