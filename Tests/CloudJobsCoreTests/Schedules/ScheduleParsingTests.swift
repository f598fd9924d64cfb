import CloudJobsCore
import TestSupport
import Testing

@Suite("Schedules that can't be parsed")
struct ScheduleParsingTests {
  /// A text, the field that the error names, and a word of its message.
  static let faults: [(String, String?, String)] = [
    ("60 * * * *", "minute", "0 to 59"), ("-1 * * * *", "minute", "empty"), ("* 24 * * *", "hour", "0 to 23"),
    ("* * 0 * *", "day-of-month", "1 to 31"), ("* * 32 * *", "day-of-month", "1 to 31"),
    ("* * * 0 *", "month", "JAN to DEC"), ("* * * 13 *", "month", "out of range"),
    ("* * * * 8", "day-of-week", "SUN to SAT"), ("* * * JANUARY *", "month", "JANUARY"),
    ("* * * * MONDAY", "day-of-week", "MONDAY"), ("* * * MON *", "month", "MON"), ("JAN * * * *", "minute", "JAN"),
    ("*/0 * * * *", "minute", "step"), ("*/ * * * *", "minute", "step"), ("*/x * * * *", "minute", "step"),
    ("*/-5 * * * *", "minute", "step"), ("5/5/5 * * * *", "minute", "step"), ("*/99999 * * * *", "minute", "step"),
    ("5-1 * * * *", "minute", "backwards"), ("* * * * FRI-MON", "day-of-week", "backwards"),
    ("* 22-2 * * *", "hour", "22-23,0-2"), ("1,,2 * * * *", "minute", "empty"), (", * * * *", "minute", "empty"),
    ("1, * * * *", "minute", "empty"), ("1-2-3 * * * *", "minute", "2-3"), ("** * * * *", "minute", "**"),
    ("*5 * * * *", "minute", "*5"), ("*-5 * * * *", "minute", "*"), ("? * * * *", "minute", "* instead of ?"),
    ("0 0 ? * 1", "day-of-month", "* instead of ?"), ("0x5 * * * *", "minute", "0X5"), ("+5 * * * *", "minute", "+5"),
    ("5.0 * * * *", "minute", "5.0"), ("99999999999999999999 * * * *", "minute", "not a value"),
    ("* L * * *", "hour", "L"), ("* * L-3 * *", "day-of-month", "“L”"), ("* * W * *", "day-of-month", "empty"),
    ("* * 32W * *", "day-of-month", "out of range"), ("* * 1-5W * *", "day-of-month", "not a value"),
    ("* * L/2 * *", "day-of-month", "not a value"), ("* * * * L", "day-of-week", "5L"),
    ("* * * * MON#6", "day-of-week", "1 to 5"), ("* * * * MON#0", "day-of-week", "1 to 5"),
    ("* * * * MON#", "day-of-week", "1 to 5"), ("* * * * #2", "day-of-week", "empty"),
    ("* * * * MON#2#3", "day-of-week", "1 to 5"), ("* * * * 1-5#2", "day-of-week", "not a value"),
    ("* * * * 9L", "day-of-week", "out of range"), ("60 * * * * *", "second", "0 to 59"),
    ("* * * *", nil, "4 fields"), ("* * * * * * *", nil, "7 fields"), ("*", nil, "1 field."), ("", nil, "empty"),
    ("   \t ", nil, "empty"), ("@reboot", nil, "no time"), ("@fortnightly", nil, "@weekly"), ("@daily 5", nil, "macro"),
    ("@", nil, "macro"), ("5", "interval", "30s"), ("5x", "interval", "30s"), ("1m1h", "interval", "longest first"),
    ("5m5m", "interval", "30s"), ("0s", "interval", "1 ms"), ("99999999999999d", "interval", "30s"),
    ("999999999999d", "interval", "400 years"), ("@every", nil, "macro"), ("@every 5", "interval", "30s"),
    ("@every five minutes", "interval", "30s"), ("at noon", "at", "RFC 3339"), ("at 2026-13-01", "at", "RFC 3339"),
    ("٣ * * * *", "minute", "not a value"), ("🕐", nil, "1 field."), ("* * * * *\n", "day-of-week", "not a value"),
    ("0 0 1 1 * UTC", "day-of-week", "UTC"),
  ]

  @Test("The error contains the field and the remedy", arguments: faults)
  func fault(_ text: String, _ field: String?, _ word: String) throws {
    let fault = try #require(throws: JobError.self) { try Schedule(parsing: text, in: .utc) }
    #expect(fault.code == .invalidSchedule)
    #expect(fault.field == field)
    #expect(fault.message.contains(word), "\(fault.message)")
    #expect(fault.message.utf8.count < 400)
  }

  @Test("Texts are limited in length")
  func length() throws {
    let fits = Array(repeating: "1", count: 124).joined(separator: ",") + " * * * *"
    #expect(fits.utf8.count <= Schedule.maximumLength)
    _ = try Schedule.cron(fits, in: .utc)
    let fault = try #require(throws: JobError.self) {
      try Schedule.cron(String(repeating: "1,", count: 500) + "1 * * * *", in: .utc)
    }
    #expect(fault.message.contains("256"))
  }

  @Test(
    "Cloud Scheduler accepts exactly five fields without extensions",
    arguments: [
      "0 * * * * *", "@daily", "0 0 L * *", "0 0 LW * *", "0 0 15W * *", "0 0 * * MON#2", "0 0 * * 5L", "5m",
      "@every 5m",
      "2026-11-21T02:54:00Z", "* * * *",
    ])
  func unixCronRefuses(_ text: String) throws {
    _ = try? Schedule(parsing: text, in: .utc)
    let fault = try #require(throws: JobError.self) { try Schedule.unixCron(text, in: .utc) }
    #expect(fault.code == .invalidSchedule)
  }

  @Test(
    "Cloud Scheduler accepts five fields with names, lists, ranges and steps",
    arguments: [
      "* * * * *", "*/5 9-17 * JAN-MAR MON,WED", "0 0 1,15 * 7", "5/10 0 * * *",
    ])
  func unixCronTakes(_ text: String) throws {
    #expect(try Schedule.unixCron(text, in: .utc) == Schedule.cron(text, in: .utc))
  }

  @Test("100,000 mutated texts are rejected or parsed to working schedules")
  func mutations() throws {
    var random = SeededGenerator(seed: 3)
    let seeds =
      CronTests.meanings.map { $0.0 } + EnglishTests.meanings.map { $0.0 } + ["1h30m", "@every 5m", "at 2026-11-21"]
    let alphabet = Array("0123456789*/,-#LWMONJAN@: every of at\t?é".utf8)
    let zone = try ZoneCatalog.system.zone(named: "Australia/Lord_Howe")
    var parsed = 0
    for _ in 0..<100_000 {
      var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let position = Int.random(in: 0..<max(1, bytes.count), using: &random)
        let byte = alphabet.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where !bytes.isEmpty: bytes.remove(at: position)
        case 1 where !bytes.isEmpty: bytes[position] = byte
        default: bytes.insert(byte, at: position)
        }
      }
      guard let schedule = try? Schedule(parsing: String(decoding: bytes, as: UTF8.self), in: zone) else { continue }
      parsed += 1
      let next = schedule.next(after: Timestamp(seconds: 1_775_314_000))
      if let next, schedule.previous(before: next + .microseconds(1)) != next {
        Issue.record("previous does not undo next: \(schedule)")
      }
    }
    #expect(parsed > 3_000)
  }
}
