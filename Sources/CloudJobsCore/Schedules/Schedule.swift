/// When a job is due: a cron expression, an interval, one point in time, or Cloud Scheduler's English.
///
/// A schedule is a value without a clock: it answers what comes after and before a given time. All times that it
/// yields lie in the years 1 to 9999.
public struct Schedule: Hashable, Sendable {
  /// What was parsed, without blanks at its ends; ``init(parsing:in:anchor:)`` reads it back.
  public let text: String
  let form: Form

  enum Form: Hashable, Sendable {
    case calendar(ZonedRule)
    case interval(IntervalGrid)
    case once(Timestamp)
  }

  init(text: String, form: Form) {
    self.text = text
    self.form = form
  }

  /// The longest text of a schedule, in bytes.
  public static let maximumLength = 256

  /// The first time strictly after one at which the job is due.
  ///
  /// - Returns: nil where it is never due again: a one-shot has passed, or the year 10000 comes before.
  public func next(after time: Timestamp) -> Timestamp? {
    switch form {
    case .calendar(let zoned):
      return zoned.next(after: time)
    case .interval(let grid):
      return grid.next(after: time)
    case .once(let due):
      return due > time ? due : nil
    }
  }

  /// The last time strictly before one at which the job was due.
  ///
  /// - Returns: nil where it was never due before: a one-shot is still to come, or the year 1 is reached.
  public func previous(before time: Timestamp) -> Timestamp? {
    switch form {
    case .calendar(let zoned):
      return zoned.previous(before: time)
    case .interval(let grid):
      return grid.previous(before: time)
    case .once(let due):
      return due < time ? due : nil
    }
  }

  /// The schedule in plain English: `every 5 minutes`, `at 09:00 on Monday to Friday, Europe/Berlin`.
  public var summary: String {
    switch form {
    case .calendar(let zoned): ScheduleSummary.text(of: zoned.rule, in: zoned.zone)
    case .interval(let grid): "every \(ScheduleSummary.singular(IntervalText.words(microseconds: grid.step)))"
    case .once(let due): "once, at \(due)"
    }
  }

  /// The zone whose clock the schedule speaks of; nil where it speaks of none, as an interval does not.
  public var zone: Zone? {
    if case .calendar(let zoned) = form { zoned.zone } else { nil }
  }

  /// What a person should know about a run that a change of the clock concerns.
  ///
  /// Such a run makes up for a time that is skipped, or takes place in an hour that comes twice.
  ///
  /// - Parameter time: the time of a run.
  /// - Returns: a sentence, or nil where there is nothing to say or no run is due at that time.
  public func note(at time: Timestamp) -> String? {
    if case .calendar(let zoned) = form { zoned.note(at: time) } else { nil }
  }
}

extension Schedule: CustomStringConvertible {
  /// The text that was parsed.
  public var description: String { text }
}
