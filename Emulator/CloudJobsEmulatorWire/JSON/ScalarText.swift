import CloudJobsCore

/// Scalars in JSON: numbers and booleans also stand in strings.
enum ScalarText {
  /// Returns the value of a type; nil if the JSON is none.
  static func value(_ json: JSONValue, _ kind: ScalarKind) -> FieldValue? {
    switch kind {
    case .bool: bool(json).map { .bool($0) }
    case .int32, .sint32, .sfixed32: integer(json).flatMap { Int32(exactly: $0) }.map { .int(Int64($0)) }
    case .int64, .sint64, .sfixed64: integer(json).map { .int($0) }
    case .uint32, .fixed32: integer(json).flatMap { UInt32(exactly: $0) }.map { .uint(UInt64($0)) }
    case .uint64, .fixed64: unsigned(json).map { .uint($0) }
    case .float: float(json).map { .double($0) }
    case .double: double(json).map { .double($0) }
    case .string: json.string.map { .string($0) }
    case .bytes: json.string.flatMap { Base64.decode($0) }.map { .bytes($0) }
    }
  }

  private static func bool(_ json: JSONValue) -> Bool? {
    guard let text = json.string?.lowercased() else {
      return json.bool ?? json.integer.flatMap { $0 == 0 || $0 == 1 ? $0 == 1 : nil }
    }
    if ["true", "t", "yes", "y", "1"].contains(text) { return true }
    return ["false", "f", "no", "n", "0"].contains(text) ? false : nil
  }

  private static func integer(_ json: JSONValue) -> Int64? {
    if let text = json.string { return Int64(text) }
    return json.integer
  }

  private static func unsigned(_ json: JSONValue) -> UInt64? {
    if let text = json.string { return UInt64(text) }
    return json.integer.flatMap { UInt64(exactly: $0) } ?? json.double.flatMap { UInt64(exactly: $0) }
  }

  private static func double(_ json: JSONValue) -> Double? {
    guard let text = json.string else { return json.double }
    switch text {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: return number(text)
    }
  }

  private static func float(_ json: JSONValue) -> Double? {
    guard let number = double(json) else { return nil }
    let short = Float(number)
    // What is beyond the range of 32 bits is refused, not taken for infinite.
    return short.isInfinite && number.isFinite ? nil : Double(short)
  }

  /// A decimal number, without the names and the hexadecimal digits that Swift reads too.
  private static func number(_ text: String) -> Double? {
    guard let first = text.utf8.first,
      first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
      text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text), number.isFinite
    else { return nil }
    return number
  }
}

extension ScalarKind {
  /// The name of the type in faults.
  var label: String { "TYPE_" + rawValue.uppercased() }

  /// The value of an absent field.
  var defaultValue: FieldValue {
    switch self {
    case .bool: .bool(false)
    case .int32, .int64, .sint32, .sint64, .sfixed32, .sfixed64: .int(0)
    case .uint32, .uint64, .fixed32, .fixed64: .uint(0)
    case .float, .double: .double(0)
    case .string: .string("")
    case .bytes: .bytes([])
    }
  }
}
