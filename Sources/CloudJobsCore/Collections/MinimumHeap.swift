/// A binary min-heap; insertion and removal of the least element are O(log n).
package struct MinimumHeap<Element: Comparable & Sendable>: Sendable {
  @usableFromInline var elements: [Element] = []

  /// Creates an empty heap.
  @inlinable package init() {}

  /// The least element.
  @inlinable package var first: Element? { elements.first }
  /// The number of elements, stale ones included.
  @inlinable package var count: Int { elements.count }

  /// Adds an element.
  @inlinable package mutating func insert(_ element: Element) {
    elements.append(element)
    var child = elements.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard elements[child] < elements[parent] else { return }
      elements.swapAt(child, parent)
      child = parent
    }
  }

  /// Removes and returns the least element.
  @discardableResult
  @inlinable package mutating func removeFirst() -> Element? {
    guard let last = elements.popLast() else { return nil }
    guard let removed = elements.first else { return last }
    elements[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < elements.count && elements[child] < elements[least] {
        least = child
      }
      if least == parent { break }
      elements.swapAt(parent, least)
      parent = least
    }
    return removed
  }

  /// Removes stale elements once they outnumber the live ones, which bounds the heap's size.
  ///
  /// - Parameters:
  ///   - liveCount: the number of live elements.
  ///   - isLive: returns whether an element is live.
  @inlinable package mutating func compact(liveCount: Int, _ isLive: (Element) -> Bool) {
    guard elements.count > 2 * liveCount + 64 else { return }
    let live = elements.filter(isLive)
    elements.removeAll(keepingCapacity: true)
    for element in live { insert(element) }
  }

  /// Removes all elements.
  @inlinable package mutating func removeAll() {
    elements.removeAll()
  }

  /// Returns the least elements in order, without removing them.
  ///
  /// - Parameters:
  ///   - count: the maximum number of elements.
  ///   - isWanted: returns whether an element is one of them, rather than stale.
  /// - Returns: the elements.
  package func least(_ count: Int, where isWanted: (Element) -> Bool = { _ in true }) -> [Element] {
    var result: [Element] = []
    var open = MinimumHeap<HeapPlace<Element>>()
    if let first { open.insert(HeapPlace(element: first, index: 0)) }
    while result.count < count, let place = open.removeFirst() {
      if isWanted(place.element) { result.append(place.element) }
      for child in [2 * place.index + 1, 2 * place.index + 2] where child < elements.count {
        open.insert(HeapPlace(element: elements[child], index: child))
      }
    }
    return result
  }
}

/// An element of a heap with its index.
private struct HeapPlace<Element: Comparable & Sendable>: Comparable, Sendable {
  var element: Element
  var index: Int

  static func < (left: HeapPlace, right: HeapPlace) -> Bool { left.element < right.element }
  static func == (left: HeapPlace, right: HeapPlace) -> Bool { left.index == right.index }
}
