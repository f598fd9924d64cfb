/// An ordered set in chunks: look-up costs O(log n), insertion and removal O(log n) and a move of one chunk.
struct SortedSet<Element: Comparable & Sendable>: Sendable {
  private static var chunkLimit: Int { 512 }
  private(set) var chunks: [[Element]] = []
  /// The number of elements.
  private(set) var count = 0

  /// An empty set.
  init() {}

  /// A set of elements that are in order, each of them once.
  init(sorted elements: [Element]) {
    let size = Self.chunkLimit / 2
    chunks = stride(from: 0, to: elements.count, by: size).map { start in
      Array(elements[start..<min(start + size, elements.count)])
    }
    count = elements.count
  }

  /// Adds an element; one that is there stays.
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

  /// Takes an element out; one that is not there is ignored.
  mutating func remove(_ element: Element) {
    let chunk = chunkIndex(for: element)
    guard chunk < chunks.count else { return }
    let place = Self.lowerBound(of: element, in: chunks[chunk])
    guard place < chunks[chunk].count, chunks[chunk][place] == element else { return }
    chunks[chunk].remove(at: place)
    if chunks[chunk].isEmpty { chunks.remove(at: chunk) }
    count -= 1
  }

  /// Up to a number of elements that come after one, or from the beginning.
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

  /// Takes all elements out.
  mutating func removeAll() {
    chunks.removeAll()
    count = 0
  }

  /// The first chunk whose last element does not come before an element.
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
}
