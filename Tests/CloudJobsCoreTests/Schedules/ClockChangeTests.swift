import CloudJobsCore
import Testing

@Suite("Cron across clock changes")
struct ClockChangeTests {
  static let cases = [
    // 8 March 2026, 02:00 EST becomes 03:00 EDT; 1 November 2026, 02:00 EDT becomes 01:00 EST.
    ClockChangeCase(
      "America/New_York", "30 2 * * *", "2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"),
    ClockChangeCase(
      "America/New_York", "0,30 2 * * *", "2026-03-07T07:00:00Z", "2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z",
      "2026-03-09T06:00:00Z"),
    ClockChangeCase("America/New_York", "30 */2 * * *", "2026-03-08T05:30:00Z", "2026-03-08T08:30:00Z"),
    ClockChangeCase("America/New_York", "*/30 2 * * *", "2026-03-07T07:30:00Z", "2026-03-09T06:00:00Z"),
    ClockChangeCase("America/New_York", "0 3 * * *", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00Z"),
    ClockChangeCase(
      "America/New_York", "30 2-3 * * *", "2026-03-07T08:30:00Z", "2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z"),
    ClockChangeCase("America/New_York", "15 30 2 * * *", "2026-03-07T07:30:15Z", "2026-03-08T07:00:00Z"),
    ClockChangeCase(
      "America/New_York", "30 1 * * *", "2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"),
    ClockChangeCase(
      "America/New_York", "30 * * * *", "2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z",
      "2026-11-01T07:30:00Z"),
    ClockChangeCase("America/New_York", "0 1,2 * * *", "2026-11-01T05:00:00Z", "2026-11-01T07:00:00Z"),
    ClockChangeCase("America/New_York", "30 1-2 * * *", "2026-11-01T05:30:00Z", "2026-11-01T07:30:00Z"),
    ClockChangeCase("America/New_York", "@hourly", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"),
    ClockChangeCase(
      "Europe/Berlin", "30 2 * * *", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
    ClockChangeCase(
      "Europe/Berlin", "30 2 * * *", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    ClockChangeCase("Europe/Berlin", "0 3 * * *", "2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"),
    // Far beyond the listed transitions, by the footer's rule: 31 March and 27 October 2199.
    ClockChangeCase(
      "Europe/Berlin", "30 2 * * *", "2199-03-30T01:30:00Z", "2199-03-31T01:00:00Z", "2199-04-01T00:30:00Z"),
    ClockChangeCase(
      "Europe/Berlin", "30 2 * * *", "2199-10-26T00:30:00Z", "2199-10-27T00:30:00Z", "2199-10-28T01:30:00Z"),
    // Half an hour: 02:00 becomes 01:30 on 5 April 2026, and 02:30 on 4 October 2026.
    ClockChangeCase("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"),
    ClockChangeCase("Australia/Lord_Howe", "45 * * * *", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"),
    ClockChangeCase("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"),
    ClockChangeCase(
      "Australia/Lord_Howe", "*/15 * * * *", "2026-10-03T15:15:00Z", "2026-10-03T15:30:00Z", "2026-10-03T15:45:00Z"),
    // 30 December 2011 did not take place; a change of 24 hours counts as setting the clock.
    ClockChangeCase("Pacific/Apia", "0 9 * * *", "2011-12-29T19:00:00Z", "2011-12-30T19:00:00Z"),
    ClockChangeCase("Pacific/Apia", "0 9 30 12 *", "2010-12-30T19:00:00Z", "2012-12-29T19:00:00Z"),
    // Midnight itself is skipped on 4 November 2018, and 23:00 comes again on 16 February 2019.
    ClockChangeCase(
      "America/Sao_Paulo", "0 0 * * *", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
    ClockChangeCase("America/Sao_Paulo", "15 0 4 11 *", "2017-11-04T02:15:00Z", "2018-11-04T03:00:00Z"),
    ClockChangeCase("America/Sao_Paulo", "*/15 0 * * *", "2018-11-03T03:45:00Z", "2018-11-05T02:00:00Z"),
    ClockChangeCase("America/Sao_Paulo", "30 23 * * *", "2019-02-17T01:30:00Z", "2019-02-18T02:30:00Z"),
    ClockChangeCase(
      "Africa/Cairo", "0 0 * * *", "2024-04-24T22:00:00Z", "2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"),
    ClockChangeCase("Africa/Cairo", "30 23 * * *", "2024-10-31T20:30:00Z", "2024-11-01T21:30:00Z"),
    // From +05:30 to +05:45 at the beginning of 1986.
    ClockChangeCase(
      "Asia/Kathmandu", "5 0 * * *", "1985-12-30T18:35:00Z", "1985-12-31T18:30:00Z", "1986-01-01T18:20:00Z"),
    ClockChangeCase("Asia/Kathmandu", "0 9 * * *", "2026-01-01T03:15:00Z", "2026-01-02T03:15:00Z"),
    // Standard time is the other way round: the clock goes back for Ramadan, and forward after it.
    ClockChangeCase("Africa/Casablanca", "30 2 * * *", "2026-02-15T01:30:00Z", "2026-02-16T02:30:00Z"),
    ClockChangeCase(
      "Africa/Casablanca", "30 2 * * *", "2026-03-21T02:30:00Z", "2026-03-22T02:00:00Z", "2026-03-23T01:30:00Z"),
    // Two hours: 01:00 becomes 03:00 on 29 March 2026, and 03:00 becomes 01:00 on 25 October 2026.
    ClockChangeCase("Antarctica/Troll", "30 1,2 * * *", "2026-03-29T01:00:00Z", "2026-03-29T23:30:00Z"),
    ClockChangeCase(
      "Antarctica/Troll", "30 2 * * *", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T02:30:00Z"),
    ClockChangeCase(
      "Antarctica/Troll", "30 * * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"),
    ClockChangeCase("Asia/Gaza", "30 2 * * *", "2024-04-19T00:30:00Z", "2024-04-20T00:00:00Z", "2024-04-20T23:30:00Z"),
    ClockChangeCase("Asia/Gaza", "30 1 * * *", "2024-10-25T22:30:00Z", "2024-10-26T23:30:00Z"),
    ClockChangeCase("UTC", "30 2 * * *", "2026-03-08T02:30:00Z", "2026-03-09T02:30:00Z"),
  ]

  @Test("Each run is found at, just before and just after its time, forwards and backwards", arguments: cases)
  func runs(_ item: ClockChangeCase) throws {
    let zone = try ZoneCatalog.system.zone(named: item.zone)
    let schedule = try Schedule.cron(item.expression, in: zone)
    let runs = try item.runs.map { try #require(Timestamp(rfc3339: $0)) }
    for (earlier, later) in zip(runs, runs.dropFirst()) {
      #expect(schedule.next(after: earlier) == later)
      #expect(schedule.next(after: earlier + .microseconds(1)) == later)
      #expect(schedule.next(after: later - .microseconds(1)) == later)
      #expect(schedule.previous(before: later) == earlier)
      #expect(schedule.previous(before: later - .microseconds(1)) == earlier)
      #expect(schedule.previous(before: earlier + .microseconds(1)) == earlier)
    }
    let first = try #require(runs.first)
    #expect(schedule.next(after: first - .microseconds(1)) == first)
    #expect(schedule.next(after: first - .seconds(1)) == first)
    let last = try #require(runs.last)
    #expect(schedule.previous(before: last + .microseconds(1)) == last)
    #expect(schedule.previous(before: last + .seconds(1)) == last)
  }

  @Test("The table covers all eleven zones")
  func zones() {
    #expect(Set(Self.cases.map(\.zone)) == Set(BruteForceTests.zones))
  }

  @Test("A change of exactly three hours is not compensated; one of a second less is")
  func threeHours() throws {
    for (length, isMadeUpFor) in [(Int64(10_799), true), (10_800, false)] {
      let zone = try Zone(
        name: "Test/Gap", tzif: TZifBytes.file(transitions: [(1_000_000_800, 1)], offsets: [0, Int32(length)]))
      // 1,000,000,800 is 02:00 on 9 September 2001.
      let schedule = try Schedule.cron("0 3 9 9 *", in: zone)
      let change = Timestamp(seconds: 1_000_000_800)
      let next = schedule.next(after: change - .hours(1))
      #expect((next == change) == isMadeUpFor)
    }
  }
}

/// A schedule across a clock change: all its runs from the first to the last of a list, in UTC.
struct ClockChangeCase: CustomTestStringConvertible, Sendable {
  let zone: String
  let expression: String
  let runs: [String]

  init(_ zone: String, _ expression: String, _ runs: String...) {
    self.zone = zone
    self.expression = expression
    self.runs = runs
  }

  var testDescription: String { "\(expression) in \(zone)" }
}
