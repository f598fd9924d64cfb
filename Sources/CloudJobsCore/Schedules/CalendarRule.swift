/// A schedule by the clock and calendar of a time zone.
///
/// Clock changes are handled as in Debian's cron (<https://manpages.debian.org/bookworm/cron/cron.8.en.html>): a
/// fixed-time job whose time is skipped runs once at the first instant after the gap, and one whose time repeats runs
/// only the first time. A wildcard job follows local time. A change of three hours or more counts as setting the clock
/// and is not compensated.
struct CalendarRule: Hashable, Sendable {
  /// The times of each day.
  var times: TimeOfDayRule
  /// The days on which the schedule fires.
  var days: DayRule
  /// Whether the rule follows local time without compensating for clock changes.
  var isWildcard: Bool

  /// The size of a clock change, in seconds, from which it is not compensated.
  static let clockChange: Int64 = 3 * 3_600

  /// Returns the first run at or after a second since 1970, or nil if none is left before the year 10000.
  func next(atOrAfter second: Int64, in table: ZoneTable) -> Int64? {
    var span = table.span(at: second)
    var position = second
    var known: (from: Int64, match: Int64)?
    while true {
      var local = position + span.offset
      let unshifted = span.start + span.previousOffset
      if makesUp(for: span), span.shift < 0 || position == span.start {
        // In a gap this goes back to the skipped times; after a repetition it goes forward to the new times.
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

  /// Returns the last run at or before a second since 1970, or nil if there was none since the year 1.
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

  /// Returns the number of runs from a second since 1970 on and before another one.
  func count(from start: Int64, before end: Int64, in table: ZoneTable) -> Int {
    var (count, position) = (0, start)
    while position < end {
      let span = table.span(at: position)
      let last = min(end, span.end)
      if makesUp(for: span), span.shift < 0 {
        // Times that the clock shows again are left out.
        position = max(position, span.start - span.shift)
      } else if makesUp(for: span), position == span.start {
        // The first second stands for its own time and for all that were skipped.
        if next(atOrAfter: position, in: table) == position { count += 1 }
        position += 1
      }
      count += self.count(fromLocal: position + span.offset, before: last + span.offset)
      position = last
    }
    return count
  }

  /// Returns the number of local seconds that match the rule, from one on and before another one.
  private func count(fromLocal start: Int64, before end: Int64) -> Int {
    guard start < end else { return 0 }
    let (first, last) = (start.flooringDivision(by: 86_400), end.flooringDivision(by: 86_400))
    let wholeDay = times.count(before: 86_400)
    var count = 0
    var day = days.next(from: Int(first.quotient))
    while let found = day, found <= Int(last.quotient) {
      count += found == Int(last.quotient) ? times.count(before: Int(last.remainder)) : wholeDay
      if found == Int(first.quotient) { count -= times.count(before: Int(first.remainder)) }
      day = days.next(from: found + 1)
    }
    return count
  }

  /// Returns whether the change at a span's start is compensated.
  func makesUp(for span: ZoneSpan) -> Bool {
    !isWildcard && span.shift != 0 && abs(span.shift) < Self.clockChange
  }

  /// Returns whether a time of the rule is skipped just before a span, so that the span's first second compensates for
  /// it.
  func makesUpForTime(skippedBefore span: ZoneSpan) -> Bool {
    guard makesUp(for: span), let found = match(from: span.start + span.previousOffset) else { return false }
    return found < span.start + span.offset
  }

  /// Returns the first local second at or after a given one that matches the rule.
  private func match(from local: Int64) -> Int64? {
    let (day, second) = local.flooringDivision(by: 86_400)
    if let time = times.next(from: Int(second)) {
      guard let found = days.next(from: Int(day)) else { return nil }
      return Int64(found * 86_400 + (found == Int(day) ? time : times.first))
    }
    return days.next(from: Int(day) + 1).map { Int64($0 * 86_400 + times.first) }
  }

  /// Returns the last local second at or before a given one that matches the rule.
  private func match(through local: Int64) -> Int64? {
    let (day, second) = local.flooringDivision(by: 86_400)
    if let time = times.previous(through: Int(second)) {
      guard let found = days.previous(through: Int(day)) else { return nil }
      return Int64(found * 86_400 + (found == Int(day) ? time : times.last))
    }
    return days.previous(through: Int(day) - 1).map { Int64($0 * 86_400 + times.last) }
  }
}

/// The seconds of a local day at which a calendar schedule fires.
enum TimeOfDayRule: Hashable, Sendable {
  /// The fields of a cron expression, as bit sets.
  case fields(ClockFields)
  /// Steps from one time to another, as in the English form.
  case steps(ClockSteps)

  /// The first second of the day that matches.
  var first: Int {
    switch self {
    case .fields(let fields): fields.first
    case .steps(let steps): steps.first
    }
  }

  /// The last second of the day that matches.
  var last: Int {
    switch self {
    case .fields(let fields): fields.last
    case .steps(let steps): steps.last
    }
  }

  /// Returns the first matching second at or after a given one on the same day.
  func next(from second: Int) -> Int? {
    switch self {
    case .fields(let fields): fields.next(from: second)
    case .steps(let steps): steps.next(from: second)
    }
  }

  /// Returns the last matching second at or before a given one on the same day.
  func previous(through second: Int) -> Int? {
    switch self {
    case .fields(let fields): fields.previous(through: second)
    case .steps(let steps): steps.previous(through: second)
    }
  }

  /// Returns the number of matching seconds before a given one on the same day, which is at most 86,400.
  func count(before second: Int) -> Int {
    switch self {
    case .fields(let fields): fields.count(before: second)
    case .steps(let steps): steps.count(before: second)
    }
  }
}

/// Times of day at a fixed interval from a first to a last time, possibly across midnight.
struct ClockSteps: Hashable, Sendable {
  /// The second of the day at which the steps start.
  let start: Int
  /// The second of the day after which they end; before ``start`` if the steps cross midnight.
  let end: Int
  /// The interval in seconds, at least 1.
  let step: Int
  /// The number of steps of a day before midnight, including the first.
  private let countBeforeMidnight: Int
  /// The number of steps after midnight.
  private let countAfterMidnight: Int

  init(start: Int, end: Int, step: Int) {
    self.start = start
    self.end = end
    self.step = step
    let length = end >= start ? end - start : end + 86_400 - start
    let count = length / step + 1
    countBeforeMidnight = min(count, (86_399 - start) / step + 1)
    countAfterMidnight = count - countBeforeMidnight
  }

  /// The second of the first step after midnight; valid only if there is one.
  private var startAfterMidnight: Int { start + countBeforeMidnight * step - 86_400 }

  var first: Int { countAfterMidnight > 0 ? startAfterMidnight : start }

  var last: Int { start + (countBeforeMidnight - 1) * step }

  func next(from second: Int) -> Int? {
    if countAfterMidnight > 0 {
      let index = max(0, (second - startAfterMidnight + step - 1) / step)
      if second <= startAfterMidnight { return startAfterMidnight }
      if index < countAfterMidnight { return startAfterMidnight + index * step }
    }
    if second <= start { return start }
    let index = (second - start + step - 1) / step
    return index < countBeforeMidnight ? start + index * step : nil
  }

  func previous(through second: Int) -> Int? {
    if second >= start {
      return start + min((second - start) / step, countBeforeMidnight - 1) * step
    }
    guard countAfterMidnight > 0, second >= startAfterMidnight else { return nil }
    return startAfterMidnight + min((second - startAfterMidnight) / step, countAfterMidnight - 1) * step
  }

  func count(before second: Int) -> Int {
    func steps(from first: Int, _ count: Int) -> Int {
      second <= first ? 0 : min((second - first + step - 1) / step, count)
    }
    let afterMidnight = countAfterMidnight > 0 ? steps(from: startAfterMidnight, countAfterMidnight) : 0
    return afterMidnight + steps(from: start, countBeforeMidnight)
  }
}

/// Hours, minutes and seconds as bit sets, none of which is empty.
struct ClockFields: Hashable, Sendable {
  var hours: UInt64
  var minutes: UInt64
  var seconds: UInt64

  var first: Int {
    hours.trailingZeroBitCount * 3_600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount
  }

  var last: Int {
    (63 - hours.leadingZeroBitCount) * 3_600 + (63 - minutes.leadingZeroBitCount) * 60
      + (63 - seconds.leadingZeroBitCount)
  }

  func next(from second: Int) -> Int? {
    let (hour, rest) = second.quotientAndRemainder(dividingBy: 3_600)
    if hours.contains(hour) {
      let (minute, second) = rest.quotientAndRemainder(dividingBy: 60)
      if minutes.contains(minute), let found = seconds.firstBit(from: second) {
        return hour * 3_600 + minute * 60 + found
      }
      if let found = minutes.firstBit(from: minute + 1) {
        return hour * 3_600 + found * 60 + seconds.trailingZeroBitCount
      }
    }
    guard let found = hours.firstBit(from: hour + 1) else { return nil }
    return found * 3_600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount
  }

  func previous(through second: Int) -> Int? {
    let (hour, rest) = second.quotientAndRemainder(dividingBy: 3_600)
    if hours.contains(hour) {
      let (minute, second) = rest.quotientAndRemainder(dividingBy: 60)
      if minutes.contains(minute), let found = seconds.lastBit(through: second) {
        return hour * 3_600 + minute * 60 + found
      }
      if let found = minutes.lastBit(through: minute - 1) {
        return hour * 3_600 + found * 60 + 63 - seconds.leadingZeroBitCount
      }
    }
    guard let found = hours.lastBit(through: hour - 1) else { return nil }
    return found * 3_600 + (63 - minutes.leadingZeroBitCount) * 60 + 63 - seconds.leadingZeroBitCount
  }

  func count(before second: Int) -> Int {
    let (hour, rest) = second.quotientAndRemainder(dividingBy: 3_600)
    let (minute, second) = rest.quotientAndRemainder(dividingBy: 60)
    let inMinute = minutes.contains(minute) ? seconds.count(below: second) : 0
    let inHour = hours.contains(hour) ? minutes.count(below: minute) * seconds.nonzeroBitCount + inMinute : 0
    return hours.count(below: hour) * minutes.nonzeroBitCount * seconds.nonzeroBitCount + inHour
  }
}
