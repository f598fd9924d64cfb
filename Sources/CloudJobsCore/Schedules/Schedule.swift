/// When a job is due: a cron expression, an interval, one point in time, or Cloud Scheduler's English.
///
/// A schedule is a value without a clock: it answers what comes after and before a given time. All times that it
/// yields lie in the years 1 to 9999.
public struct Schedule: Hashable, Sendable {
  /// What was parsed, without blanks at its ends; ``init(parsing:in:anchor:)`` reads it back.
  public let text: String
  let form: Form

  enum Form: Hashable, Sendable {
    case calendar(CalendarRule, Zone)
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
    case .calendar(let rule, let zone):
      guard let second = rule.next(atOrAfter: time.seconds + 1, in: zone.table),
        second <= Timestamp.distantFuture.seconds
      else { return nil }
      return Timestamp(seconds: second)
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
    case .calendar(let rule, let zone):
      let second = time.fraction > 0 ? time.seconds : time.seconds - 1
      guard let second = rule.previous(atOrBefore: second, in: zone.table), second >= Timestamp.distantPast.seconds
      else { return nil }
      return Timestamp(seconds: second)
    case .interval(let grid):
      return grid.previous(before: time)
    case .once(let due):
      return due < time ? due : nil
    }
  }

  /// The schedule in plain English: `every 5 minutes`, `at 09:00 on Monday to Friday, Europe/Berlin`.
  public var summary: String {
    switch form {
    case .calendar(let rule, let zone): ScheduleSummary.text(of: rule, in: zone)
    case .interval(let grid): "every \(ScheduleSummary.singular(IntervalText.words(microseconds: grid.step)))"
    case .once(let due): "once, at \(due)"
    }
  }
}

extension Schedule: CustomStringConvertible {
  /// The text that was parsed.
  public var description: String { text }
}
