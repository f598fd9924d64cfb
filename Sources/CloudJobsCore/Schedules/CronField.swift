/// A field of a cron expression.
enum CronField: String, Hashable, Sendable, CaseIterable {
  case second
  case minute
  case hour
  case dayOfMonth = "day-of-month"
  case month
  case dayOfWeek = "day-of-week"

  /// The field's name in messages.
  var name: String { rawValue }

  /// The numbers that the field takes; in the last one 0 and 7 are both Sunday.
  var range: ClosedRange<Int> {
    switch self {
    case .second, .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// Three-letter names, beginning at the range's lower bound.
  var names: [String] {
    switch self {
    case .month: CalendarWords.months.map { String($0.prefix(3)) }
    case .dayOfWeek: CalendarWords.weekdays.map { String($0.prefix(3)) }
    default: []
    }
  }

  /// What the field takes, in words.
  var expectation: String {
    switch self {
    case .month: "1 to 12 or JAN to DEC"
    case .dayOfWeek: "0 to 7 (0 and 7 are Sunday) or SUN to SAT"
    default: "\(range.lowerBound) to \(range.upperBound)"
    }
  }
}
