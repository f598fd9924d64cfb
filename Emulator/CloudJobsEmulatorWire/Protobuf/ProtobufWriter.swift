import CloudJobsCore

/// Writes messages in the binary form of protocol buffers.
///
/// Source: <https://protobuf.dev/programming-guides/encoding/>.
package struct ProtobufWriter {
  private var bytes: [UInt8] = []

  private init() {}

  /// Returns the binary form of a message: its fields by number, the entries of maps by key.
  package static func bytes(_ message: Message) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.write(message)
    return writer.bytes
  }

  private mutating func write(_ message: Message) {
    for (field, value) in message.values {
      switch (field.cardinality, value) {
      case (.repeated, .list(let values)): write(values, of: field)
      case (.map(let key), .map(let entries)): write(entries, of: field, key)
      default: write(value, field.number, field.kind)
      }
    }
  }

  private mutating func write(_ values: [FieldValue], of field: Field) {
    guard let kind = field.packing else {
      for value in values { write(value, field.number, field.kind) }
      return
    }
    tag(field.number, .delimited)
    nested { writer in for value in values { writer.raw(value, kind) } }
  }

  private mutating func write(_ entries: [FieldValue: FieldValue], of field: Field, _ keyKind: ScalarKind) {
    for (key, value) in entries.sorted(by: { $0.key.isBefore($1.key) }) {
      tag(field.number, .delimited)
      nested { writer in
        writer.write(key, 1, .scalar(keyKind))
        writer.write(value, 2, field.kind)
      }
    }
  }

  private mutating func write(_ value: FieldValue, _ number: Int, _ kind: FieldKind) {
    switch kind {
    case .scalar(let kind):
      tag(number, kind.wireType)
      raw(value, kind)
    case .enumeration, .null:
      tag(number, .varint)
      raw(value, .int32)
    case .wrapper(let kind):
      tag(number, .delimited)
      nested { writer in if !value.isDefault { writer.write(value, 1, .scalar(kind)) } }
    case .message, .wellKnown:
      tag(number, .delimited)
      nested { $0.content(value) }
    }
  }

  private mutating func content(_ value: FieldValue) {
    switch value {
    case .message(let message): write(message)
    case .time(let time):
      if time.seconds != 0 { write(.int(time.seconds), 1, .scalar(.int64)) }
      if time.nanoseconds != 0 { write(.int(Int64(time.nanoseconds)), 2, .scalar(.int32)) }
    case .list(let paths): for path in paths { write(path, 1, .scalar(.string)) }
    case .json(let json): content(json)
    case .any(let any):
      if !any.typeURL.isEmpty { write(.string(any.typeURL), 1, .scalar(.string)) }
      let bytes =
        switch any.content {
        case .message(let message): ProtobufWriter.bytes(message)
        case .bytes(let bytes): bytes
        }
      if !bytes.isEmpty { write(.bytes(bytes), 2, .scalar(.bytes)) }
    default: break
    }
  }

  /// Writes a `Struct` for an object, a `ListValue` for an array, and a `Value` for anything else.
  private mutating func content(_ json: JSONValue) {
    switch json {
    case .object(let members):
      for (name, value) in members.sorted(by: { $0.key < $1.key }) {
        tag(1, .delimited)
        nested { writer in
          writer.write(.string(name), 1, .scalar(.string))
          writer.tag(2, .delimited)
          writer.nested { $0.value(value) }
        }
      }
    case .array(let elements):
      for element in elements {
        tag(1, .delimited)
        nested { $0.value(element) }
      }
    default: value(json)
    }
  }

  private mutating func value(_ json: JSONValue) {
    switch json {
    case .null: write(.enumeration(0), 1, .null)
    case .bool(let value): write(.bool(value), 4, .scalar(.bool))
    case .integer(let number): write(.double(Double(number)), 2, .scalar(.double))
    case .double(let number): write(.double(number), 2, .scalar(.double))
    case .string(let text): write(.string(text), 3, .scalar(.string))
    case .object:
      tag(5, .delimited)
      nested { $0.content(json) }
    case .array:
      tag(6, .delimited)
      nested { $0.content(json) }
    }
  }

  private mutating func nested(_ body: (inout ProtobufWriter) -> Void) {
    // The length is known after the content: most fit the one byte that is left for it.
    let start = bytes.count
    bytes.append(0)
    body(&self)
    let count = bytes.count - start - 1
    guard count > 127 else {
      bytes[start] = UInt8(count)
      return
    }
    var length = ProtobufWriter()
    length.varint(UInt64(count))
    bytes.replaceSubrange(start...start, with: length.bytes)
  }

  private mutating func raw(_ value: FieldValue, _ kind: ScalarKind) {
    switch value {
    case .bool(let value): varint(value ? 1 : 0)
    case .int(let number):
      switch kind {
      case .sint32, .sint64: varint(UInt64(bitPattern: number << 1 ^ number >> 63))
      case .sfixed32: fixed(UInt32(truncatingIfNeeded: number))
      case .sfixed64: fixed(UInt64(bitPattern: number))
      default: varint(UInt64(bitPattern: number))
      }
    case .uint(let number):
      switch kind {
      case .fixed32: fixed(UInt32(truncatingIfNeeded: number))
      case .fixed64: fixed(number)
      default: varint(number)
      }
    case .enumeration(let number): varint(UInt64(bitPattern: Int64(number)))
    case .double(let number):
      if kind == .float { fixed(Float(number).bitPattern) } else { fixed(number.bitPattern) }
    case .string(let text):
      varint(UInt64(text.utf8.count))
      bytes.append(contentsOf: text.utf8)
    case .bytes(let content):
      varint(UInt64(content.count))
      bytes.append(contentsOf: content)
    default: break
    }
  }

  private mutating func tag(_ number: Int, _ type: WireType) { varint(UInt64(number << 3) | UInt64(type.rawValue)) }

  private mutating func varint(_ number: UInt64) {
    var rest = number
    while rest > 127 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func fixed(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }
}

/// How the bytes of a field end.
enum WireType: UInt8 {
  case varint = 0
  case fixed64 = 1
  case delimited = 2
  case startGroup = 3
  case endGroup = 4
  case fixed32 = 5
}

extension ScalarKind {
  /// How its bytes end.
  var wireType: WireType {
    switch self {
    case .fixed64, .sfixed64, .double: .fixed64
    case .fixed32, .sfixed32, .float: .fixed32
    case .string, .bytes: .delimited
    default: .varint
    }
  }
}

extension FieldKind {
  /// The scalar type of values that stand in one field if there are several; nil if each has its own.
  var packable: ScalarKind? {
    switch self {
    case .scalar(.string), .scalar(.bytes), .message, .wellKnown, .wrapper: nil
    case .scalar(let kind): kind
    case .enumeration, .null: .int32
    }
  }
}

extension FieldValue {
  /// The order of the keys of a map.
  fileprivate func isBefore(_ other: FieldValue) -> Bool {
    switch (self, other) {
    case (.string(let left), .string(let right)): left < right
    case (.int(let left), .int(let right)): left < right
    case (.uint(let left), .uint(let right)): left < right
    case (.bool(let left), .bool(let right)): !left && right
    default: false
    }
  }
}
