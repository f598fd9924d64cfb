import CloudJobsCore
import Testing

@Suite("English schedules")
struct EnglishTests {
  /// A text, a start time, and the runs that follow, in UTC; 1 January 2026 is a Thursday.
  static let meanings: [(String, String, [String])] = [
    ("every 5 minutes", "2026-01-01T00:00:00Z", ["2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"]),
    ("every 1 mins", "2026-01-01T00:00:00Z", ["2026-01-01T00:01:00Z"]),
    ("every 12 hours", "2026-01-01T00:00:00Z", ["2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z"]),
    ("every 7 hours", "1970-01-01T00:00:00Z", ["1970-01-01T07:00:00Z", "1970-01-01T14:00:00Z"]),
    (
      "every 5 minutes from 10:00 to 10:12", "2026-01-01T00:00:00Z",
      ["2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z", "2026-01-01T10:10:00Z", "2026-01-02T10:00:00Z"]
    ),
    (
      "every 2 hours from 9:00 to 13:00", "2026-01-01T00:00:00Z",
      ["2026-01-01T09:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T13:00:00Z", "2026-01-02T09:00:00Z"]
    ),
    (
      "every 2 hours from 22:00 to 02:30", "2026-01-01T12:00:00Z",
      ["2026-01-01T22:00:00Z", "2026-01-02T00:00:00Z", "2026-01-02T02:00:00Z", "2026-01-02T22:00:00Z"]
    ),
    (
      "every 90 minutes from 23:00 to 02:00", "2026-01-01T12:00:00Z",
      ["2026-01-01T23:00:00Z", "2026-01-02T00:30:00Z", "2026-01-02T02:00:00Z", "2026-01-02T23:00:00Z"]
    ),
    (
      "every 5 hours from 10:00 to 12:00", "2026-01-01T00:00:00Z", ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"]
    ),
    (
      "every 8 hours synchronized", "2026-01-01T01:00:00Z",
      ["2026-01-01T08:00:00Z", "2026-01-01T16:00:00Z", "2026-01-02T00:00:00Z"]
    ),
    ("every 20 mins synchronized", "2026-01-01T23:30:00Z", ["2026-01-01T23:40:00Z", "2026-01-02T00:00:00Z"]),
    ("every day 00:00", "2026-01-01T00:00:00Z", ["2026-01-02T00:00:00Z"]),
    ("every day of month 09:30", "2026-01-01T00:00:00Z", ["2026-01-01T09:30:00Z", "2026-01-02T09:30:00Z"]),
    ("every monday 09:00", "2026-01-01T00:00:00Z", ["2026-01-05T09:00:00Z", "2026-01-12T09:00:00Z"]),
    ("Every Mon,Wed 9:00", "2026-01-01T00:00:00Z", ["2026-01-05T09:00:00Z", "2026-01-07T09:00:00Z"]),
    ("every sat , sun of jan,jul 08:00", "2026-01-11T09:00:00Z", ["2026-01-17T08:00:00Z", "2026-01-18T08:00:00Z"]),
    (
      "2nd,third mon,wed,thu of march 17:00", "2026-01-01T00:00:00Z",
      [
        "2026-03-09T17:00:00Z", "2026-03-11T17:00:00Z", "2026-03-12T17:00:00Z", "2026-03-16T17:00:00Z",
        "2026-03-18T17:00:00Z", "2026-03-19T17:00:00Z", "2027-03-08T17:00:00Z",
      ]
    ),
    (
      "1,3 of jan 09:00", "2026-01-01T00:00:00Z",
      ["2026-01-01T09:00:00Z", "2026-01-03T09:00:00Z", "2027-01-01T09:00:00Z"]
    ),
    ("1 of jan,april,july,oct 00:00", "2026-01-01T00:00:00Z", ["2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"]),
    ("31 of month 12:00", "2026-01-01T00:00:00Z", ["2026-01-31T12:00:00Z", "2026-03-31T12:00:00Z"]),
    ("15 of quarter 12:00", "2026-01-01T00:00:00Z", ["2026-01-15T12:00:00Z", "2026-04-15T12:00:00Z"]),
    ("first,third monday of month 04:00", "2026-01-01T00:00:00Z", ["2026-01-05T04:00:00Z", "2026-01-19T04:00:00Z"]),
    ("fifth friday 04:00", "2026-02-01T00:00:00Z", ["2026-05-29T04:00:00Z"]),
    ("1st monday of quarter 09:00", "2026-01-06T00:00:00Z", ["2026-04-06T09:00:00Z", "2026-07-06T09:00:00Z"]),
    (
      "1st monday of 2nd month of quarter 09:00", "2026-01-06T00:00:00Z",
      ["2026-02-02T09:00:00Z", "2026-05-04T09:00:00Z"]
    ),
    (
      "first day of 1st,third month of quarter 09:00", "2026-01-06T00:00:00Z",
      ["2026-03-01T09:00:00Z", "2026-04-01T09:00:00Z", "2026-06-01T09:00:00Z"]
    ),
    ("2nd,4th day of month 09:00", "2026-01-01T00:00:00Z", ["2026-01-02T09:00:00Z", "2026-01-04T09:00:00Z"]),
    ("every wed,fri of jan,jun 13:15", "2026-01-01T00:00:00Z", ["2026-01-02T13:15:00Z", "2026-01-07T13:15:00Z"]),
  ]

