import CloudJobsCore

/// A message: its name and its fields.
package final class MessageType: Sendable {
  /// The full name, such as `google.cloud.tasks.v2.Task`.
  package let name: String
  /// The fields, by number.
  package let fields: [Field]
  /// The names of the groups of fields of which one may be set.
  package let oneofs: [String]
  private let names: [String: Int]
  private let numbers: [Int: Int]

  /// Creates a message's type.
  init(name: String, fields: [Field], oneofs: [String]) {
    self.name = name
    self.fields = fields
    self.oneofs = oneofs
    names = Dictionary(
      fields.enumerated().flatMap { [($1.name, $0), ($1.jsonName, $0)] }, uniquingKeysWith: { first, _ in first })
    numbers = Dictionary(uniqueKeysWithValues: fields.enumerated().map { ($1.number, $0) })
  }

  /// Returns the index of the field of a name, in snake or in camel case; nil if there is none.
  package func index(ofField name: String) -> Int? { names[name] }

  /// Returns the index of the field of a number; nil if there is none.
  package func index(ofNumber number: Int) -> Int? { numbers[number] }
}

/// A field of a message.
package struct Field: Hashable, Sendable {
  /// The name in the schema, in snake case.
  package var name: String
  /// The name in JSON, in camel case.
  package var jsonName: String
  /// The number in the binary form.
  package var number: Int
  /// How many values it has, and whether an absent one differs from a default one.
  package var cardinality: Cardinality
  /// What its values are.
  package var kind: FieldKind
  /// The index of its group in ``MessageType/oneofs``; nil if it is in none.
  package var oneof: Int?
  /// The scalar type of several values that stand behind one tag; nil if each has a tag of its own.
  package var packing: ScalarKind?

  /// The name of the message that an entry of a map is.
  var entryName: String { jsonName.prefix(1).uppercased() + jsonName.dropFirst() + "Entry" }

  /// Whether a value is stored even if it is the type's default.
  package var hasPresence: Bool {
    switch cardinality {
    case .optional: true
    case .implicit: oneof != nil || !kind.isScalar
    case .repeated, .map: false
    }
  }
}

/// How many values a field has.
package enum Cardinality: Hashable, Sendable {
  /// One; a default scalar is the same as none.
  case implicit
  /// One; a default scalar differs from none.
  case optional
  /// Any number.
  case repeated
  /// Any number, each with a key.
  case map(key: ScalarKind)
}

/// A scalar type of protocol buffers.
package enum ScalarKind: String, Hashable, Sendable, CaseIterable {
  case bool, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64, float, double, string
  case bytes
}

/// What the values of a field are.
package enum FieldKind: Hashable, Sendable {
  /// Scalars.
  case scalar(ScalarKind)
  /// Values of the enum at an index of ``Schema/enums``.
  case enumeration(Int)
  /// The JSON `null`: the enum `google.protobuf.NullValue`.
  case null
  /// Messages of the type at an index of ``Schema/messages``.
  case message(Int)
  /// A type that has a form of its own in JSON.
  case wellKnown(WellKnownKind)
  /// A scalar in a message, so that none differs from the default.
  case wrapper(ScalarKind)

  /// Whether a default value is the same as none, unless the field says otherwise.
  var isScalar: Bool {
    switch self {
    case .scalar, .enumeration, .null: true
    case .message, .wellKnown, .wrapper: false
    }
  }

  /// Returns the value of a map's entry that has none.
  func defaultValue(_ schema: Schema) -> FieldValue {
    switch self {
    case .scalar(let kind), .wrapper(let kind): kind.defaultValue
    case .enumeration, .null: .enumeration(0)
    case .message(let index): .message(Message(of: index, in: schema))
    case .wellKnown(.timestamp), .wellKnown(.duration): .time(WireTime(seconds: 0))
    case .wellKnown(.fieldMask): .list([])
    case .wellKnown(.structure): .json(.object([:]))
    case .wellKnown(.listValue): .json(.array([]))
    case .wellKnown(.value): .json(.null)
    case .wellKnown(.any): .any(AnyMessage(typeURL: "", content: .bytes([])))
    }
  }
}

/// A type that has a form of its own in JSON.
///
/// Source: <https://protobuf.dev/programming-guides/json/>.
package enum WellKnownKind: String, Hashable, Sendable, CaseIterable {
  case timestamp = "Timestamp"
  case duration = "Duration"
  case fieldMask = "FieldMask"
  case structure = "Struct"
  case value = "Value"
  case listValue = "ListValue"
  case any = "Any"
}

/// An enum: its name and its values.
package struct EnumType: Hashable, Sendable {
  /// The full name.
  package var name: String
  /// The values, in the order of their definition.
  package var values: [(name: String, number: Int32)] { Array(zip(names, numbers)) }
  private let names: [String]
  private let numbers: [Int32]

  /// Creates an enum's type.
  init(name: String, values: [(name: String, number: Int32)]) {
    self.name = name
    names = values.map(\.name)
    numbers = values.map(\.number)
  }

  /// Returns the name of a number; nil if it has none.
  package func name(of number: Int32) -> String? { numbers.firstIndex(of: number).map { names[$0] } }

  /// Returns the number of a name; nil if there is none.
  package func number(of name: String) -> Int32? { names.firstIndex(of: name).map { numbers[$0] } }

  /// Returns the number of a text in JSON: a name in any case, with `-` or `_`, or a number; nil if it is none.
  package func number(ofText text: String) -> Int32? {
    if let number = number(of: text) { return number }
    if let number = Int32(text) { return numbers.contains(number) ? number : nil }
    let name = text.uppercased().replacing("-", with: "_")
    return number(of: name)
  }
}
