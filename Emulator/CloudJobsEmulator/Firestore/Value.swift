package import CloudJobsCore

extension Firestore {
  /// A value of a field.
  ///
  /// `==` compares stored representations: `1` and `1.0` differ, as do `0.0` and `-0.0`, and NaN equals NaN. Queries
  /// use ``order(to:)`` instead.
  package enum Value: Sendable {
    /// Null.
    case null
    /// A Boolean.
    case boolean(Bool)
    /// A 64-bit integer.
    case integer(Int64)
    /// A 64-bit float.
    case double(Double)
    /// A time with microsecond precision.
    case timestamp(Timestamp)
    /// A string.
    case string(String)
    /// Bytes.
    case bytes([UInt8])
    /// A document's name.
    case reference(Name)
    /// A geographical point, in degrees.
    case geoPoint(latitude: Double, longitude: Double)
    /// An array without nested arrays.
    case array([Value])
    /// A map.
    case map([String: Value])

    /// The elements of a vector, which is a map `{"__type__": "__vector__", "value": […]}`; nil for other values.
    var vector: [Value]? {
      guard case .map(let fields) = self, fields.count == 2, case .string("__vector__")? = fields["__type__"],
        case .array(let elements)? = fields["value"]
      else { return nil }
      return elements
    }

    /// Whether the value is NaN.
    var isNaN: Bool {
      if case .double(let number) = self { number.isNaN } else { false }
    }

    /// Whether the value is null.
    var isNull: Bool {
      if case .null = self { true } else { false }
    }

    /// The number as a float; nil for other values.
    var number: Double? {
      switch self {
      case .integer(let number): Double(number)
      case .double(let number): number
      default: nil
      }
    }

    /// The elements of an array; nil for other values.
    var elements: [Value]? {
      if case .array(let elements) = self { elements } else { nil }
    }
  }
}

extension Firestore.Value: Equatable {
  /// Returns whether two values have the same stored representation.
  package static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.boolean(let left), .boolean(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern || (left.isNaN && right.isNaN)
    case (.timestamp(let left), .timestamp(let right)): left == right
    case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
    case (.bytes(let left), .bytes(let right)): left == right
    case (.reference(let left), .reference(let right)): left == right
    case (.geoPoint(let latitude, let longitude), .geoPoint(let otherLatitude, let otherLongitude)):
      latitude == otherLatitude && longitude == otherLongitude
    case (.array(let left), .array(let right)): left == right
    case (.map(let left), .map(let right)): left == right
    default: false
    }
  }
}

extension Firestore.Value {
  /// The kinds of values in their order; integers and floats are one kind whose least value is NaN.
  ///
  /// Source: <https://firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering>.
  package enum Kind: Int, Comparable, Sendable {
    case null, boolean, number, timestamp, string, bytes, reference, geoPoint, array, vector, map

    /// Orders kinds.
    package static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
  }

  /// The kind of the value.
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

  /// Compares two values as queries do: `1` and `1.0` are equal, as are `0.0` and `-0.0`.
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

  /// Returns whether queries and array transforms treat two values as equal.
  package func isSame(as other: Self) -> Bool { order(to: other) == .same }

  /// Compares arrays element by element; a prefix of the other array is less.
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

  /// Compares floats: NaN is less than all numbers, and both zeros are equal.
  private static func order(_ left: Double, _ right: Double) -> Ordering {
    if left.isNaN { return right.isNaN ? .same : .before }
    return right.isNaN ? .after : Ordering(left, right)
  }

  /// Compares an integer and a float exactly, without rounding either.
  private static func order(_ left: Int64, _ right: Double) -> Ordering {
    if right.isNaN { return .after }
    if right >= 0x1p63 { return .before }
    if right < -0x1p63 { return .after }
    let whole = Int64(right.rounded(.towardZero))
    return left == whole ? Ordering(0, right - Double(whole)) : Ordering(left, whole)
  }
}

extension Firestore.Value: Codable {
  private enum CodingKeys: String, CodingKey {
    case null, boolean, integer, double, timestamp, string, bytes, reference, geoPoint, array, map
  }

  /// Decodes a value from an object whose only member names the kind.
  package init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: CodingKeys.self)
    guard let kind = object.allKeys.first else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "unknown kind of value"))
    }
    func content<Content: Decodable>() throws -> Content { try object.decode(Content.self, forKey: kind) }
    switch kind {
    case .null: self = .null
    case .boolean: self = .boolean(try content())
    case .integer: self = .integer(try content())
    case .double: self = .double(try content())
    case .timestamp: self = .timestamp(try content())
    case .string: self = .string(try content())
    case .bytes: self = .bytes(try object.decode(Base64Bytes.self, forKey: kind).wrappedValue)
    case .reference: self = .reference(try content())
    case .geoPoint:
      var pair = try object.nestedUnkeyedContainer(forKey: kind)
      self = .geoPoint(latitude: try pair.decode(Double.self), longitude: try pair.decode(Double.self))
    case .array: self = .array(try content())
    case .map: self = .map(try content())
    }
  }

  /// Encodes the value as an object whose only member names the kind.
  package func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .null: try object.encode(true, forKey: .null)
    case .boolean(let truth): try object.encode(truth, forKey: .boolean)
    case .integer(let number): try object.encode(number, forKey: .integer)
    case .double(let number): try object.encode(number, forKey: .double)
    case .timestamp(let time): try object.encode(time, forKey: .timestamp)
    case .string(let text): try object.encode(text, forKey: .string)
    case .bytes(let bytes): try object.encode(Base64Bytes(wrappedValue: bytes), forKey: .bytes)
    case .reference(let name): try object.encode(name, forKey: .reference)
    case .geoPoint(let latitude, let longitude): try object.encode([latitude, longitude], forKey: .geoPoint)
    case .array(let elements): try object.encode(elements, forKey: .array)
    case .map(let fields): try object.encode(fields, forKey: .map)
    }
  }
}