  @Test("Each form has the expected runs, forwards and backwards, for Cloud Scheduler too", arguments: meanings)
  func meaning(_ text: String, _ after: String, _ expected: [String]) throws {
    let schedule = try Schedule.english(text, in: .utc)
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
      #expect(schedule.previous(before: later + .microseconds(1)) == later)
    }
    #expect(try Schedule(parsing: text, in: .utc) == schedule)
    #expect(try Schedule.unixCron(text, in: .utc) == schedule)
  }

  @Test("A bare interval is a grid through the anchor")
  func anchor() throws {
    let anchor = Timestamp(seconds: 1_767_225_661)
    let schedule = try Schedule(parsing: "every 10 minutes", in: .utc, anchor: anchor)
    #expect(schedule.next(after: anchor) == anchor + .minutes(10))
    #expect(schedule.previous(before: anchor) == anchor - .minutes(10))
    #expect(try Schedule.unixCron("every 10 minutes", in: .utc, anchor: anchor) == schedule)
  }

  @Test("Times are local; a skipped one runs at the end of the gap, steps follow local time")
  func zones() throws {
    let zone = try ZoneCatalog.system.zone(named: "Europe/Berlin")
    let daily = try Schedule.english("every day 02:30", in: zone)
    #expect(daily.next(after: Timestamp(seconds: 1_774_742_400)) == Timestamp(seconds: 1_774_746_000))
    let steps = try Schedule.english("every 30 minutes from 01:30 to 03:00", in: zone)
    // 29 March 2026: 01:30 CET, then 03:00 CEST.
    #expect(steps.next(after: Timestamp(seconds: 1_774_742_400)) == Timestamp(seconds: 1_774_744_200))
    #expect(steps.next(after: Timestamp(seconds: 1_774_744_200)) == Timestamp(seconds: 1_774_746_000))
  }

  @Test(
    "Seconds and singular units are accepted, but not for Cloud Scheduler",
    arguments: [
      "every 30 seconds", "every 1 hour", "every minute", "every hour", "every 1 minute",
      "every 10 seconds synchronized",
    ])
  func lenient(_ text: String) throws {
    _ = try Schedule.english(text, in: .utc)
    #expect(throws: JobError.self) { try Schedule.unixCron(text, in: .utc) }
  }

  @Test(
    "Invalid texts are rejected with the supported forms",
    arguments: [
      "every", "every 5", "every 0 minutes", "every 5 fortnights", "every 5 minutes from", "every 5 minutes from 10:00",
      "every 5 minutes from 10:00 to", "every 5 minutes from 10:00 to 24:00", "every 5 minutes from 10:00 until 11:00",
      "every 7 hours synchronized", "every 25 hours synchronized", "every 5 minutes synchronized 10:00",
      "every 5 minutes sometimes", "every monday", "every monday 9", "every monday 09:60", "every monday 9:0",
      "every moonday 09:00", "every monday of smarch 09:00", "monday 09:00", "6th monday 09:00", "1st 09:00",
      "1st,monday 09:00", "0 of jan 09:00", "32 of jan 09:00", "1 jan 09:00", "1 of 09:00", "1,,2 of jan 09:00",
      "1st monday of 4th month of quarter 09:00", "1st monday of 1st month 09:00", "every monday 09:00 10:00",
      "every 100000 minutes", "every monday, 09:00", "every mon tue 09:00", "every 99999999999999999999 minutes",
      "31 of feb 09:00", "30,31 of february 00:00", "every day 09:00 of jan", "every 5 minutes from 10:00 to 11:00 x",
    ])
  func refused(_ text: String) throws {
    for parse in [
      { () throws -> Schedule in try Schedule.english(text, in: .utc) },
      { try Schedule.unixCron(text, in: .utc) }, { try Schedule(parsing: text, in: .utc) },
    ] {
      let fault = try #require(throws: JobError.self) { try parse() }
      #expect(fault.code == .invalidSchedule)
      #expect(fault.message.count > 20)
    }
  }
}
