/// Times of day at a fixed distance from a first one to a last one, perhaps across midnight.
struct ClockSteps: Hashable, Sendable {
  /// The second of the day at which the steps begin.
  let start: Int
  /// The second of the day after which they end; before ``start`` where the steps cross midnight.
  let end: Int
  /// The distance in seconds, at least 1.
  let step: Int
  /// How many steps of a day lie before midnight, the first one among them.
  private let countBeforeMidnight: Int
  /// How many lie after it.
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

  /// The first second after midnight that a step reaches; only where some do.
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
}
