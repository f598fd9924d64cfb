import CloudJobsCore
import TestSupport
import Testing

@Suite("Cron expressions")
struct CronTests {
  /// A text, a start time, and the runs that follow, in UTC.
  static let meanings: [(String, String, [String])] = [
    ("*/15 * * * *", "2026-01-01T00:00:00Z", ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]),
    ("5/20 3 * * *", "2026-01-01T00:00:00Z", ["2026-01-01T03:05:00Z", "2026-01-01T03:25:00Z", "2026-01-01T03:45:00Z"]),
    (
      "0 9-17/4 * * *", "2026-01-01T00:00:00Z",
      ["2026-01-01T09:00:00Z", "2026-01-01T13:00:00Z", "2026-01-01T17:00:00Z"]
    ),
    ("0\t0  1 JAN,Jul *", "2026-01-01T00:00:00Z", ["2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
    ("0 0 * * mon-Fri", "2026-01-02T00:00:00Z", ["2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"]),
    ("0 0 * * 7", "2026-01-01T00:00:00Z", ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"]),
    ("0 0 * * 5-7", "2026-01-01T00:00:00Z", ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"]),
    // Both day fields: either, unless the text of one begins with a star.
    ("0 0 13 * FRI", "2026-03-01T00:00:00Z", ["2026-03-06T00:00:00Z", "2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z"]),
    ("0 0 */13 * FRI", "2026-03-01T00:00:00Z", ["2026-03-27T00:00:00Z", "2026-05-01T00:00:00Z"]),
    ("0 0 13 * */5", "2026-03-01T00:00:00Z", ["2026-03-13T00:00:00Z", "2026-09-13T00:00:00Z"]),
    ("0 0 1 * 0-7", "2026-03-01T00:00:00Z", ["2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"]),
    // Macros.
    ("@yearly", "2026-03-01T00:00:00Z", ["2027-01-01T00:00:00Z"]),
    ("@annually", "2026-03-01T00:00:00Z", ["2027-01-01T00:00:00Z"]),
    ("@monthly", "2026-03-01T00:00:00Z", ["2026-04-01T00:00:00Z"]),
    ("@Weekly", "2026-03-01T00:00:00Z", ["2026-03-08T00:00:00Z"]),
    ("@daily", "2026-03-01T00:00:00Z", ["2026-03-02T00:00:00Z"]),
    ("@midnight", "2026-03-01T00:00:00Z", ["2026-03-02T00:00:00Z"]),
    ("@hourly", "2026-03-01T00:00:00Z", ["2026-03-01T01:00:00Z"]),
    // Extensions.
    ("0 0 L * *", "2026-01-15T00:00:00Z", ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"]),
    ("0 0 1,L * *", "2028-02-01T00:00:00Z", ["2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"]),
    ("0 0 LW * *", "2026-01-01T00:00:00Z", ["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z", "2026-03-31T00:00:00Z"]),
    ("0 0 15W * *", "2026-02-01T00:00:00Z", ["2026-02-16T00:00:00Z", "2026-03-16T00:00:00Z", "2026-04-15T00:00:00Z"]),
    // Neither does the nearest weekday of the 1st lie in the month before, nor that of the 31st in the month after.
    ("0 0 1W * *", "2026-07-15T00:00:00Z", ["2026-08-03T00:00:00Z", "2026-09-01T00:00:00Z"]),
    ("0 0 31W * *", "2026-05-01T00:00:00Z", ["2026-05-29T00:00:00Z", "2026-07-31T00:00:00Z"]),
    ("0 0 * * MON#2", "2026-01-01T00:00:00Z", ["2026-01-12T00:00:00Z", "2026-02-09T00:00:00Z"]),
    ("0 0 * * 0#5", "2026-01-01T00:00:00Z", ["2026-03-29T00:00:00Z", "2026-05-31T00:00:00Z"]),
    ("0 0 * * 5L", "2026-01-01T00:00:00Z", ["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"]),
    ("0 0 * * friL,1#1", "2026-01-01T00:00:00Z", ["2026-01-05T00:00:00Z", "2026-01-30T00:00:00Z"]),
    ("0 0 L * 5L", "2026-01-01T00:00:00Z", ["2026-01-30T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-27T00:00:00Z"]),
    // Six fields, the seconds first.
    (
      "*/20 * * * * *", "2026-01-01T00:00:00Z",
      ["2026-01-01T00:00:20Z", "2026-01-01T00:00:40Z", "2026-01-01T00:01:00Z"]
    ),
    (
      "15,45 30 9 * * 1-5", "2026-01-02T00:00:00Z",
      ["2026-01-02T09:30:15Z", "2026-01-02T09:30:45Z", "2026-01-05T09:30:15Z"]
    ),
  ]

  @Test("Each form has the expected runs, forwards and backwards", arguments: meanings)
  func meaning(_ text: String, _ after: String, _ expected: [String]) throws {
    let schedule = try Schedule.cron(text, in: .utc)
    var time = try #require(Timestamp(rfc3339: after))
    var runs: [Timestamp] = []
    for text in expected {
      let run = try #require(Timestamp(rfc3339: text))
      #expect(schedule.next(after: time) == run)
      runs.append(run)
      time = run
    }
    for (earlier, later) in zip(runs, runs.dropFirst()) {
      #expect(schedule.previous(before: later) == earlier)
    }
    #expect(try Schedule(parsing: text, in: .utc) == schedule)
    #expect(schedule.text == text)
  }

  @Test("Previous undoes next, and next undoes previous, for random expressions and times")
  func inverse() throws {
    var random = SeededGenerator(seed: 11)
    var checked = 0
    while checked < 5_000 {
      let expression = RandomExpression(hasSeconds: Bool.random(using: &random), using: &random)
      let zone = try ZoneCatalog.system.zone(named: BruteForceTests.zones.randomElement(using: &random) ?? "UTC")
      guard let schedule = try? Schedule.cron(expression.text, in: zone) else { continue }
      let time = Timestamp(microseconds: .random(in: -3_000_000_000_000_000...9_000_000_000_000_000, using: &random))
      let next = try #require(schedule.next(after: time))
      let previous = try #require(schedule.previous(before: time))
      let isConsistent =
        previous < time && time < next && schedule.previous(before: next + .microseconds(1)) == next
        && schedule.next(after: previous - .microseconds(1)) == previous
        && schedule.next(after: previous) == (schedule.previous(before: next) == time ? time : next)
      #expect(isConsistent, "\(expression.text) in \(zone) at \(time)")
      checked += 1
    }
  }

  @Test("A fraction of a second does not change the next run")
  func fractions() throws {
    let schedule = try Schedule.cron("* * * * * *", in: .utc)
    let time = Timestamp(microseconds: 1_500_000)
    #expect(schedule.next(after: time) == Timestamp(seconds: 2))
    #expect(schedule.previous(before: time) == Timestamp(seconds: 1))
    #expect(schedule.previous(before: Timestamp(seconds: 1)) == .epoch)
    #expect(schedule.previous(before: .epoch) == Timestamp(seconds: -1))
    #expect(schedule.next(after: Timestamp(microseconds: -1)) == .epoch)
  }
}
