/// The seconds of a local day at which a calendar schedule fires.
enum TimeOfDayRule: Hashable, Sendable {
  /// Cron's fields, as sets of bits.
  case fields(ClockFields)
  /// Steps from one time to another, as the English form has them.
  case steps(ClockSteps)

  /// The first second of the day that fires.
  var first: Int {
    switch self {
    case .fields(let fields): fields.first
    case .steps(let steps): steps.first
    }
  }

  /// The last second of the day that fires.
  var last: Int {
    switch self {
    case .fields(let fields): fields.last
    case .steps(let steps): steps.last
    }
  }

  /// The first second at or after one that fires, on the same day.
  func next(from second: Int) -> Int? {
    switch self {
    case .fields(let fields): fields.next(from: second)
    case .steps(let steps): steps.next(from: second)
    }
  }

  /// The last second at or before one that fires, on the same day.
  func previous(through second: Int) -> Int? {
    switch self {
    case .fields(let fields): fields.previous(through: second)
    case .steps(let steps): steps.previous(through: second)
    }
  }
}
