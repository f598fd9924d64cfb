import CloudJobsCore

/// The calendar and the heat map as text.
extension ForecastCalendar {
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

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }
}
