#if Server
import CloudJobsCore
import CloudJobsPages

/// Runs by day and hour as a table whose cells have colours, drawn by the template `heat`.
struct HeatTable: Sendable {
  /// A day.
  struct Day: Sendable {
    /// The day of the week and the date.
    var dayLabel: String
    /// The path of the day; nil for none.
    var dayHref: String?
    /// Whether it is a Saturday or Sunday.
    var isWeekend: Bool
    /// The hours.
    var cells: [Cell]
    /// The runs of the day.
    var dayTotal: String
  }

  /// An hour.
  struct Cell: Sendable {
    /// The class of its colour.
    var level: String
    /// The runs; empty for none.
    var cellText: String
  }

  /// A level of the legend.
  struct Level: Sendable {
    /// The class of its colour.
    var levelClass: String
  }

  /// The number of levels, that of no runs included.
  static let levelCount = 7

  var heatCaption: String
  var days: [Day]
  var hours: [String]
  var levels: [Level]
  var least: String
  var most: String
  var hasAny: Bool

  /// Arranges a calendar: pure.
  ///
  /// - Parameters:
  ///   - calendar: the runs by day and hour.
  ///   - caption: what the table shows.
  ///   - limit: the maximum number of days.
  ///   - href: returns the path of a day; nil for none.
  init(
    _ calendar: ForecastCalendar, _ caption: String, limit: Int = 62, href: (CivilDate) -> String? = { _ in nil }
  ) {
    heatCaption = caption
    let scale = calendar.hourScale
    days = calendar.days.prefix(limit).map { day in
      let column = ForecastCalendar.column(day.date)
      return Day(
        dayLabel: "\(ForecastCalendar.weekdays[column]) \(day.date)", dayHref: href(day.date), isWeekend: column > 4,
        cells: day.hours.map { runs in
          guard let runs else { return Cell(level: "none", cellText: "") }
          return Cell(
            level: "h\(scale.level(of: runs, of: Self.levelCount))", cellText: runs > 0 ? Figure.short(runs) : "")
        }, dayTotal: Figure.short(day.runs))
    }
    hours = (0..<24).map { "\($0)" }
    levels = (1..<Self.levelCount).map { Level(levelClass: "h\($0)") }
    (least, most) = (Figure.short(scale.least), Figure.short(scale.most))
    hasAny = scale.most > 0
  }
}
#endif
