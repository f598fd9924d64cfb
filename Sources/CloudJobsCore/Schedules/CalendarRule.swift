/// A schedule by the clock and the calendar of a zone.
///
/// Over changes of the clock it follows Debian's cron (<https://manpages.debian.org/bookworm/cron/cron.8.en.html>): a
/// fixed-time job whose time is skipped runs once at the first instant after the gap, and one whose time repeats runs
/// in the first pass only; a wildcard job follows the clock on the wall. A change of three hours or more counts as
/// setting the clock, and nothing makes up for it.
struct CalendarRule: Hashable, Sendable {
  /// The times of each day.
  var times: TimeOfDayRule
  /// The days.
  var days: DayRule
  /// Whether the rule follows the clock on the wall without making up for its changes.
  var isWildcard: Bool

  /// Changes of the clock from here on are not made up for, in seconds.
  static let clockChange: Int64 = 3 * 3_600

  /// The first run at or after a second since 1970, or nil where none is left before the year 10000.
  func next(atOrAfter second: Int64, in table: ZoneTable) -> Int64? {
    var span = table.span(at: second)
    var position = second
    var known: (from: Int64, match: Int64)?
    while true {
      var local = position + span.offset
      let unshifted = span.start + span.previousOffset
      if makesUp(for: span), span.shift < 0 || position == span.start {
        // In a gap this reaches back to the times that were skipped, after a repetition on to those that are new.
        local = span.shift > 0 ? unshifted : max(local, unshifted)
      }
      if let found = known, found.from <= local, local <= found.match {
        known?.from = local
      } else {
        known = match(from: local).map { (local, $0) }
      }
      guard let found = known?.match else { return nil }
      let run = max(found - span.offset, position)
      if run < span.end { return run }
      guard span.end <= Timestamp.distantFuture.seconds else { return nil }
      position = span.end
      span = table.span(at: span.end)
    }
  }

  /// The last run at or before a second since 1970, or nil where there was none since the year 1.
  func previous(atOrBefore second: Int64, in table: ZoneTable) -> Int64? {
    var span = table.span(at: second)
    var position = second
    var known: (match: Int64, through: Int64)?
    while true {
      let local = position + span.offset
      if let found = known, found.match <= local, local <= found.through {
        known?.through = local
      } else {
        known = match(through: local).map { ($0, local) }
      }
      guard let found = known?.match else { return nil }
      let earliest = span.start + (makesUp(for: span) ? span.previousOffset : span.offset)
      if found >= earliest { return max(found - span.offset, span.start) }
      guard span.start >= Timestamp.distantPast.seconds else { return nil }
      position = span.start - 1
      span = table.span(at: position)
    }
  }

  /// Whether the change at a span's start is made up for.
  func makesUp(for span: ZoneSpan) -> Bool {
    !isWildcard && span.shift != 0 && abs(span.shift) < Self.clockChange
  }

  /// Whether the clock skips a time of the rule just before a span, and the span's first second makes up for it.
  func makesUpForTime(skippedBefore span: ZoneSpan) -> Bool {
    guard makesUp(for: span), let found = match(from: span.start + span.previousOffset) else { return false }
    return found < span.start + span.offset
  }

  /// The first local second at or after one that fits the rule.
  private func match(from local: Int64) -> Int64? {
    let (day, second) = local.flooringDivision(by: 86_400)
    if let time = times.next(from: Int(second)) {
      guard let found = days.next(from: Int(day)) else { return nil }
      return Int64(found * 86_400 + (found == Int(day) ? time : times.first))
    }
    return days.next(from: Int(day) + 1).map { Int64($0 * 86_400 + times.first) }
  }

  /// The last local second at or before one that fits the rule.
  private func match(through local: Int64) -> Int64? {
    let (day, second) = local.flooringDivision(by: 86_400)
    if let time = times.previous(through: Int(second)) {
      guard let found = days.previous(through: Int(day)) else { return nil }
      return Int64(found * 86_400 + (found == Int(day) ? time : times.last))
    }
    return days.previous(through: Int(day) - 1).map { Int64($0 * 86_400 + times.last) }
  }
}
