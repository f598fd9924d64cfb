import CloudJobsCore

/// The runs of a forecast by day and hour in a zone: pure.
struct ForecastCalendar {
  /// A day with the runs of its hours.
  struct Day {
    var date: CivilDate
    /// The runs of each hour; nil for hours that are not in the forecast, or that a clock change skips.
    var hours = [Double?](repeating: nil, count: 24)

    var runs: Double { hours.reduce(0) { $0 + ($1 ?? 0) } }
    /// Whether the forecast has all of the day, of which a clock change may skip an hour.
    var isWhole: Bool { hours.count { $0 == nil } < 2 }
  }

  let zone: Zone
  /// The days in their order.
  let days: [Day]

  /// Arranges the hours of a forecast.
  ///
  /// - Parameters:
  ///   - forecast: the forecast.
  ///   - zone: the zone of the days and hours.
  init(_ forecast: Forecast, in zone: Zone) {
    self.zone = zone
    var days: [Day] = []
    for (number, runs) in forecast.hours.enumerated() {
      let time = forecast.firstHour + .hours(number)
      let date = zone.date(at: time)
      if days.last?.date != date { days.append(Day(date: date)) }
      let hour = min(zone.secondOfDay(at: time) / 3_600, 23)
      days[days.count - 1].hours[hour] = (days[days.count - 1].hours[hour] ?? 0) + runs
    }
    self.days = days
  }

  static let weekdays = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]

  /// Returns the place of a day in its week, from Monday on.
  static func column(_ date: CivilDate) -> Int { (date.weekday + 6) % 7 }

  /// Returns the name of a month with its year.
  static func month(_ date: CivilDate) -> String { "\(months[date.month - 1]) \(date.year)" }

  /// The days by month, and in each month by week.
  var months: [(name: String, weeks: [[Day]])] {
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

  // MARK: Text

  /// Returns the calendar as text: the runs of each day.
  func lines() -> [String] {
    var lines: [String] = []
    for month in months {
      if !lines.isEmpty { lines.append("") }
      lines.append("\(month.name), runs a day")
      lines.append(Self.weekdays.map { Self.right($0, 10) }.joined())
      for week in month.weeks {
        var cells = Array(repeating: "", count: 7)
        for day in week {
          let runs = Self.right(Figure.short(day.runs), 5)
          cells[Self.column(day.date)] = "\(day.date.day): \(runs)"
        }
        lines.append(Self.trimmed(cells.map { Self.right($0, 10) }.joined()))
      }
    }
    return lines
  }

  /// The characters of a heat map, the most runs last.
  private static let shades = Array("·░▒▓█")

  /// Returns the hours as a heat map of characters.
  func heatMapLines() -> [String] {
    let scale = hourScale
    var lines = ["Runs an hour, \(zone.name)", "            0     6     12    18"]
    for day in days {
      let cells = day.hours.map { $0.map { Self.shades[scale.level(of: $0, of: Self.shades.count)] } ?? " " }
      lines.append("\(day.date)  \(String(cells))  \(Figure.short(day.runs))")
    }
    let shades = String(Self.shades.dropFirst())
    lines.append(
      "\(Self.shades[0]) none   \(Figure.short(scale.least)) \(shades) \(Figure.short(scale.most))")
    return lines
  }

  /// The scale of the runs of hours.
  var hourScale: Scale { Scale(of: days.flatMap(\.hours).compactMap { $0 }) }
  /// The scale of the runs of days.
  var dayScale: Scale {
    let whole = days.filter(\.isWhole)
    return Scale(of: (whole.isEmpty ? days : whole).map(\.runs))
  }

  /// The scale of a picture: from the least number above zero to the greatest.
  struct Scale {
    let least: Double
    let most: Double

    init(of numbers: [Double]) {
      most = numbers.max() ?? 0
      least = numbers.filter { $0 > 0 }.min() ?? most
    }

    /// Returns the level of a number: 0 for none, and from 1 on by the root, so that small numbers are told apart.
    func level(of number: Double, of count: Int) -> Int {
      guard number > 0, most > 0 else { return 0 }
      if most - least < 1e-9 { return count / 2 }
      let part = min(max(0, (number - least) / (most - least)), 1).squareRoot()
      return 1 + Int((part * Double(count - 2)).rounded())
    }
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }
}
