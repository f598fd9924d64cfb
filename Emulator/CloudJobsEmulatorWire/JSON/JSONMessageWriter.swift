package import CloudJobsCore

/// Writes messages as proto3 JSON.
///
/// Source: <https://protobuf.dev/programming-guides/json/>.
package struct JSONMessageWriter: Sendable {
  /// Whether enums are written as numbers, as `$alt=json;enum-encoding=int` asks.
  package var enumsAreNumbers: Bool

  /// Creates a writer.
  package init(enumsAreNumbers: Bool = false) {
    self.enumsAreNumbers = enumsAreNumbers
  }

  /// Returns a message as JSON.
  package func json(_ message: Message) -> JSONValue { .object(members(message)) }

  private func members(_ message: Message) -> [String: JSONValue] {
    let values = message.values
    var members: [String: JSONValue] = [:]
    members.reserveCapacity(values.count)
    for (field, value) in values { members[field.jsonName] = json(value, of: field, message.schema) }
    return members
  }

  private func json(_ value: FieldValue, of field: Field, _ schema: Schema) -> JSONValue {
    switch (field.cardinality, value) {
    case (.repeated, .list(let values)): return .array(values.map { json($0, field.kind, schema) })
    case (.map, .map(let values)):
      var members: [String: JSONValue] = [:]
      members.reserveCapacity(values.count)
      for (key, value) in values { members[Self.key(key)] = json(value, field.kind, schema) }
      return .object(members)
    default: return json(value, field.kind, schema)
    }
  }

  private func json(_ value: FieldValue, _ kind: FieldKind, _ schema: Schema) -> JSONValue {
    switch value {
    case .bool(let value): .bool(value)
    case .int(let number): Self.isWide(kind) ? .string(String(number)) : .integer(number)
    case .uint(let number): Self.isWide(kind) ? .string(String(number)) : .integer(Int64(clamping: number))
    case .double(let number): Self.json(number, isFloat: kind.scalar == .float)
    case .string(let text): .string(text)
    case .bytes(let bytes): .string(Base64.encode(bytes))
    case .enumeration(let number): json(number, kind, schema)
    case .message(let message): json(message)
    case .time(let time): .string(kind == .wellKnown(.timestamp) ? time.timestampText : time.durationText)
    case .json(let value): Self.json(value)
    case .any(let any): json(any)
    case .list(let paths): .string(FieldMaskText.text(paths))
    case .map: .null
    }
  }

  private static func isWide(_ kind: FieldKind) -> Bool {
    switch kind.scalar {
    case .int64, .uint64, .sint64, .fixed64, .sfixed64: true
    default: false
    }
  }

  private static func key(_ key: FieldValue) -> String {
    switch key {
    case .string(let text): text
    case .int(let number): String(number)
    case .uint(let number): String(number)
    case .bool(let value): String(value)
    default: ""
    }
  }

  private static func json(_ number: Double, isFloat: Bool) -> JSONValue {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    // A number without a fraction has no point; minus zero keeps its sign.
    if let whole = Int64(exactly: number), whole.magnitude < 1 << 53, number.sign == .plus || whole != 0 {
      return .integer(whole)
    }
    // The shortest text of a float of 32 bits is shorter than that of the same float of 64.
    return .double(isFloat ? Double(Float(number).description) ?? number : number)
  }

  private func json(_ number: Int32, _ kind: FieldKind, _ schema: Schema) -> JSONValue {
    guard case .enumeration(let index) = kind else { return .null }
    let name = enumsAreNumbers ? nil : schema.enums[index].name(of: number)
    return name.map { .string($0) } ?? .integer(Int64(number))
  }

  /// Returns a value of a `Struct`, with its numbers as those of other messages.
  private static func json(_ value: JSONValue) -> JSONValue {
    switch value {
    case .double(let number): json(number, isFloat: false)
    case .array(let elements): .array(elements.map { json($0) })
    case .object(let members): .object(members.mapValues { json($0) })
    default: value
    }
  }

  /// Returns a message of any type as JSON, with its type.
  package func json(_ any: AnyMessage) -> JSONValue {
    var object: [String: JSONValue] = [:]
    switch any.content {
    case .message(let message): object = members(message)
    case .bytes(let bytes): object["value"] = .string(Base64.encode(bytes))
    }
    if !any.typeURL.isEmpty { object["@type"] = .string(any.typeURL) }
    return .object(object)
  }
}

extension FieldKind {
  /// The scalar type of a field's values, wrapped or not; nil if they are none.
  var scalar: ScalarKind? {
    switch self {
    case .scalar(let kind), .wrapper(let kind): kind
    default: nil
    }
  }
}
