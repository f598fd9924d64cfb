/// How one thing stands to another in an order.
package enum Ordering: Int, Sendable {
  /// The first comes before the second.
  case before = -1
  /// Neither comes before the other.
  case same = 0
  /// The first comes after the second.
  case after = 1

  /// How the second stands to the first.
  package var reversed: Ordering {
    switch self {
    case .before: .after
    case .same: .same
    case .after: .before
    }
  }

  /// The order of comparable things.
  package init<Item: Comparable>(_ left: Item, _ right: Item) {
    self = left < right ? .before : right < left ? .after : .same
  }

  /// The order of bytes, the shorter of two that begin alike first.
  package static func ofBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Ordering {
    let count = min(left.count, right.count)
    var index = 0
    while index < count {
      if left[index] != right[index] { return left[index] < right[index] ? .before : .after }
      index += 1
    }
    return Ordering(left.count, right.count)
  }

  /// The order of bytes, the shorter of two that begin alike first.
  package static func ofBytes(_ left: [UInt8], _ right: [UInt8]) -> Ordering {
    left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { ofBytes(left, $0) } }
  }

  /// The order of texts by their UTF-8 bytes, which is that of their code points.
  ///
  /// `String`'s own order takes texts for equal that differ in normalisation; Firestore doesn't.
  package static func ofTexts(_ left: String, _ right: String) -> Ordering {
    let result = left.utf8.withContiguousStorageIfAvailable { left in
      right.utf8.withContiguousStorageIfAvailable { ofBytes(left, $0) }
    }
    if let result, let result { return result }
    return ofBytes(Array(left.utf8), Array(right.utf8))
  }
}
