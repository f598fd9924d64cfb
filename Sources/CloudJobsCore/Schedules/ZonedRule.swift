/// A calendar rule with its time zone.
///
/// It is a class so that copying a ``Schedule`` copies one reference; it is immutable.
final class ZonedRule: Hashable, Sendable {
  let rule: CalendarRule
  let zone: Zone

  init(_ rule: CalendarRule, in zone: Zone) {
    self.rule = rule
    self.zone = zone
  }

  /// Returns the first run after a time.
  func next(after time: Timestamp) -> Timestamp? {
    guard let second = rule.next(atOrAfter: time.seconds + 1, in: zone.table),
      second <= Timestamp.distantFuture.seconds
    else { return nil }
    return Timestamp(seconds: second)
  }

  /// Returns the last run before a time.
  func previous(before time: Timestamp) -> Timestamp? {
    let latest = time.fraction > 0 ? time.seconds : time.seconds - 1
    guard let second = rule.previous(atOrBefore: latest, in: zone.table), second >= Timestamp.distantPast.seconds
    else { return nil }
    return Timestamp(seconds: second)
  }

  /// Returns the number of runs from a time on and before another one.
  func count(from start: Timestamp, before end: Timestamp) -> Int {
    func second(from time: Timestamp) -> Int64 { time.fraction > 0 ? time.seconds + 1 : time.seconds }
    return rule.count(from: second(from: start), before: second(from: end), in: zone.table)
  }

  static func == (left: ZonedRule, right: ZonedRule) -> Bool {
    left === right || (left.rule == right.rule && left.zone == right.zone)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(rule)
    hasher.combine(zone)
  }
}

extension ZonedRule {
  /// Returns a note for people about a run that is affected by a clock change.
  func note(at time: Timestamp) -> String? {
    guard next(after: time - .microseconds(1)) == time else { return nil }
    let second = time.seconds
    let table = zone.table
    let span = table.span(at: second)
    let local = second + span.offset
    let unshifted = span.start + span.previousOffset
    if span.start == second, span.shift > 0, rule.makesUpForTime(skippedBefore: span) {
      return "Clocks in \(zone.name) go forward by \(Self.words(span.shift)) at this time, and this run replaces "
        + "the skipped one."
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
