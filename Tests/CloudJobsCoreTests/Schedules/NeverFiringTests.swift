import CloudJobsCore
import Testing

@Suite("Schedules that never or rarely fire")
struct NeverFiringTests {
  static let never = [
    "0 0 31 2 *", "0 0 30 2 *", "0 0 31 4 *", "0 0 31 6 *", "0 0 31 9 *", "0 0 31 11 *", "0 0 31 2,4,6,9,11 *",
    "0 0 30,31 2 *", "0 0 30-31 FEB *", "* * 31 feb *", "*/5 * 31 APR *", "0 0 31/2 4 *", "0 0 30/1 2 *",
    "59 23 31 11 *", "0 12 31 9 */2", "0 0 31W 4 *", "0 0 30W 2 *", "0 0 31W 2,6 *", "0 0 0 31 2 *", "30 0 0 30 2 *",
    "* * * 31 6 *", "0 0 */31 * MON#2", "0 0 */31 * MON#3", "0 0 */31 * 5L", "0 0 */31 2 SUN#5", "0 0 */20 * MON#2",
    "0 0 */20 * FRI#5", "0 0 */15 2 MON#4", "0 0 */14 FEB MON#2", "0 0 */29 2 2L,3#2", "0 0 */13 * SAT#3",
    "0 0 30W,31W FEB *",
  ]

  @Test("Expressions that can never fire are rejected in under a millisecond each", arguments: never)
  func refused(_ text: String) throws {
    #expect(Self.never.count >= 30)
    let clock = ContinuousClock()
    var fastest = Duration.seconds(1)
    // The fastest of some tries is the cost; the others may have waited for a processor.
    for _ in 0..<5 {
      let start = clock.now
      #expect(throws: JobError.self) { try Schedule.cron(text, in: .utc) }
      fastest = min(fastest, clock.now - start)
    }
    #expect(fastest < .milliseconds(1))
    let fault = try #require(throws: JobError.self) { try Schedule.cron(text, in: .utc) }
    #expect(fault.code == .invalidSchedule)
    #expect(fault.message.contains("never fires"))
  }

  @Test(
    "Rare runs are found, also across years without a leap day",
    arguments: [
      ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
      ("0 0 29 2 *", "2097-01-01T00:00:00Z", "2104-02-29T00:00:00Z"),
      ("0 0 29 2 */7", "2088-02-29T00:00:00Z", "2128-02-29T00:00:00Z"),
      ("0 0 */28 2 MON#5", "2025-01-01T00:00:00Z", "2044-02-29T00:00:00Z"),
      ("0 0 29W 2 *", "2025-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
      ("59 59 23 31 12 *", "9998-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ])
  func rare(_ text: String, _ after: String, _ expected: String) throws {
    let time = try #require(Timestamp(rfc3339: after))
    let run = try #require(Timestamp(rfc3339: expected))
    let schedule = try Schedule.cron(text, in: .utc)
    #expect(schedule.next(after: time) == run)
    #expect(schedule.previous(before: run + .microseconds(1)) == run)
    #expect(try #require(schedule.previous(before: run)) <= time)
  }

  @Test("A wildcard job whose only time is always skipped returns nil quickly")
  func alwaysSkipped() throws {
    let zone = try ZoneCatalog.system.zone(named: "America/New_York")
    // The second Sunday in March from 02:00 to 02:59, which New York has skipped since 2007.
    let schedule = try Schedule.cron("*/59 2 8-14 3 */7", in: zone)
    #expect(schedule.next(after: Timestamp(seconds: 1_767_225_600)) == nil)
  }

  @Test("No run is after year 9999 or before year 1")
  func ends() throws {
    let zone = try ZoneCatalog.system.zone(named: "America/New_York")
    for text in ["* * * * *", "0 0 29 2 *", "every 5 minutes", "1h", "every 2 hours from 22:00 to 04:00"] {
      let schedule = try Schedule(parsing: text, in: zone)
      #expect(schedule.next(after: .distantFuture) == nil)
      #expect(schedule.previous(before: .distantPast) == nil)
      #expect(schedule.previous(before: .distantFuture) != nil)
      #expect(schedule.next(after: .distantPast) != nil)
    }
  }
}
