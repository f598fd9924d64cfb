extension SortedSet {
  /// A place between elements: before the one that it names.
  struct Position: Hashable, Comparable, Sendable {
    var chunk: Int
    var offset: Int

    static func < (left: Position, right: Position) -> Bool {
      (left.chunk, left.offset) < (right.chunk, right.offset)
    }
  }

  /// The place before all elements.
  var start: Position { Position(chunk: 0, offset: 0) }
  /// The place after all elements.
  var end: Position { Position(chunk: chunks.count, offset: 0) }

  /// The place before the first element for which a condition holds; it must hold for all elements after that one.
  func position(where condition: (Element) -> Bool) -> Position {
    var low = 0
    var high = chunks.count
    while low < high {
      let middle = (low + high) / 2
      if let last = chunks[middle].last, !condition(last) { low = middle + 1 } else { high = middle }
    }
    guard low < chunks.count else { return end }
    let chunk = low
    low = 0
    high = chunks[chunk].count
    while low < high {
      let middle = (low + high) / 2
      if condition(chunks[chunk][middle]) { high = middle } else { low = middle + 1 }
    }
    return Position(chunk: chunk, offset: low)
  }

  /// The first element for which a condition holds that holds for all elements after it too.
  func first(where condition: (Element) -> Bool) -> Element? {
    let place = position(where: condition)
    return place.chunk < chunks.count ? chunks[place.chunk][place.offset] : nil
  }

  /// How many elements lie between two places.
  func distance(from lower: Position, to upper: Position) -> Int {
    guard lower < upper else { return 0 }
    if lower.chunk == upper.chunk { return upper.offset - lower.offset }
    let between = chunks[(lower.chunk + 1)..<upper.chunk].reduce(0) { $0 + $1.count }
    return chunks[lower.chunk].count - lower.offset + between + upper.offset
  }

  /// Visits the elements between two places, in order or in reverse, for as long as the visitor wants more.
  func visit(
    from lower: Position, to upper: Position, isReversed: Bool, _ wantsMore: (Element) -> Bool
  ) {
    guard lower < upper else { return }
    var chunk = isReversed ? min(upper.chunk, chunks.count - 1) : lower.chunk
    while chunk >= lower.chunk, chunk <= upper.chunk, chunk < chunks.count {
      let first = chunk == lower.chunk ? lower.offset : 0
      let last = chunk == upper.chunk ? upper.offset : chunks[chunk].count
      for step in 0..<max(last - first, 0) {
        guard wantsMore(chunks[chunk][isReversed ? last - 1 - step : first + step]) else { return }
      }
      chunk += isReversed ? -1 : 1
    }
  }
}
