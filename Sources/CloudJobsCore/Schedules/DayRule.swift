/// The days of the calendar on which a schedule fires, as bit sets that are combined for each month.
struct DayRule: Hashable, Sendable {
  /// Months, 1 to 12.
  var months = UInt64(bits: 1...12)
  /// Days of the month, 1 to 31.
  var daysOfMonth = UInt64(0)
  /// `L`: the last day of the month.
  var includesLastDay = false
  /// `LW`: the last day from Monday to Friday.
  var includesLastWorkday = false
  /// `15W`: the day from Monday to Friday nearest to a day, in the same month.
  var nearestWorkdays = UInt64(0)
  /// Days of the week, 0 (Sunday) to 6.
  var weekdays = UInt64(0)
  /// `MON#2`: for each n from 1 to 5, in seven bits each, the weekdays whose nth occurrence in the month matches.
  var nthWeekdays = UInt64(0)
  /// `5L`: the weekdays whose last occurrence in the month matches.
  var lastWeekdays = UInt64(0)
  /// Whether a day must match both fields instead of either.
  var requiresBoth = true

  static let allDaysOfMonth = UInt64(bits: 1...31)
  static let allWeekdays = UInt64(bits: 0...6)
  static let allMonths = UInt64(bits: 1...12)

  var acceptsAnyDayOfMonth: Bool { daysOfMonth == Self.allDaysOfMonth }
  var acceptsAnyWeekday: Bool { weekdays == Self.allWeekdays }

  /// Whether all days match.
  var isEveryDay: Bool {
    months == Self.allMonths
      && (requiresBoth ? acceptsAnyDayOfMonth && acceptsAnyWeekday : acceptsAnyDayOfMonth || acceptsAnyWeekday)
  }

  /// Returns the days of a month that match, as a set of 1 to 31.
  ///
  /// - Parameters:
  ///   - first: the weekday of the month's first day.
  ///   - length: the number of days in the month.
  /// - Returns: the matching days, regardless of ``months``.
  func days(firstWeekday first: Int, length: Int) -> UInt64 {
    let all = UInt64(bits: 1...length)
    var byMonth = daysOfMonth
    if includesLastDay { byMonth.insert(length) }
    if includesLastWorkday { byMonth.insert(Self.nearestWorkday(to: length, firstWeekday: first, length: length)) }
    if nearestWorkdays != 0 {
      var rest = nearestWorkdays & all
      while rest != 0 {
        let day = rest.trailingZeroBitCount
        byMonth.insert(Self.nearestWorkday(to: day, firstWeekday: first, length: length))
        rest &= rest - 1
      }
    }
    var byWeek = Self.everyWeek(Self.week(weekdays, from: first))
    if nthWeekdays != 0 {
      for index in 0..<5 {
        byWeek |= Self.week(nthWeekdays &>> UInt64(7 * index), from: first) &<< UInt64(7 * index + 1)
      }
    }
    if lastWeekdays != 0 {
      byWeek |= Self.everyWeek(Self.week(lastWeekdays, from: first)) & UInt64(bits: (length - 6)...length)
    }
    return (requiresBoth ? byMonth & byWeek : byMonth | byWeek) & all
  }

  /// Returns weekdays as a set of offsets, 0 to 6, from a first weekday.
  private static func week(_ weekdays: UInt64, from first: Int) -> UInt64 {
    let week = weekdays & 0x7f
    return (week &>> UInt64(truncatingIfNeeded: first) | week &<< UInt64(truncatingIfNeeded: 7 - first)) & 0x7f
  }

  /// Returns a week's set repeated over the days 1 to 35.
  private static func everyWeek(_ week: UInt64) -> UInt64 {
    (week | week &<< 7 | week &<< 14 | week &<< 21 | week &<< 28) &<< 1
  }

  private static func nearestWorkday(to day: Int, firstWeekday: Int, length: Int) -> Int {
    switch (firstWeekday + day - 1) % 7 {
    case 6: day > 1 ? day - 1 : day + 2
    case 0: day < length ? day + 1 : day - 2
    default: day
    }
  }

