import CloudJobsCore
package import CloudJobsEmulator

/// Reads messages in the binary form of protocol buffers; unknown fields are skipped.
///
/// Source: <https://protobuf.dev/programming-guides/encoding/>.
package struct ProtobufReader {
  /// The deepest nesting of messages.
  private static let depthLimit = 100

  private let schema: Schema
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var depth = 0

  private init(_ schema: Schema, _ bytes: UnsafeRawBufferPointer) {
    self.schema = schema
    self.bytes = bytes
  }

  /// Reads a message.
  ///
  /// - Parameters:
  ///   - bytes: the binary form.
  ///   - index: the index of the type in ``Schema/messages``.
  ///   - schema: the schema.
  /// - Returns: the message.
  /// - Throws: ``ServiceFault`` `internal`, as gRPC servers answer, with the place of the fault.
  package static func read(_ bytes: [UInt8], of index: Int, in schema: Schema) throws(ServiceFault) -> Message {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(Fault) in
        var reader = ProtobufReader(schema, bytes)
        return try reader.message(index, until: bytes.count)
      }
    }
    switch result {
    case .success(let message): return message
    case .failure(let fault):
      let place = fault.path.isEmpty ? "the message" : "'\(fault.path.reversed().joined(separator: "."))'"
      throw ServiceFault(
        .internal,
        "Error parsing request: \(fault.reason) at byte \(fault.offset), in \(place) of "
          + "\(schema.messages[index].name).")
    }
  }

  /// What is wrong with the bytes.
  private struct Fault: Error {
    var reason: String
    var offset: Int
    /// The names of the fields, innermost first.
    var path: [String] = []
  }

  private func fault(_ reason: String) -> Fault { Fault(reason: reason, offset: position) }

  // MARK: Messages

  private mutating func message(_ index: Int, until end: Int) throws(Fault) -> Message {
    var message = Message(of: index, in: schema)
    try merge(into: &message, until: end)
    return message
  }

  private mutating func merge(into message: inout Message, until end: Int) throws(Fault) {
    guard depth < Self.depthLimit else { throw fault("messages are nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    let type = message.type
    while position < end {
      let (number, wireType) = try tag(until: end)
      guard let index = type.index(ofNumber: number) else {
        try skip(wireType, number, until: end)
        continue
      }
      let field = type.fields[index]
      do throws(Fault) {
        try read(field, index, wireType, into: &message, until: end)
      } catch {
        var fault = error
        fault.path.append(field.name)
        throw fault
      }
    }
  }

  private mutating func read(
    _ field: Field, _ index: Int, _ wireType: WireType, into message: inout Message, until end: Int
  ) throws(Fault) {
    switch field.cardinality {
    case .map(let key):
      let entry = try delimited(wireType, until: end)
      let (name, value) = try mapEntry(key, field.kind, until: entry)
      var values: [FieldValue: FieldValue] = [:]
      if case .map(let earlier)? = message[index] {
        values = earlier
        message[index] = nil
      }
      values[name] = value
      message[index] = .map(values)
    case .repeated:
      var values: [FieldValue] = []
      if case .list(let earlier)? = message[index] {
        values = earlier
        // Only one reference is left, so that the list grows in place.
        message[index] = nil
      }
      if wireType == .delimited, let kind = field.kind.packable {
        let packed = try delimited(wireType, until: end)
        while position < packed { values.append(enumerated(try scalar(kind, until: packed), field.kind)) }
      } else {
        values.append(try value(field.kind, wireType, earlier: nil, until: end))
      }
      message[index] = .list(values)
    case .implicit, .optional:
      let earlier = message[index]
      // Only one reference is left, so that a part is added in place.
      if earlier != nil { message[index] = nil }
      message[index] = try value(field.kind, wireType, earlier: earlier, until: end)
    }
  }

  private mutating func mapEntry(
    _ keyKind: ScalarKind, _ kind: FieldKind, until end: Int
  ) throws(Fault) -> (FieldValue, FieldValue) {
    var key = keyKind.defaultValue
    var value = kind.defaultValue(schema)
    while position < end {
      let (number, wireType) = try tag(until: end)
      switch number {
      case 1: key = try self.value(.scalar(keyKind), wireType, earlier: nil, until: end)
      case 2: value = try self.value(kind, wireType, earlier: nil, until: end)
      default: try skip(wireType, number, until: end)
      }
    }
    return (key, value)
  }

  // MARK: Values

  private func enumerated(_ value: FieldValue, _ kind: FieldKind) -> FieldValue {
    switch (kind, value) {
    case (.enumeration, .int(let number)), (.null, .int(let number)):
      .enumeration(Int32(truncatingIfNeeded: number))
    default: value
    }
  }

  private mutating func value(
    _ kind: FieldKind, _ wireType: WireType, earlier: consuming FieldValue?, until end: Int
  ) throws(Fault) -> FieldValue {
    switch kind {
    case .scalar(let kind):
      guard wireType == kind.wireType else { throw fault("the wire type \(wireType) is not that of \(kind.rawValue)") }
      return try scalar(kind, until: end)
    case .enumeration, .null:
      guard wireType == .varint else { throw fault("the wire type \(wireType) is not that of an enum") }
      return enumerated(try scalar(.int32, until: end), kind)
    case .message(let index):
      let inner = try delimited(wireType, until: end)
      // A message that comes in parts is their sum.
      var message = Message(of: index, in: schema)
      if case .message(let part)? = earlier { message = part }
      try merge(into: &message, until: inner)
      return .message(message)
    case .wrapper(let kind):
      let inner = try delimited(wireType, until: end)
      var value = earlier ?? kind.defaultValue
      try fields(until: inner) { (reader, number, type) throws(Fault) in
        guard number == 1 else { return false }
        value = try reader.value(.scalar(kind), type, earlier: nil, until: inner)
        return true
      }
      return value
    case .wellKnown(let kind):
      let inner = try delimited(wireType, until: end)
      return try wellKnown(kind, earlier: earlier, until: inner)
    }
  }

  /// Reads the fields of a message of a type that is built in.
  private mutating func fields(
    until end: Int, _ read: (inout ProtobufReader, Int, WireType) throws(Fault) -> Bool
  ) throws(Fault) {
    guard depth < Self.depthLimit else { throw fault("messages are nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    while position < end {
      let (number, wireType) = try tag(until: end)
      if try !read(&self, number, wireType) { try skip(wireType, number, until: end) }
    }
  }

  private mutating func wellKnown(
    _ kind: WellKnownKind, earlier: FieldValue?, until end: Int
  ) throws(Fault) -> FieldValue {
    switch kind {
    case .timestamp, .duration: return try time(kind, earlier, until: end)
    case .fieldMask:
      var paths: [FieldValue] = []
      if case .list(let part)? = earlier { paths = part }
      try fields(until: end) { (reader, number, type) throws(Fault) in
        guard number == 1 else { return false }
        paths.append(try reader.value(.scalar(.string), type, earlier: nil, until: end))
        return true
      }
      return .list(paths)
    case .structure: return .json(.object(try members(until: end)))
    case .listValue: return .json(.array(try elements(until: end)))
    case .value: return .json(try json(until: end))
    case .any: return try any(until: end)
    }
  }

  private mutating func time(_ kind: WellKnownKind, _ earlier: FieldValue?, until end: Int) throws(Fault) -> FieldValue
  {
    var time = WireTime(seconds: 0)
    if case .time(let part)? = earlier { time = part }
    try fields(until: end) { (reader, number, type) throws(Fault) in
      switch number {
      case 1: time.seconds = try reader.integer(.int64, type, until: end)
      case 2: time.nanoseconds = Int32(truncatingIfNeeded: try reader.integer(.int32, type, until: end))
      default: return false
      }
      return true
    }
    guard kind == .timestamp ? time.isTimestamp : time.isDuration else {
      throw fault("\(time.seconds) s and \(time.nanoseconds) ns are no \(kind.rawValue)")
    }
    return .time(time)
  }

  private mutating func integer(_ kind: ScalarKind, _ type: WireType, until end: Int) throws(Fault) -> Int64 {
    guard case .int(let number) = try value(.scalar(kind), type, earlier: nil, until: end) else { return 0 }
    return number
  }

  private mutating func text(_ type: WireType, until end: Int) throws(Fault) -> String {
    guard case .string(let text) = try value(.scalar(.string), type, earlier: nil, until: end) else { return "" }
    return text
  }

  private mutating func any(until end: Int) throws(Fault) -> FieldValue {
    var url = ""
    var bytes: [UInt8] = []
    try fields(until: end) { (reader, number, type) throws(Fault) in
      switch number {
      case 1: url = try reader.text(type, until: end)
      case 2:
        if case .bytes(let content) = try reader.value(.scalar(.bytes), type, earlier: nil, until: end) {
          bytes = content
        }
      default: return false
      }
      return true
    }
    guard let index = schema.index(ofTypeURL: url) else {
      return .any(AnyMessage(typeURL: url, content: .bytes(bytes)))
    }
    let depth = depth
    let schema = schema
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(Fault) in
        var reader = ProtobufReader(schema, bytes)
        reader.depth = depth
        return try reader.message(index, until: bytes.count)
      }
    }
    return .any(AnyMessage(typeURL: url, content: .message(try result.get())))
  }

  // MARK: JSON

  private mutating func members(until end: Int) throws(Fault) -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    try fields(until: end) { (reader, number, type) throws(Fault) in
      guard number == 1 else { return false }
      let entry = try reader.delimited(type, until: end)
      var name = ""
      var value = JSONValue.null
      try reader.fields(until: entry) { (reader, number, type) throws(Fault) in
        switch number {
        case 1: name = try reader.text(type, until: entry)
        case 2:
          let inner = try reader.delimited(type, until: entry)
          value = try reader.json(until: inner)
        default: return false
        }
        return true
      }
      members[name] = value
      return true
    }
    return members
  }

  private mutating func elements(until end: Int) throws(Fault) -> [JSONValue] {
    var elements: [JSONValue] = []
    try fields(until: end) { (reader, number, type) throws(Fault) in
      guard number == 1 else { return false }
      let inner = try reader.delimited(type, until: end)
      elements.append(try reader.json(until: inner))
      return true
    }
    return elements
  }

  private mutating func json(until end: Int) throws(Fault) -> JSONValue {
    var json = JSONValue.null
    try fields(until: end) { (reader, number, type) throws(Fault) in
      switch number {
      case 1:
        _ = try reader.value(.null, type, earlier: nil, until: end)
        json = .null
      case 2:
        guard case .double(let number) = try reader.value(.scalar(.double), type, earlier: nil, until: end),
          number.isFinite
        else { throw reader.fault("a number of JSON must be finite") }
        json = .double(number)
      case 3: json = .string(try reader.text(type, until: end))
      case 4:
        if case .bool(let value) = try reader.value(.scalar(.bool), type, earlier: nil, until: end) {
          json = .bool(value)
        }
      case 5:
        let inner = try reader.delimited(type, until: end)
        json = .object(try reader.members(until: inner))
      case 6:
        let inner = try reader.delimited(type, until: end)
        json = .array(try reader.elements(until: inner))
      default: return false
      }
      return true
    }
    return json
  }

  // MARK: Bytes

  private mutating func tag(until end: Int) throws(Fault) -> (number: Int, type: WireType) {
    let tag = try varint(until: end)
    guard tag <= UInt64(UInt32.max), tag >> 3 > 0 else { throw fault("the number of a field is invalid") }
    guard let type = WireType(rawValue: UInt8(tag & 7)) else { throw fault("the wire type is invalid") }
    return (Int(tag >> 3), type)
  }

  /// Reads a length, and returns the end of what it measures.
  private mutating func delimited(_ type: WireType, until end: Int) throws(Fault) -> Int {
    guard type == .delimited else { throw fault("the wire type \(type) is not that of a message") }
    let count = try varint(until: end)
    guard count <= UInt64(end - position) else { throw fault("the length \(count) goes beyond the end") }
    return position + Int(count)
  }

  private mutating func skip(_ type: WireType, _ number: Int, until end: Int) throws(Fault) {
    switch type {
    case .varint: _ = try varint(until: end)
    case .fixed64: _ = try fixed(UInt64.self, until: end)
    case .fixed32: _ = try fixed(UInt32.self, until: end)
    case .delimited: position = try delimited(type, until: end)
    case .startGroup:
      guard depth < Self.depthLimit else { throw fault("groups are nested too deeply") }
      depth += 1
      defer { depth -= 1 }
      while true {
        let (inner, type) = try tag(until: end)
        if type == .endGroup {
          guard inner == number else { throw fault("a group has the end of another") }
          return
        }
        try skip(type, inner, until: end)
      }
    case .endGroup: throw fault("a group ends that has not begun")
    }
  }

  private mutating func scalar(_ kind: ScalarKind, until end: Int) throws(Fault) -> FieldValue {
    switch kind {
    case .bool: return .bool(try varint(until: end) != 0)
    case .int32: return .int(Int64(Int32(truncatingIfNeeded: try varint(until: end))))
    case .int64: return .int(Int64(bitPattern: try varint(until: end)))
    case .uint32: return .uint(UInt64(UInt32(truncatingIfNeeded: try varint(until: end))))
    case .uint64: return .uint(try varint(until: end))
    case .sint32:
      let number = UInt32(truncatingIfNeeded: try varint(until: end))
      return .int(Int64(Int32(bitPattern: number >> 1) ^ -Int32(bitPattern: number & 1)))
    case .sint64:
      let number = try varint(until: end)
      return .int(Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1))
    case .fixed32: return .uint(UInt64(try fixed(UInt32.self, until: end)))
    case .fixed64: return .uint(try fixed(UInt64.self, until: end))
    case .sfixed32: return .int(Int64(Int32(bitPattern: try fixed(UInt32.self, until: end))))
    case .sfixed64: return .int(Int64(bitPattern: try fixed(UInt64.self, until: end)))
    case .float: return .double(Double(Float(bitPattern: try fixed(UInt32.self, until: end))))
    case .double: return .double(Double(bitPattern: try fixed(UInt64.self, until: end)))
    case .string:
      let last = try delimited(.delimited, until: end)
      guard let text = String(validating: bytes[position..<last], as: UTF8.self) else {
        throw fault("the text is not UTF-8")
      }
      position = last
      return .string(text)
    case .bytes:
      let last = try delimited(.delimited, until: end)
      defer { position = last }
      return .bytes(Array(bytes[position..<last]))
    }
  }

  private mutating func varint(until end: Int) throws(Fault) -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw fault("a number is cut") }
      let byte = bytes[position]
      position += 1
      number |= UInt64(byte & 127) << shift
      if byte < 128 { return number }
    }
    throw fault("a number has more than ten bytes")
  }

  private mutating func fixed<Number: FixedWidthInteger>(_ type: Number.Type, until end: Int) throws(Fault) -> Number {
    let size = MemoryLayout<Number>.size
    guard end - position >= size else { throw fault("a number is cut") }
    defer { position += size }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
  }
}
