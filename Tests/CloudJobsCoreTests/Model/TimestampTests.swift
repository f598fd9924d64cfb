import CloudJobsCore
import TestSupport
import Testing

@Suite("Timestamp")
struct TimestampTests {
  @Test("100,000 random times round-trip")
  func roundTrip() {
    var random = SeededGenerator(seed: 1)
    var failures = 0
    for round in 0..<100_000 {
      var microseconds = Int64.random(
        in: Timestamp.distantPast.microseconds...Timestamp.distantFuture.microseconds, using: &random)
      if round % 3 == 1 { microseconds -= microseconds % 1_000 }
      if round % 3 == 2 { microseconds -= microseconds % 1_000_000 }
      let time = Timestamp(microseconds: microseconds)
      if Timestamp(rfc3339: time.description) != time { failures += 1 }
    }
    #expect(failures == 0)
  }

  @Test(
    "Accepted forms",
    arguments: [
      ("1970-01-01T00:00:00Z", 0),
      ("2026-11-21T02:54:00Z", 1_795_229_640_000_000),
      ("2026-11-21t02:54:00z", 1_795_229_640_000_000),
      ("2026-11-21 02:54:00Z", 1_795_229_640_000_000),
      ("2026-11-21T02:54Z", 1_795_229_640_000_000),
      ("2026-11-21T02:54:00", 1_795_229_640_000_000),
      ("2026-11-21", 1_795_219_200_000_000),
      ("2026-11-21T03:54:00+01:00", 1_795_229_640_000_000),
      ("2026-11-21T03:54:00+0100", 1_795_229_640_000_000),
      ("2026-11-20T15:24:00-11:30", 1_795_229_640_000_000),
      ("2026-11-21T02:54:00.5Z", 1_795_229_640_500_000),
      ("2026-11-21T02:54:00.000001Z", 1_795_229_640_000_001),
      ("2026-11-21T02:54:00.123456789Z", 1_795_229_640_123_456),
      ("2026-11-21T02:54:00.00000000000000000000000001Z", 1_795_229_640_000_000),
      ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
      ("1969-12-31T23:59:59.999999Z", -1),
      ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
      ("0001-01-01T00:00:00+23:59", -62_135_596_800_000_000),
      ("9999-12-31T23:59:59.999999-23:59", 253_402_300_799_999_999),
      ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ] as [(String, Int64)])
  func accepted(text: String, microseconds: Int64) {
    #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
  }

