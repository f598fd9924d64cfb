/// A zone's offsets: the changes that its file lists, and the rule that holds after the last of them.
///
/// It is a class so that a copy of a ``Zone`` is one reference; nothing in it ever changes.
final class ZoneTable: Hashable, Sendable {
  /// When the offset changes, in seconds since 1970, strictly ascending.
  let transitions: [Int64]
  /// The offset from each transition on, in seconds.
  let offsets: [Int64]
  /// The offset before the first transition.
  let initialOffset: Int64
  /// What holds after the last transition; nil where the last offset stays for ever.
  let rule: PosixZoneRule?

  init(transitions: [Int64], offsets: [Int64], initialOffset: Int64, rule: PosixZoneRule?) {
    self.transitions = transitions
    self.offsets = offsets
    self.initialOffset = initialOffset
    self.rule = rule
  }

  /// The zone without any transition, at an offset of zero.
  static let utc = ZoneTable(transitions: [], offsets: [], initialOffset: 0, rule: nil)

  /// The stretch of constant offset around a second.
  func span(at second: Int64) -> ZoneSpan {
    let index = indexOfFirstTransition(after: second)
    guard index == transitions.count else {
      let offset = index == 0 ? initialOffset : offsets[index - 1]
      return ZoneSpan(
        start: index == 0 ? -ZoneSpan.edge : transitions[index - 1], end: transitions[index], offset: offset,
        previousOffset: index > 1 ? offsets[index - 2] : index == 1 ? initialOffset : offset)
    }
    let lastOffset = offsets.last ?? initialOffset
    let start = transitions.last ?? -ZoneSpan.edge
    let before = offsets.count > 1 ? offsets[offsets.count - 2] : transitions.isEmpty ? lastOffset : initialOffset
    guard let rule else {
      return ZoneSpan(start: start, end: ZoneSpan.edge, offset: lastOffset, previousOffset: before)
    }
    var span = rule.span(at: second)
    if span.start <= start {
      span.start = start
      span.previousOffset = before
    }
    return span
  }

  private func indexOfFirstTransition(after second: Int64) -> Int {
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= second { low = middle + 1 } else { high = middle }
    }
    return low
  }

  static func == (left: ZoneTable, right: ZoneTable) -> Bool {
    left === right
      || (left.transitions == right.transitions && left.offsets == right.offsets
        && left.initialOffset == right.initialOffset && left.rule == right.rule)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(transitions.count)
    hasher.combine(transitions.last)
    hasher.combine(initialOffset)
    hasher.combine(rule)
  }
}
