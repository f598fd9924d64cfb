#if HTTP
/// A queue of values over one array: appending and taking cost amortised constant time.
struct FirstInFirstOut<Element> {
  private var elements: [Element] = []
  private var head = 0

  /// How many values wait.
  var count: Int { elements.count - head }

  /// Appends a value.
  mutating func append(_ element: Element) { elements.append(element) }

  /// Takes the oldest value; nil where none waits.
  mutating func takeFirst() -> Element? {
    guard head < elements.count else { return nil }
    defer {
      head += 1
      if head * 2 > elements.count {
        elements.removeFirst(head)
        head = 0
      }
    }
    return elements[head]
  }

  /// Takes out every value of which a predicate is true.
  mutating func removeAll(where isGone: (Element) -> Bool) {
    elements.removeFirst(head)
    head = 0
    elements.removeAll(where: isGone)
  }
}
#endif
