import CloudJobsCore
import TestSupport
import Testing

@Suite("Interval schedules")
struct IntervalTests {
  @Test(
    "Interval texts are parsed as durations",
    arguments: [
      ("30s", 30), ("5m", 300), ("1h", 3_600), ("1d", 86_400), ("1h30m", 5_400), ("@every 5m", 300), ("2w", 1_209_600),
      ("1d2h3m4s", 93_784), ("1H30M", 5_400), (" 90m ", 5_400), ("@every  1h30m", 5_400),
    ])
  func texts(_ text: String, _ seconds: Int64) throws {
    let schedule = try Schedule.interval(text)
    #expect(schedule.next(after: .epoch) == Timestamp(seconds: seconds))
    #expect(schedule.previous(before: .epoch) == Timestamp(seconds: -seconds))
    #expect(try Schedule(parsing: text, in: .utc) == schedule)
    let same = try Schedule.every(.seconds(seconds))
    #expect(same.next(after: .epoch) == schedule.next(after: .epoch))
    #expect(try Schedule(parsing: same.text, in: .utc) == same)
  }

  @Test(
    "Runs lie on the grid through the anchor for any start time",
    arguments: [
      (Duration.seconds(30), Int64(0)), (.seconds(7), 1_767_225_601), (.milliseconds(250), 5), (.days(30), -86_399),
      (.days(146_097), 12),
    ])
  func grid(_ interval: Duration, _ anchor: Int64) throws {
    var random = SeededGenerator(seed: 5)
    let anchor = Timestamp(seconds: anchor)
    let schedule = try Schedule.every(interval, anchor: anchor)
    for _ in 0..<1_000 {
      let time = Timestamp(microseconds: .random(in: -9_000_000_000_000_000...9_000_000_000_000_000, using: &random))
      let next = try #require(schedule.next(after: time))
      let previous = try #require(schedule.previous(before: next))
      #expect(previous <= time && time < next && next - previous == interval)
      #expect((next - anchor).microseconds % interval.microseconds == 0)
    }
    #expect(schedule.next(after: anchor) == anchor + interval)
    #expect(schedule.next(after: anchor - .microseconds(1)) == anchor)
    #expect(schedule.previous(before: anchor) == anchor - interval)
  }

  @Test("An interval does not drift across clock changes")
  func noDrift() throws {
    let zone = try ZoneCatalog.system.zone(named: "America/New_York")
    let schedule = try Schedule(parsing: "1d", in: zone, anchor: Timestamp(seconds: 1_772_841_600))
    #expect(schedule.next(after: Timestamp(seconds: 1_772_841_600)) == Timestamp(seconds: 1_772_928_000))
    #expect(schedule.next(after: Timestamp(seconds: 1_772_928_000)) == Timestamp(seconds: 1_773_014_400))
  }

  @Test(
    "Intervals out of range are rejected",
    arguments: [
      Duration.zero, .seconds(-5), .microseconds(999), .microseconds(1_500), .days(146_098), .nanoseconds(1_000_001),
      .seconds(Int64.max),
    ])
  func ranges(_ interval: Duration) {
    #expect(throws: JobError.self) { try Schedule.every(interval) }
  }

  @Test("A one-shot is due once")
  func once() throws {
    let time = Timestamp(seconds: 1_795_229_640)
    let schedule = Schedule.at(time)
    #expect(schedule.next(after: time - .microseconds(1)) == time)
    #expect(schedule.next(after: time) == nil)
    #expect(schedule.previous(before: time) == nil)
    #expect(schedule.previous(before: time + .microseconds(1)) == time)
    #expect(try Schedule(parsing: schedule.text, in: .utc) == schedule)
    #expect(try Schedule(parsing: "2026-11-21T02:54:00Z", in: .utc).next(after: .epoch) == time)
    #expect(try Schedule(parsing: "AT 2026-11-21T03:54:00+01:00", in: .utc).next(after: .epoch) == time)
  }
}
