public import CloudJobsCore

extension Firestore {
  /// A value that a field can have.
  ///
  /// `==` asks whether two values are stored alike: `1` and `1.0` differ, as do `0.0` and `-0.0`, and NaN equals NaN.
  /// How queries see values is told by their order instead.
  public enum Value: Sendable {
    /// Nothing.
    case null
    /// A truth value.
    case boolean(Bool)
    /// A 64-bit integer.
    case integer(Int64)
    /// A 64-bit float.
    case double(Double)
    /// A time, to the microsecond.
    case timestamp(Timestamp)
    /// A text.
    case string(String)
    /// Bytes.
    case bytes([UInt8])
    /// A document's name.
    case reference(Name)
    /// A place on Earth, in degrees.
    case geoPoint(latitude: Double, longitude: Double)
    /// A list, whose elements are no lists.
    case array([Value])
    /// Named values.
    case map([String: Value])

    /// The elements of a vector embedding: a map `{"__type__": "__vector__", "value": […]}`; nil for any other value.
    var vector: [Value]? {
      guard case .map(let fields) = self, fields.count == 2, case .string("__vector__")? = fields["__type__"],
        case .array(let elements)? = fields["value"]
      else { return nil }
      return elements
    }

    /// Whether this is NaN.
    var isNaN: Bool {
      if case .double(let number) = self { number.isNaN } else { false }
    }

    /// Whether this is null.
    var isNull: Bool {
      if case .null = self { true } else { false }
    }

    /// The number as a float; nil where this is none.
    var number: Double? {
      switch self {
      case .integer(let number): Double(number)
      case .double(let number): number
      default: nil
      }
    }

    /// The elements of a list; nil where this is none.
    var elements: [Value]? {
      if case .array(let elements) = self { elements } else { nil }
    }
  }
}

extension Firestore.Value: Equatable {
  /// Whether both are stored alike.
  public static func == (left: Self, right: Self) -> Bool {
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
