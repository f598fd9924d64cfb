/// The second of a year at which a POSIX rule changes the clock: a day, and a time of that day on the old clock.
///
/// Source: POSIX, "TZ" (<https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html>), with times from
/// −167 to 167 hours as RFC 9636 section 3.3.1 extends them (<https://www.rfc-editor.org/rfc/rfc9636#section-3.3.1>).
struct ZoneYearDay: Hashable, Sendable {
  /// How the day is named.
  enum Day: Hashable, Sendable {
    /// `Jn`: day 1 to 365, where 29 February is never counted.
    case julian(Int)
    /// `n`: day 0 to 365, where 29 February is counted.
    case ordinal(Int)
    /// `Mm.w.d`: the w-th weekday d of month m; week 5 is the last.
    case weekday(month: Int, week: Int, weekday: Int)
  }

  var day: Day
  /// Seconds from midnight on the clock that holds before the change.
  var time: Int64

  /// The change in a year, in seconds since 1970 on the old clock.
  func localSecond(in year: Int) -> Int64 {
    Int64(dayNumber(in: year)) * 86_400 + time
  }

  private func dayNumber(in year: Int) -> Int {
    switch day {
    case .julian(let number):
      let january = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
      return january + number - 1 + (CivilDate.isLeap(year) && number >= 60 ? 1 : 0)
    case .ordinal(let number):
      return CivilDate(year: year, month: 1, day: 1).daysSinceEpoch + number
    case .weekday(let month, let week, let weekday):
      let first = CivilDate(year: year, month: month, day: 1)
      let toWeekday = (weekday - first.weekday + 7) % 7
      let length = CivilDate.daysInMonth(month, of: year)
      var day = toWeekday + (week - 1) * 7
      if day >= length { day -= 7 }
      return first.daysSinceEpoch + day
    }
  }
}
