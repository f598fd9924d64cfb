/// Points in time at a fixed distance from an anchor, before it as well as after it.
struct IntervalGrid: Hashable, Sendable {
  /// The distance, in microseconds, positive.
  let step: Int64
  /// A point of the grid.
  let anchor: Timestamp

  /// The shortest distance: a millisecond.
  static let shortest: Duration = .milliseconds(1)
  /// The longest distance: the 400 years after which the calendar repeats itself.
  static let longest: Duration = .days(146_097)

  /// The first point after a time.
  func next(after time: Timestamp) -> Timestamp? {
    let steps = (time.microseconds - anchor.microseconds).flooringDivision(by: step).quotient + 1
    return point(steps)
  }

  /// The last point before a time.
  func previous(before time: Timestamp) -> Timestamp? {
    let steps = (time.microseconds - anchor.microseconds - 1).flooringDivision(by: step).quotient
    return point(steps)
  }

  private func point(_ steps: Int64) -> Timestamp? {
    let microseconds = anchor.microseconds + steps * step
    let time = Timestamp(microseconds: microseconds)
    return time.microseconds == microseconds ? time : nil
  }
}
