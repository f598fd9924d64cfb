import CloudJobsCore

/// The calendar and the heat map of a forecast as SVG: pure.
struct ForecastDrawing {
  private static let width = 780
  private static let margin = 24
  private static let ink = "#1f2933"
  private static let faint = "#6b7785"
  /// The colours of levels, for none first.
  private static let colours = ["#eef1f4", "#d3e5f5", "#a6cdec", "#6fb0e0", "#3a8bcb", "#1f66a8", "#123f73"]

  private var body: [String] = []
  private var y = margin

  /// Returns the drawing as the text of an SVG document.
  ///
  /// - Parameters:
  ///   - calendar: the days and hours.
  ///   - title: the title.
  ///   - subtitle: the line below it.
  /// - Returns: the text.
  static func svg(_ calendar: ForecastCalendar, title: String, subtitle: String) -> String {
    var drawing = ForecastDrawing()
    drawing.addTitle(title, subtitle)
    drawing.add(calendar)
    drawing.addHeatMap(calendar)
    let height = drawing.y + margin
    let head =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
      + "viewBox=\"0 0 \(width) \(height)\" font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">"
    let background = "<rect width=\"\(width)\" height=\"\(height)\" fill=\"#ffffff\"/>"
    return
      (["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", head, "<title>\(escaped(title))</title>", background]
      + drawing.body + ["</svg>", ""]).joined(separator: "\n")
  }

  private mutating func addTitle(_ title: String, _ subtitle: String) {
    text(title, Self.margin, y + 14, size: 20, weight: "bold")
    text(subtitle, Self.margin, y + 36, size: 12, colour: Self.faint)
    y += 60
  }

  // MARK: The calendar

  private static let cell = (width: 50, height: 36)

  /// Adds the calendar: months side by side, two in a row.
  private mutating func add(_ calendar: ForecastCalendar) {
    let scale = calendar.dayScale
    text("Runs a day", Self.margin, y + 12, size: 14, weight: "bold")
    y += 26
    let months = calendar.months
    for row in stride(from: 0, to: months.count, by: 2) {
      let pair = months[row..<min(row + 2, months.count)]
      for (place, month) in pair.enumerated() {
        add(month, x: Self.margin + place * (7 * Self.cell.width + 32), scale)
      }
      y += 40 + (pair.map(\.weeks.count).max() ?? 0) * Self.cell.height + 16
    }
  }

  private mutating func add(
    _ month: (name: String, weeks: [[ForecastCalendar.Day]]), x: Int, _ scale: ForecastCalendar.Scale
  ) {
    text(month.name, x, y + 12, size: 12, weight: "bold")
    for (column, name) in ForecastCalendar.weekdays.enumerated() {
      text(name, x + column * Self.cell.width + 4, y + 31, size: 10, colour: Self.faint)
    }
    for (row, week) in month.weeks.enumerated() {
      for day in week {
        let left = x + ForecastCalendar.column(day.date) * Self.cell.width
        let top = y + 38 + row * Self.cell.height
        let level = scale.level(of: day.runs, of: Self.colours.count)
        rect(left, top, Self.cell.width - 2, Self.cell.height - 2, level, "\(day.date): \(Figure.count(day.runs)) runs")
        let ink = level > 3 ? "#ffffff" : Self.ink
        text("\(day.date.day)", left + 4, top + 12, size: 9, colour: level > 3 ? "#dbe9f6" : Self.faint)
        text(Figure.short(day.runs), left + Self.cell.width - 7, top + 27, size: 12, colour: ink, anchor: "end")
      }
    }
  }

  // MARK: The heat map

  private static let hour = (width: 27, height: 15)
  private static let labels = 84

  /// Adds the heat map: a row for each day, a column for each hour.
  private mutating func addHeatMap(_ calendar: ForecastCalendar) {
    let scale = calendar.hourScale
    text("Runs an hour, \(calendar.zone.name)", Self.margin, y + 12, size: 14, weight: "bold")
    addLegend(scale)
    y += 40
    let left = Self.margin + Self.labels
    for hour in stride(from: 0, to: 24, by: 3) {
      text("\(hour):00", left + hour * Self.hour.width, y - 5, size: 10, colour: Self.faint)
    }
    for day in calendar.days {
      let isWeekend = ForecastCalendar.column(day.date) > 4
      text(
        "\(ForecastCalendar.weekdays[ForecastCalendar.column(day.date)]) \(day.date)", left - 8, y + 11, size: 10,
        colour: isWeekend ? Self.faint : Self.ink, anchor: "end")
      for (hour, runs) in day.hours.enumerated() {
        guard let runs else { continue }
        let level = scale.level(of: runs, of: Self.colours.count)
        rect(
          left + hour * Self.hour.width, y, Self.hour.width - 2, Self.hour.height - 2, level,
          "\(day.date) \(hour):00: \(Figure.count(runs)) runs")
      }
      y += Self.hour.height
    }
  }

  /// Adds the colours of the levels with the numbers that they stand for.
  private mutating func addLegend(_ scale: ForecastCalendar.Scale) {
    let (size, step) = (14, 16)
    let right = Self.margin + Self.labels + 24 * Self.hour.width - 2
    let (least, most) = (Figure.short(scale.least), Figure.short(scale.most))
    let levels = right - 8 * most.count - (Self.colours.count - 1) * step
    text(most, right, y + 12, size: 10, colour: Self.faint, anchor: "end")
    for level in 1..<Self.colours.count { rect(levels + (level - 1) * step, y + 1, size, size - 2, level, nil) }
    text(least, levels - 6, y + 12, size: 10, colour: Self.faint, anchor: "end")
    let none = levels - 6 - 8 * least.count - 28
    rect(none, y + 1, size, size - 2, 0, nil)
    text("none", none - 6, y + 12, size: 10, colour: Self.faint, anchor: "end")
  }

  // MARK: Elements

  private mutating func rect(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ level: Int, _ title: String?) {
    let shape =
      "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" rx=\"2\" "
      + "fill=\"\(Self.colours[level])\""
    body.append(title.map { "\(shape)><title>\(Self.escaped($0))</title></rect>" } ?? "\(shape)/>")
  }

  private mutating func text(
    _ text: String, _ x: Int, _ y: Int, size: Int, colour: String = Self.ink, weight: String = "normal",
    anchor: String = "start"
  ) {
    body.append(
      "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(size)\" font-weight=\"\(weight)\" fill=\"\(colour)\" "
        + "text-anchor=\"\(anchor)\">\(Self.escaped(text))</text>")
  }

  /// Returns text with the characters of markup escaped.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // XML has no form for other control characters.
      case _ where scalar.value < 0x20: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
