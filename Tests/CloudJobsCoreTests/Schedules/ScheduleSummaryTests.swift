import CloudJobsCore
import Testing

@Suite("Schedules in plain English")
struct ScheduleSummaryTests {
  static let summaries: [(String, String)] = [
    ("* * * * *", "every minute"), ("*/5 * * * *", "every 5 minutes"), ("*/30 * * * * *", "every 30 seconds"),
    ("* * * * * *", "every second"), ("@hourly", "every hour, Europe/Berlin"),
    ("0 */2 * * *", "every 2 hours, Europe/Berlin"),
    ("0 9 * * 1-5", "at 09:00 on Monday to Friday, Europe/Berlin"),
    ("30 9,17 * * *", "at 09:30 and 17:30, Europe/Berlin"), ("15 30 9 * * *", "at 09:30:15, Europe/Berlin"),
    ("*/15 9-17 * * MON-FRI", "every 15 minutes from 09:00 to 17:45 on Monday to Friday, Europe/Berlin"),
    ("*/5 * * * 6,7", "every 5 minutes on Saturday and Sunday, Europe/Berlin"),
    ("* 3 * * *", "every minute from 03:00 to 03:59, Europe/Berlin"),
    ("5 * * * *", "at minute 5 of every hour, Europe/Berlin"),
    ("*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour, Europe/Berlin"),
    ("1-5 1-3 * * *", "at minutes 1 to 5 of hours 1 to 3, Europe/Berlin"),
    (
      "*/2 5 * * * *",
      "at seconds 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44,"
        + " 46, 48, 50, 52, 54, 56 and 58 of minute 5 of every hour, Europe/Berlin"
    ),
    ("@monthly", "at 00:00 on day 1 of the month, Europe/Berlin"),
    ("@yearly", "at 00:00 on day 1 of the month in January, Europe/Berlin"),
    ("@weekly", "at 00:00 on Sunday, Europe/Berlin"), ("@daily", "at 00:00, Europe/Berlin"),
    ("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month, Europe/Berlin"),
    ("0 0 13 * FRI", "at 00:00 on day 13 of the month or on Friday, Europe/Berlin"),
    ("0 0 */20 * FRI", "at 00:00 on days 1 and 21 of the month where it is also Friday, Europe/Berlin"),
    ("0 0 1 * 0-7", "at 00:00, Europe/Berlin"),
    ("0 0 L * *", "at 00:00 on the last day of the month, Europe/Berlin"),
    ("0 0 LW * *", "at 00:00 on the last weekday of the month, Europe/Berlin"),
    ("0 0 15W * *", "at 00:00 on the weekday nearest day 15 of the month, Europe/Berlin"),
    ("0 0 * * MON#2", "at 00:00 on the 2nd Monday of the month, Europe/Berlin"),
    ("0 0 * 6-8 5L", "at 00:00 on the last Friday of the month in June to August, Europe/Berlin"),
    ("every monday 09:00", "at 09:00 on Monday, Europe/Berlin"),
    ("every 5 minutes", "every 5 minutes"), ("every 24 hours", "every day"), ("90m", "every 1 hour 30 minutes"),
    ("every 2 hours from 22:00 to 04:00", "every 2 hours from 22:00 to 04:00, Europe/Berlin"),
    ("every 8 hours synchronized", "every 8 hours, counted from midnight, Europe/Berlin"),
    (
      "1st monday of quarter 09:00",
      "at 09:00 on the 1st Monday of the month in January, April, July and October, Europe/Berlin"
    ),
    ("1,3 of jan 09:00", "at 09:00 on days 1 and 3 of the month in January, Europe/Berlin"),
    ("2026-11-21T02:54:00Z", "once, at 2026-11-21T02:54:00Z"),
  ]

  @Test("The summary describes the schedule", arguments: summaries)
  func summary(_ text: String, _ expected: String) throws {
    let zone = try ZoneCatalog.system.zone(named: "Europe/Berlin")
    #expect(try Schedule(parsing: text, in: zone).summary == expected)
  }

  @Test(
    "A note describes the effect of a clock change on a run",
    arguments: [
      (
        "30 2 * * *", "2026-03-29T01:00:00Z",
        "Clocks in Europe/Berlin go forward by 1 hour at this time, "
          + "and this run replaces the skipped one."
      ),
      (
        "30 2 * * *", "2026-10-25T00:30:00Z",
        "Clocks in Europe/Berlin soon go back by 1 hour and show this hour again; the job runs the first time only."
      ),
      (
        "30 * * * *", "2026-10-25T00:30:00Z",
        "Clocks in Europe/Berlin soon go back by 1 hour and show this hour again; the job runs both times."
      ),
      (
        "30 * * * *", "2026-10-25T01:30:00Z",
        "Clocks in Europe/Berlin have gone back by 1 hour, and this is the second time that they show this hour."
      ),
      ("0 3 * * *", "2026-03-29T01:00:00Z", nil), ("0 * * * *", "2026-03-29T01:00:00Z", nil),
      ("30 1 * * *", "2026-10-24T23:30:00Z", nil), ("0 3 * * *", "2026-10-25T02:00:00Z", nil),
      ("30 2 * * *", "2026-10-25T01:30:00Z", nil), ("5m", "2026-03-29T01:00:00Z", nil),
    ])
  func note(_ text: String, _ time: String, _ expected: String?) throws {
    let zone = try ZoneCatalog.system.zone(named: "Europe/Berlin")
    let schedule = try Schedule(parsing: text, in: zone)
    #expect(schedule.note(at: try #require(Timestamp(rfc3339: time))) == expected)
    #expect(schedule.zone == (text == "5m" ? nil : zone))
  }
}
