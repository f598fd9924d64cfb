import CloudJobsCore
import Testing

@Suite("Civil date")
struct CivilDateTests {
  @Test("Each day of 400 years agrees with counting by hand")
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
    "Refused text",
    arguments: [
      "", "2026-11-31", "2100-02-29", "2026-00-10", "2026-13-10", "2026-10-00", "0000-01-01", "26-11-21",
      "2026-11-021", "2026-1-021", "2026.11.21", "2026-11-21 ", "2026-11-2١", "-026-11-21",
    ])
  func refused(text: String) {
    #expect(CivilDate(text) == nil)
  }

  @Test("Dates before the era of the calendar's cycle still count down")
  func negative() {
    #expect(CivilDate(daysSinceEpoch: -719_468).description == "0000-03-01")
    #expect(CivilDate(year: 1, month: 1, day: 1).daysSinceEpoch == -719_162)
    #expect(CivilDate(year: 1, month: 1, day: 1).weekday == 1)
    #expect(CivilDate(year: 2026, month: 11, day: 21) > CivilDate(year: 2026, month: 10, day: 31))
  }
}