  @Test(
    "Rejected forms",
    arguments: [
      "", "2026", "2026-11", "2026-11-2", "2026-11-31", "2025-02-29T00:00:00Z", "0000-01-01T00:00:00Z",
      "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-21T24:00:00Z",
      "2026-11-21T23:60:00Z", "2026-11-21T23:59:61Z", "2026-11-21T", "2026-11-21TZ", "2026-11-21Z",
      "2026-11-21T02", "2026-11-21T02Z", "2026-11-21T02:5Z", "2026-11-21T02:54:0Z", "2026-11-21T02:54:00.Z",
      "2026-11-21T02:54:00,5Z", "2026-11-21T02:54:00+24:00", "2026-11-21T02:54:00+01:60", "2026-11-21T02:54:00+01",
      "2026-11-21T02:54:00+1:00", "2026-11-21T02:54:00ZZ", "2026-11-21T02:54:00Z ", " 2026-11-21T02:54:00Z",
      "2026-11-21T02:54:00 UTC", "+2026-11-21T02:54:00Z", "-2026-11-21T02:54:00Z", "2026-1１-21T02:54:00Z",
      "20261121T025400Z", "2026-W47-6", "2026-325", "1795229640", "2026/11/21", "2026-11-21T02.54.00Z",
      "2026-11-21T-2:54:00Z", "now", "2026-11-21T02:54:00\u{0}Z", "２０２６-11-21T02:54:00Z",
    ])
  func refused(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test("The text has no, three or six fractional digits as needed")
  func description() {
    #expect(Timestamp(microseconds: 1_795_229_640_000_000).description == "2026-11-21T02:54:00Z")
    #expect(Timestamp(microseconds: 1_795_229_640_250_000).description == "2026-11-21T02:54:00.250Z")
    #expect(Timestamp(microseconds: 1_795_229_640_250_001).description == "2026-11-21T02:54:00.250001Z")
    #expect(Timestamp(microseconds: -1).description == "1969-12-31T23:59:59.999999Z")
    #expect(Timestamp.distantPast.description == "0001-01-01T00:00:00Z")
    #expect(Timestamp.distantFuture.description == "9999-12-31T23:59:59.999999Z")
  }

  @Test("Construction and arithmetic saturate at the ends of the range")
  func saturation() {
    #expect(Timestamp(microseconds: .max) == .distantFuture)
    #expect(Timestamp(microseconds: .min) == .distantPast)
    #expect(Timestamp(milliseconds: .max) == .distantFuture)
    #expect(Timestamp(milliseconds: .min) == .distantPast)
    #expect(Timestamp(seconds: .max) == .distantFuture)
    #expect(Timestamp(seconds: .min) == .distantPast)
    #expect(Timestamp.epoch + .seconds(Int64.max) == .distantFuture)
    #expect(Timestamp.epoch - .seconds(Int64.max) == .distantPast)
    #expect(Timestamp.epoch + .seconds(Int64.min) == .distantPast)
    #expect(Timestamp.epoch - .seconds(Int64.min) == .distantFuture)
    #expect(Timestamp.distantFuture + .microseconds(1) == .distantFuture)
    #expect(Timestamp.distantPast - .microseconds(1) == .distantPast)
    #expect(Timestamp.distantFuture - .distantPast == .microseconds(315_537_897_599_999_999))
    #expect(Duration.days(.max) == .seconds(Int64.max))
    #expect(Duration.minutes(.min) == .seconds(Int64.min))
    #expect(Duration.seconds(Int64.max).microseconds == .max)
    #expect(Duration.seconds(Int64.min).microseconds == .min)
  }

  @Test("Whole seconds round down, and the fraction is never negative")
  func parts() {
    #expect(Timestamp(microseconds: -1).seconds == -1)
    #expect(Timestamp(microseconds: -1).fraction == 999_999)
    #expect(Timestamp(microseconds: -1_000_000).seconds == -1)
    #expect(Timestamp(microseconds: -1_000_000).fraction == 0)
    #expect(Timestamp(milliseconds: 1_500).seconds == 1)
    #expect(Timestamp(seconds: 7).microseconds == 7_000_000)
    #expect(Duration.nanoseconds(1_999).microseconds == 1)
    #expect(Duration.nanoseconds(-1_999).microseconds == -1)
  }

  @Test(
    "Unix seconds in decimal digits",
    arguments: [
      ("0", 0), ("0.0", 0), ("1795229640", 1_795_229_640_000_000), ("1795229640.25", 1_795_229_640_250_000),
      ("1795229640.000001", 1_795_229_640_000_001), ("1795229640.9999999999", 1_795_229_640_999_999),
      ("0000000001.5", 1_500_000), ("999999999999.9", 253_402_300_799_999_999), ("", nil), (".", nil), (".5", nil),
      ("5.", nil), ("-1", nil), ("+1", nil), ("1e9", nil), ("1.5.5", nil), ("1,5", nil), ("1.5 ", nil), (" 1", nil),
      ("1.1234567x", nil), ("1.-5", nil), ("1234567890123", nil), ("0x10", nil), ("NaN", nil), ("１", nil),
    ] as [(String, Int64?)])
  func unixSeconds(text: String, microseconds: Int64?) {
    #expect(Timestamp(unixSeconds: text)?.microseconds == microseconds)
  }
}

@Suite("Civil date")
struct CivilDateTests {
  @Test("Each day of 400 years agrees with counting day by day")
  func allDays() {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var (year, month, day, weekday, number) = (1800, 1, 1, 3, -62_091)
    var failures = 0
    while year < 2200 {
      let date = CivilDate(daysSinceEpoch: number)
      if (date.year, date.month, date.day) != (year, month, day) || date.weekday != weekday
        || CivilDate(year: year, month: month, day: day).daysSinceEpoch != number
      {
        failures += 1
      }
      let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
      let length = month == 2 && isLeap ? 29 : lengths[month - 1]
      if CivilDate.daysInMonth(month, of: year) != length || CivilDate.isLeap(year) != isLeap { failures += 1 }
      number += 1
      weekday = (weekday + 1) % 7
      day += 1
      if day > length { (day, month) = (1, month + 1) }
      if month > 12 { (month, year) = (1, year + 1) }
    }
    #expect(failures == 0)
    #expect(number == 84_006)
  }

  @Test("Text", arguments: ["0001-01-01", "1600-02-29", "1969-12-31", "2000-02-29", "2026-11-21", "9999-12-31"])
  func text(text: String) {
    #expect(CivilDate(text)?.description == text)
  }

  @Test(
    "Rejected text",
    arguments: [
      "", "2026-11-31", "2100-02-29", "2026-00-10", "2026-13-10", "2026-10-00", "0000-01-01", "26-11-21",
      "2026-11-021", "2026-1-021", "2026.11.21", "2026-11-21 ", "2026-11-2١", "-026-11-21",
    ])
  func refused(text: String) {
    #expect(CivilDate(text) == nil)
  }

  @Test("Days before year 0 have consecutive numbers")
  func negative() {
    #expect(CivilDate(daysSinceEpoch: -719_468).description == "0000-03-01")
    #expect(CivilDate(year: 1, month: 1, day: 1).daysSinceEpoch == -719_162)
    #expect(CivilDate(year: 1, month: 1, day: 1).weekday == 1)
    #expect(CivilDate(year: 2026, month: 11, day: 21) > CivilDate(year: 2026, month: 10, day: 31))
  }
}
