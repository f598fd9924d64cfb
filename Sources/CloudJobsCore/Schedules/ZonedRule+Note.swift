extension ZonedRule {
  /// What a person should know about a run that a change of the clock concerns.
  func note(at time: Timestamp) -> String? {
    guard next(after: time - .microseconds(1)) == time else { return nil }
    let second = time.seconds
    let table = zone.table
    let span = table.span(at: second)
    let local = second + span.offset
    let unshifted = span.start + span.previousOffset
    if span.start == second, span.shift > 0, rule.makesUpForTime(skippedBefore: span) {
      return "Clocks in \(zone.name) go forward by \(Self.words(span.shift)) at this moment, and this run makes up for "
        + "the time that is skipped."
    }
    if span.shift < 0, local < unshifted {
      return "Clocks in \(zone.name) have gone back by \(Self.words(-span.shift)), and this is the second time that "
        + "they show this hour."
    }
    guard span.end <= Timestamp.distantFuture.seconds else { return nil }
    let following = table.span(at: span.end)
    guard following.shift < 0, local >= following.start + following.offset else { return nil }
    return "Clocks in \(zone.name) soon go back by \(Self.words(-following.shift)) and show this hour again; the job "
      + (rule.makesUp(for: following) ? "runs the first time only." : "runs both times.")
  }

  private static func words(_ seconds: Int64) -> String {
    IntervalText.words(microseconds: seconds * 1_000_000)
  }
}
