/// A sorted set stored in chunks of bounded size.
///
/// Look-up is O(log n); insertion and removal are O(log n) plus a move within one chunk.
struct SortedSet<Element: Comparable & Sendable>: Sendable {
  private static var chunkLimit: Int { 512 }
  private(set) var chunks: [[Element]] = []
  /// The number of elements.
  private(set) var count = 0

  /// Creates an empty set.
  init() {}

  /// Creates a set from sorted elements without duplicates.
  init(sorted elements: [Element]) {
    let size = Self.chunkLimit / 2
    chunks = stride(from: 0, to: elements.count, by: size).map { start in
      Array(elements[start..<min(start + size, elements.count)])
    }
    count = elements.count
  }

  /// Inserts an element unless it is present.
  mutating func insert(_ element: Element) {
    guard !chunks.isEmpty else {
      chunks = [[element]]
      count = 1
      return
    }
    let chunk = min(chunkIndex(for: element), chunks.count - 1)
    let place = Self.lowerBound(of: element, in: chunks[chunk])
    if place < chunks[chunk].count, chunks[chunk][place] == element { return }
    chunks[chunk].insert(element, at: place)
    count += 1
    if chunks[chunk].count > Self.chunkLimit {
      let half = chunks[chunk].count / 2
      let upper = Array(chunks[chunk][half...])
      chunks[chunk].removeSubrange(half...)
      chunks.insert(upper, at: chunk + 1)
    }
  }

  /// Removes an element if it is present.
  mutating func remove(_ element: Element) {
    let chunk = chunkIndex(for: element)
    guard chunk < chunks.count else { return }
    let place = Self.lowerBound(of: element, in: chunks[chunk])
    guard place < chunks[chunk].count, chunks[chunk][place] == element else { return }
    chunks[chunk].remove(at: place)
    if chunks[chunk].isEmpty { chunks.remove(at: chunk) }
    count -= 1
  }

  /// Returns up to `limit` elements that follow `element`, or the first ones if it is nil.
  func elements(after element: Element?, limit: Int) -> [Element] {
    var result: [Element] = []
    var chunk = element.map { chunkIndex(for: $0) } ?? 0
    while chunk < chunks.count, result.count < limit {
      var slice = chunks[chunk][...]
      if let element {
        slice = slice[Self.lowerBound(of: element, in: chunks[chunk])...]
        if slice.first == element { slice = slice.dropFirst() }
      }
      result += slice.prefix(limit - result.count)
      chunk += 1
    }
    return result
  }

  /// Removes all elements.
  mutating func removeAll() {
    chunks.removeAll()
    count = 0
  }

  /// Returns the index of the first chunk whose last element is not less than `element`.
  private func chunkIndex(for element: Element) -> Int {
    var low = 0
    var high = chunks.count
    while low < high {
      let middle = (low + high) / 2
      if let last = chunks[middle].last, last < element { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func lowerBound(of element: Element, in chunk: [Element]) -> Int {
    var low = 0
    var high = chunk.count
    while low < high {
      let middle = (low + high) / 2
      if chunk[middle] < element { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// A position between elements: before the element at the chunk and offset.
  struct Position: Hashable, Comparable, Sendable {
    var chunk: Int
    var offset: Int

    static func < (left: Position, right: Position) -> Bool {
      (left.chunk, left.offset) < (right.chunk, right.offset)
    }
  }

  /// The position before all elements.
  var start: Position { Position(chunk: 0, offset: 0) }
  /// The position after all elements.
  var end: Position { Position(chunk: chunks.count, offset: 0) }

  /// Returns the position of the first element that satisfies a predicate which is monotonic over the set.
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

  /// Returns the first element that satisfies a predicate which is monotonic over the set.
  func first(where condition: (Element) -> Bool) -> Element? {
    let place = position(where: condition)
    return place.chunk < chunks.count ? chunks[place.chunk][place.offset] : nil
  }

  /// Returns the number of elements between two positions.
  func distance(from lower: Position, to upper: Position) -> Int {
    guard lower < upper else { return 0 }
    if lower.chunk == upper.chunk { return upper.offset - lower.offset }
    let between = chunks[(lower.chunk + 1)..<upper.chunk].reduce(0) { $0 + $1.count }
    return chunks[lower.chunk].count - lower.offset + between + upper.offset
  }

  /// Visits the elements between two positions, in order or reversed, until the visitor returns false.
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
