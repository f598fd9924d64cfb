package import CloudJobsCore

/// A message: values for some of the fields of its type.
///
/// A field without presence that has its default value is absent, so that equal messages are equal.
package struct Message: Sendable {
  /// The schema of the type.
  package let schema: Schema
  private let index: Int
  private var entries: [Entry] = []

  private struct Entry: Hashable, Sendable {
    var field: Int
    var value: FieldValue
  }

  /// Creates an empty message of the type at an index of ``Schema/messages``.
  package init(of index: Int, in schema: Schema) {
    self.schema = schema
    self.index = index
  }

  /// The type.
  package var type: MessageType { schema.messages[index] }

  /// Whether no field is set.
  package var isEmpty: Bool { entries.isEmpty }

  /// The fields that are set, by number, with their values.
  package var values: [(field: Field, value: FieldValue)] {
    let fields = type.fields
    return entries.map { (fields[$0.field], $0.value) }
  }

  /// The value of the field at an index of ``MessageType/fields``; nil if it is absent.
  ///
  /// A new value replaces that of another field of the same group; a default one that a field without presence gets
  /// makes it absent.
  package subscript(field: Int) -> FieldValue? {
    get {
      for entry in entries where entry.field == field { return entry.value }
      return nil
    }
    set {
      let definition = type.fields[field]
      var value = newValue
      if let new = newValue, !definition.hasPresence, new.isDefault { value = nil }
      if let oneof = definition.oneof, value != nil {
        let fields = type.fields
        entries.removeAll { $0.field != field && fields[$0.field].oneof == oneof }
      }
      let place = entries.firstIndex { $0.field >= field } ?? entries.endIndex
      let isSet = place < entries.endIndex && entries[place].field == field
      switch (isSet, value) {
      case (true, let value?): entries[place].value = value
      case (true, nil): entries.remove(at: place)
      case (false, let value?): entries.insert(Entry(field: field, value: value), at: place)
      case (false, nil): break
      }
    }
  }

  /// The value of a field by its name, which must be in the type.
  package subscript(name: String) -> FieldValue? {
    get { self[fieldIndex(name)] }
    set { self[fieldIndex(name)] = newValue }
  }

  private func fieldIndex(_ name: String) -> Int {
    guard let field = type.index(ofField: name) else { preconditionFailure("\(type.name) has no field \(name).") }
    return field
  }

  /// Returns the name of the field of a group that is set; nil if none is.
  package func choice(_ oneof: String) -> String? {
    guard let group = type.oneofs.firstIndex(of: oneof) else {
      preconditionFailure("\(type.name) has no group \(oneof).")
    }
    let fields = type.fields
    return entries.first { fields[$0.field].oneof == group }.map { fields[$0.field].name }
  }
}

extension Message: Hashable {
  /// Whether two messages have the same type and the same values.
  package static func == (left: Message, right: Message) -> Bool {
    left.type === right.type && left.entries == right.entries
  }

  /// Feeds the values to a hash.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(index)
    hasher.combine(entries)
  }
}

/// A value of a field.
package enum FieldValue: Hashable, Sendable {
  /// A boolean.
  case bool(Bool)
  /// A signed integer of 32 or 64 bits.
  case int(Int64)
  /// An unsigned integer of 32 or 64 bits.
  case uint(UInt64)
  /// A float of 32 or 64 bits.
  case double(Double)
  /// A text.
  case string(String)
  /// Bytes.
  case bytes([UInt8])
  /// The number of an enum's value, known or not.
  case enumeration(Int32)
  /// A message.
  case message(Message)
  /// A `Timestamp` or a `Duration`.
  case time(WireTime)
  /// A `Struct`, a `Value` or a `ListValue`.
  case json(JSONValue)
  /// A message of any type.
  case any(AnyMessage)
  /// The values of a repeated field, or the paths of a `FieldMask`.
  case list([FieldValue])
  /// The values of a map by their keys.
  case map([FieldValue: FieldValue])

  /// Whether it is the default of its type.
  var isDefault: Bool {
    switch self {
    case .bool(let value): !value
    case .int(let value): value == 0
    case .uint(let value): value == 0
    // Minus zero is none.
    case .double(let value): value.bitPattern == 0
    case .string(let text): text.isEmpty
    case .bytes(let bytes): bytes.isEmpty
    case .enumeration(let number): number == 0
    case .list(let values): values.isEmpty
    case .map(let values): values.isEmpty
    case .message, .time, .json, .any: false
    }
  }
}

/// A message with the name of its type: `google.protobuf.Any`.
package struct AnyMessage: Hashable, Sendable {
  /// The URL of the type, such as `type.googleapis.com/google.rpc.Help`.
  package var typeURL: String
  /// The message.
  package var content: Content

  /// What is in it.
  package enum Content: Hashable, Sendable {
    /// A message of a type of the schema.
    case message(Message)
    /// The binary form of a message of an unknown type.
    case bytes([UInt8])
  }

  /// Wraps a message.
  package init(_ message: Message) {
    typeURL = "type.googleapis.com/" + message.type.name
    content = .message(message)
  }

  /// Creates the message of a type by its URL.
  init(typeURL: String, content: Content) {
    self.typeURL = typeURL
    self.content = content
  }
}

/// Seconds and nanoseconds: a point in time since 1970, or a span.
package struct WireTime: Hashable, Sendable {
  /// The seconds.
  package var seconds: Int64
  /// The nanoseconds: of a point in time from 0 to 999,999,999, of a span of the same sign as the seconds.
  package var nanoseconds: Int32

  /// Creates a time or a span.
  package init(seconds: Int64, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// A point in time.
  package init(_ time: Timestamp) {
    self.init(seconds: time.seconds, nanoseconds: Int32(time.fraction) * 1_000)
  }

  /// A span.
  package init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(seconds: seconds, nanoseconds: Int32(attoseconds / 1_000_000_000))
  }

  /// The point in time, cut to microseconds.
  package var timestamp: Timestamp {
    let micros = seconds.multipliedReportingOverflow(by: 1_000_000)
    return micros.overflow
      ? Timestamp(seconds: seconds) : Timestamp(microseconds: micros.partialValue + Int64(nanoseconds / 1_000))
  }

  /// The span.
  package var duration: Duration { .seconds(seconds) + .nanoseconds(Int64(nanoseconds)) }

  /// Whether it is a point in time from the year 1 to 9999.
  var isTimestamp: Bool {
    (-62_135_596_800...253_402_300_799).contains(seconds) && (0...999_999_999).contains(nanoseconds)
  }

  /// Whether it is a span of at most 10,000 years.
  var isDuration: Bool {
    (-315_576_000_000...315_576_000_000).contains(seconds) && (-999_999_999...999_999_999).contains(nanoseconds)
      && (seconds == 0 || nanoseconds == 0 || (seconds < 0) == (nanoseconds < 0))
  }
}
