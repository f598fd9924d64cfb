/// A calendar rule with the zone whose clock it speaks of.
///
/// It is a class so that a copy of a ``Schedule`` is one reference; nothing in it ever changes.
final class ZonedRule: Hashable, Sendable {
  let rule: CalendarRule
  let zone: Zone

  init(_ rule: CalendarRule, in zone: Zone) {
    self.rule = rule
    self.zone = zone
  }

  /// The first run after a time.
  func next(after time: Timestamp) -> Timestamp? {
    guard let second = rule.next(atOrAfter: time.seconds + 1, in: zone.table),
      second <= Timestamp.distantFuture.seconds
    else { return nil }
    return Timestamp(seconds: second)
  }

  /// The last run before a time.
  func previous(before time: Timestamp) -> Timestamp? {
    let latest = time.fraction > 0 ? time.seconds : time.seconds - 1
    guard let second = rule.previous(atOrBefore: latest, in: zone.table), second >= Timestamp.distantPast.seconds
    else { return nil }
    return Timestamp(seconds: second)
  }

  static func == (left: ZonedRule, right: ZonedRule) -> Bool {
    left === right || (left.rule == right.rule && left.zone == right.zone)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(rule)
    hasher.combine(zone)
  }
}
