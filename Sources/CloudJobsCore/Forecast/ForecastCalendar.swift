/// Runs by day and hour in a zone: pure.
package struct ForecastCalendar: Sendable {
  /// A day with the runs of its hours.
  package struct Day: Sendable {
    /// The day.
    package var date: CivilDate
    /// The runs of each hour; nil for hours that are not counted, or that a clock change skips.
    package var hours = [Double?](repeating: nil, count: 24)

    /// The runs of the day.
    package var runs: Double { hours.reduce(0) { $0 + ($1 ?? 0) } }
    /// Whether all of the day is counted, of which a clock change may skip an hour.
    package var isWhole: Bool { hours.count { $0 == nil } < 2 }
  }

  /// The zone of the days and hours.
  package let zone: Zone
  /// The days in their order.
  package let days: [Day]

  /// Arranges the hours of a forecast.
  ///
  /// - Parameters:
  ///   - forecast: the forecast.
  ///   - zone: the zone of the days and hours.
  package init(_ forecast: Forecast, in zone: Zone) {
    self.init(forecast.hours, from: forecast.firstHour, in: zone)
  }

  /// Arranges the runs of hours.
  ///
  /// - Parameters:
  ///   - hours: the runs of each hour.
  ///   - start: the beginning of the first hour.
  ///   - zone: the zone of the days and hours.
  package init(_ hours: [Double], from start: Timestamp, in zone: Zone) {
    self.zone = zone
    var days: [Day] = []
    for (number, runs) in hours.enumerated() {
      let time = start + .hours(number)
      let date = zone.date(at: time)
      if days.last?.date != date { days.append(Day(date: date)) }
      let hour = min(zone.secondOfDay(at: time) / 3_600, 23)
      days[days.count - 1].hours[hour] = (days[days.count - 1].hours[hour] ?? 0) + runs
    }
    self.days = days
  }

  /// The names of the days of a week, from Monday on.
  package static let weekdays = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]

  /// Returns the place of a day in its week, from Monday on.
  package static func column(_ date: CivilDate) -> Int { (date.weekday + 6) % 7 }

  /// Returns the name of a month with its year.
  package static func month(_ date: CivilDate) -> String { "\(months[date.month - 1]) \(date.year)" }

  /// The days by month, and in each month by week.
  package var months: [(name: String, weeks: [[Day]])] {
    var months: [(name: String, weeks: [[Day]])] = []
    for day in days {
      let name = Self.month(day.date)
      if months.last?.name != name { months.append((name, [])) }
      let last = months.count - 1
      if months[last].weeks.isEmpty || Self.column(day.date) == 0 { months[last].weeks.append([]) }
      months[last].weeks[months[last].weeks.count - 1].append(day)
    }
    return months
  }

  /// The scale of the runs of hours.
  package var hourScale: Scale { Scale(of: days.flatMap(\.hours).compactMap { $0 }) }
  /// The scale of the runs of days.
  package var dayScale: Scale {
    let whole = days.filter(\.isWhole)
    return Scale(of: (whole.isEmpty ? days : whole).map(\.runs))
  }

  /// The scale of a picture: from the least number above zero to the greatest.
  package struct Scale: Sendable {
    /// The least number above zero.
    package let least: Double
    /// The greatest number.
    package let most: Double

    /// Creates the scale of some numbers.
    package init(of numbers: [Double]) {
      most = numbers.max() ?? 0
      least = numbers.filter { $0 > 0 }.min() ?? most
    }

    /// Returns the level of a number: 0 for none, and from 1 on by the root, so that small numbers are told apart.
    package func level(of number: Double, of count: Int) -> Int {
      guard number > 0, most > 0 else { return 0 }
      if most - least < 1e-9 { return count / 2 }
      let part = min(max(0, (number - least) / (most - least)), 1).squareRoot()
      return 1 + Int((part * Double(count - 2)).rounded())
    }
  }
}
