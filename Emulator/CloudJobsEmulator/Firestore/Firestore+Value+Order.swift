import CloudJobsCore

extension Firestore.Value {
  /// The kinds of values in their order; numbers of both kinds are one, and NaN is its least.
  ///
  /// Source: <https://firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering>.
  package enum Kind: Int, Comparable, Sendable {
    case null, boolean, number, timestamp, string, bytes, reference, geoPoint, array, vector, map

    /// The order of kinds.
    package static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
  }

  /// The kind of this value.
  package var kind: Kind {
    switch self {
    case .null: .null
    case .boolean: .boolean
    case .integer, .double: .number
    case .timestamp: .timestamp
    case .string: .string
    case .bytes: .bytes
    case .reference: .reference
    case .geoPoint: .geoPoint
    case .array: .array
    case .map: vector == nil ? .map : .vector
    }
  }

  /// How this value stands to another in queries: `1`, `1.0` are the same, as are `0.0` and `-0.0`.
  package func order(to other: Self) -> Ordering {
    switch (self, other) {
    case (.null, .null): return .same
    case (.boolean(let left), .boolean(let right)): return Ordering(left ? 1 : 0, right ? 1 : 0)
    case (.integer(let left), .integer(let right)): return Ordering(left, right)
    case (.integer(let left), .double(let right)): return Self.order(left, right)
    case (.double(let left), .integer(let right)): return Self.order(right, left).reversed
    case (.double(let left), .double(let right)): return Self.order(left, right)
    case (.timestamp(let left), .timestamp(let right)): return Ordering(left, right)
    case (.string(let left), .string(let right)): return Ordering.ofTexts(left, right)
    case (.bytes(let left), .bytes(let right)): return Ordering.ofBytes(left, right)
    case (.reference(let left), .reference(let right)): return left.order(to: right)
    case (.geoPoint(let latitude, let longitude), .geoPoint(let otherLatitude, let otherLongitude)):
      let order = Self.order(latitude, otherLatitude)
      return order == .same ? Self.order(longitude, otherLongitude) : order
    case (.array(let left), .array(let right)): return Self.order(left, right)
    case (.map(let left), .map(let right)):
      switch (vector, other.vector) {
      case (nil, nil): return Self.order(left, right)
      case (nil, _): return .after
      case (_, nil): return .before
      case (let left?, let right?):
        return left.count == right.count ? Self.order(left, right) : Ordering(left.count, right.count)
      }
    default: return Ordering(kind, other.kind)
    }
  }

  /// Whether queries and array transforms take both for the same value.
  package func isSame(as other: Self) -> Bool { order(to: other) == .same }

  /// How a list stands to another: element by element, the shorter of two that begin alike first.
  static func order(_ left: [Self], _ right: [Self]) -> Ordering {
    for (left, right) in zip(left, right) {
      let order = left.order(to: right)
      if order != .same { return order }
    }
    return Ordering(left.count, right.count)
  }

  private static func order(_ left: [String: Self], _ right: [String: Self]) -> Ordering {
    let (leftKeys, rightKeys) = (keys(left), keys(right))
    for (leftKey, rightKey) in zip(leftKeys, rightKeys) {
      let order = Ordering.ofTexts(leftKey, rightKey)
      if order != .same { return order }
      guard let leftValue = left[leftKey], let rightValue = right[rightKey] else { continue }
      let values = leftValue.order(to: rightValue)
      if values != .same { return values }
    }
    return Ordering(leftKeys.count, rightKeys.count)
  }

  private static func keys(_ fields: [String: Self]) -> [String] {
    fields.keys.sorted { Ordering.ofTexts($0, $1) == .before }
  }

  /// NaN comes before all numbers, and the two zeros are the same.
  private static func order(_ left: Double, _ right: Double) -> Ordering {
    if left.isNaN { return right.isNaN ? .same : .before }
    return right.isNaN ? .after : Ordering(left, right)
  }

  /// The exact order of an integer and a float, where a conversion of either would round.
  private static func order(_ left: Int64, _ right: Double) -> Ordering {
    if right.isNaN { return .after }
    if right >= 0x1p63 { return .before }
    if right < -0x1p63 { return .after }
    let whole = Int64(right.rounded(.towardZero))
    return left == whole ? Ordering(0, right - Double(whole)) : Ordering(left, whole)
  }
}
