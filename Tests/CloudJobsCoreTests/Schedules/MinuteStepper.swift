import CloudJobsCore

/// Debian's rule applied to one second after the other: slow, and without any code of the schedules.
struct MinuteStepper {
  private let changes: [(second: Int, before: Int, after: Int)]
  private let firstOffset: Int

  /// Prepares a zone's offsets over a stretch of time.
  init(_ zone: Zone, from start: Int, to end: Int) {
    var changes: [(Int, Int, Int)] = []
    var time = Timestamp(seconds: Int64(start - 86_400))
    firstOffset = Int(zone.offset(at: time))
    while let change = zone.transition(after: time), change.time.seconds <= end + 86_400 {
      changes.append((Int(change.time.seconds), Int(change.offsetBefore), Int(change.offsetAfter)))
      time = change.time
    }
    self.changes = changes
  }

  /// All due seconds in a stretch, which must begin at a full step of local time.
  func due(_ expression: RandomExpression, from start: Int, to end: Int, step: Int) -> [Int] {
    var due: [Int] = []
    var offset = changes.last { $0.second <= start }?.after ?? firstOffset
    var following = changes.firstIndex { $0.second > start } ?? changes.count
    var repeatsUntil = Int.min
    var day = Int.min
    var dayFits = false
    if let last = changes.last(where: { $0.second <= start }), last.before - last.after < 3 * 3_600 {
      repeatsUntil = last.second + last.before
    }
    for second in stride(from: start, to: end, by: step) {
      if following < changes.count, second >= changes[following].second {
        let change = changes[following]
        following += 1
        offset = change.after
        let shift = change.after - change.before
        repeatsUntil = shift > -3 * 3_600 ? second + change.before : Int.min
        if shift > 0, shift < 3 * 3_600, !expression.isWildcard,
          hasMatch(expression, from: second + change.before, to: second + change.after, step: step)
        {
          due.append(second)
          continue
        }
      }
      let local = second + offset
      if local < repeatsUntil, !expression.isWildcard { continue }
      let rest = local % 86_400
      if local / 86_400 != day {
        day = local / 86_400
        dayFits = expression.fits(PlainDate(daysSince1970: day))
      }
      guard dayFits, expression.minutes[rest / 60 % 60], expression.hours[rest / 3_600] else { continue }
      if expression.seconds[rest % 60] { due.append(second) }
    }
    return due
  }

  private func hasMatch(_ expression: RandomExpression, from start: Int, to end: Int, step: Int) -> Bool {
    stride(from: start, to: end, by: step).contains { local in
      expression.seconds[local % 60] && expression.minutes[local / 60 % 60] && expression.hours[local / 3_600 % 24]
        && expression.fits(PlainDate(daysSince1970: local / 86_400))
    }
  }
}