  /// Whether at least one day of any year matches.
  ///
  /// In the 400 years after which the calendar repeats, each month occurs with each of its lengths and with each first
  /// weekday, so checking these combinations is enough.
  var everOccurs: Bool {
    for month in months.members {
      let lengths = month == 2 ? 28...29 : CivilDate.daysInMonth(month, of: 1)...CivilDate.daysInMonth(month, of: 1)
      for length in lengths {
        for first in 0..<7 where days(firstWeekday: first, length: length) != 0 { return true }
      }
    }
    return false
  }

  /// Returns the first matching day at or after a given one, both as days since 1970; nil after the year 9999.
  func next(from day: Int) -> Int? {
    if isEveryDay { return day }
    var (month, index) = Month.containing(day: day)
    while month.year <= 9_999 {
      if months.contains(month.number),
        let found = days(firstWeekday: month.firstWeekday, length: month.length).firstBit(from: index)
      {
        return month.firstDay + found - 1
      }
      month.advance()
      index = 1
    }
    return nil
  }

  /// Returns the last matching day at or before a given one, both as days since 1970; nil before the year 1.
  func previous(through day: Int) -> Int? {
    if isEveryDay { return day }
    var (month, index) = Month.containing(day: day)
    while month.year >= 1 {
      if months.contains(month.number),
        let found = days(firstWeekday: month.firstWeekday, length: month.length).lastBit(through: index)
      {
        return month.firstDay + found - 1
      }
      month.retreat()
      index = 31
    }
    return nil
  }

  /// A month of a year, with its position in days since 1970.
  private struct Month {
    var year: Int
    var number: Int
    var firstDay: Int

    static func containing(day: Int) -> (Month, dayOfMonth: Int) {
      let date = CivilDate(daysSinceEpoch: day)
      return (Month(year: date.year, number: date.month, firstDay: day - date.day + 1), date.day)
    }

    var length: Int { CivilDate.daysInMonth(number, of: year) }

    var firstWeekday: Int {
      let weekday = (firstDay + 4) % 7
      return weekday < 0 ? weekday + 7 : weekday
    }

    mutating func advance() {
      firstDay += length
      number += 1
      if number > 12 { (year, number) = (year + 1, 1) }
    }

    mutating func retreat() {
      number -= 1
      if number < 1 { (year, number) = (year - 1, 12) }
      firstDay -= length
    }
  }
}

/// A `UInt64` as a set of numbers from 0 to 63.
extension UInt64 {
  /// Returns the set of a range of numbers.
  init(bits range: ClosedRange<Int>) {
    self = (UInt64.max << UInt64(range.lowerBound)) & (UInt64.max >> UInt64(63 - range.upperBound))
  }

  func contains(_ bit: Int) -> Bool {
    self &>> UInt64(truncatingIfNeeded: bit) & 1 == 1
  }

  mutating func insert(_ bit: Int) {
    self |= 1 &<< UInt64(truncatingIfNeeded: bit)
  }

  /// Returns the smallest member that is at least a number from 0 to 63.
  func firstBit(from bit: Int) -> Int? {
    let rest = self &>> UInt64(truncatingIfNeeded: bit)
    return rest == 0 ? nil : bit &+ rest.trailingZeroBitCount
  }

  /// Returns the largest member that is at most a number from −1 to 63.
  func lastBit(through bit: Int) -> Int? {
    guard bit >= 0 else { return nil }
    let rest = self & (UInt64.max &>> UInt64(truncatingIfNeeded: 63 &- bit))
    return rest == 0 ? nil : 63 &- rest.leadingZeroBitCount
  }

  /// Returns the number of members below a number from 0 to 63.
  func count(below bit: Int) -> Int {
    (self & ((1 &<< UInt64(truncatingIfNeeded: bit)) - 1)).nonzeroBitCount
  }

  /// The members in ascending order.
  var members: [Int] {
    (0..<64).filter { contains($0) }
  }
}
