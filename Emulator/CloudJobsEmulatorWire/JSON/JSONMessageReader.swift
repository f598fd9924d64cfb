package import CloudJobsCore
package import CloudJobsEmulator

/// Reads messages from proto3 JSON: names in camel or snake case, enums by name or number, null for absent.
///
/// It reads to the end and notes every fault, in the words of the converter that Google's services share
/// (<https://github.com/grpc-ecosystem/proto-converter>).
package struct JSONMessageReader {
  /// The maximum number of faults that are told.
  private static let faultLimit = 100

  private let schema: Schema
  private var faults: [FieldViolation] = []
  /// Where in the request the value is.
  private var path = ""

  private init(_ schema: Schema) {
    self.schema = schema
  }

  /// Reads a message.
  ///
  /// - Parameters:
  ///   - json: the JSON.
  ///   - message: a message of its type, which may have values already.
  ///   - path: the place of the message in the request; empty for the request itself.
  /// - Returns: the message.
  /// - Throws: ``ServiceFault`` `invalidArgument` with all faults.
  package static func read(
    _ json: JSONValue, into message: Message, at path: String = ""
  ) throws(ServiceFault) -> Message {
    var reader = JSONMessageReader(message.schema)
    reader.path = path
    var message = message
    if case .object(let members) = json {
      reader.read(members, into: &message)
    } else {
      reader.refuseName("", at: "", "Root element must be a message.")
    }
    try reader.finish()
    return message
  }

  /// Reads a field's value that is no JSON, from a path or a query.
  ///
  /// - Parameters:
  ///   - text: the value.
  ///   - message: the message, of which the field gets the value, or one more if it is repeated.
  ///   - field: the index of the field.
  ///   - path: the place of the message in the request; empty for the request itself.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  package static func read(
    text: String, into message: inout Message, field: Int, at path: String
  ) throws(ServiceFault) {
    var reader = JSONMessageReader(message.schema)
    let definition = message.type.fields[field]
    reader.path = Self.path(of: definition, in: path)
    let value: JSONValue = definition.kind == .null && text == "NULL_VALUE" ? .null : .string(text)
    reader.set(value, in: &message, field, Context(name: definition.name, parent: path, adds: true))
    try reader.finish()
  }

  private func finish() throws(ServiceFault) {
    if faults.isEmpty { return }
    throw .invalidArgument(faults)
  }

  // MARK: Messages

  private mutating func read(_ members: [String: JSONValue], into message: inout Message) {
    let type = message.type
    // The order of members is not kept: that of the names makes faults the same each time.
    for (name, json) in members.count == 1 ? Array(members) : members.sorted(by: { $0.key < $1.key }) {
      guard let field = type.index(ofField: name) else {
        refuseName(name, at: path, "Cannot find field.")
        continue
      }
      let place = path
      path = Self.path(of: type.fields[field], in: place)
      set(json, in: &message, field, Context(name: name, parent: place, adds: false))
      path = place
    }
  }

  private static func path(of field: Field, in place: String) -> String {
    place.isEmpty ? field.name : "\(place).\(field.name)"
  }

  /// How the value of a field is given.
  private struct Context {
    /// The field's name as it was sent.
    var name: String
    /// The place of the message.
    var parent: String
    /// Whether a repeated field gets one value more.
    var adds: Bool
  }

  private mutating func set(_ json: JSONValue, in message: inout Message, _ index: Int, _ context: Context) {
    let field = message.type.fields[index]
    if json.isNull, !field.kind.takesNull { return }
    if let oneof = field.oneof.map({ message.type.oneofs[$0] }), message.choice(oneof) != nil {
      let remark = "(oneof), oneof field '\(oneof)' is already set. Cannot set '\(context.name)'"
      return refuse(remark, at: context.parent)
    }
    switch field.cardinality {
    case .implicit, .optional:
      if case .array = json, field.kind != .wellKnown(.value), field.kind != .wellKnown(.listValue) {
        return refuseName(context.name, at: context.parent, "Proto field is not repeating, cannot start list.")
      }
      if let value = value(json, field, context) { message[index] = value }
    case .repeated:
      var values: [FieldValue] = []
      if context.adds, case .list(let earlier)? = message[index] { values = earlier }
      if case .array(let elements) = json {
        append(elements, to: &values, field, context)
      } else if let value = value(json, field, context) {
        // A single value is taken for a list of one.
        values.append(value)
      }
      message[index] = .list(values)
    case .map(let key): message[index] = map(json, field, key, message.type, context)
    }
  }

  private mutating func append(
    _ elements: [JSONValue], to values: inout [FieldValue], _ field: Field, _ context: Context
  ) {
    let place = path
    let earlierFaults = faults.count
    values.reserveCapacity(values.count + elements.count)
    for (number, element) in elements.enumerated() where !element.isNull || field.kind.takesNull {
      // The converter counts only those scalars that are wrong.
      path = "\(place)[\(field.kind.isScalar ? faults.count - earlierFaults : number)]"
      if let value = value(element, field, context) { values.append(value) }
    }
    path = place
  }

  private mutating func map(
    _ json: JSONValue, _ field: Field, _ keyKind: ScalarKind, _ type: MessageType, _ context: Context
  ) -> FieldValue? {
    guard case .object(let members) = json else {
      if case .array = json {
        refuse("(Map), Cannot bind a list to map for field '\(context.name)'.", at: context.parent)
      } else {
        refuse("(type.googleapis.com/\(type.name).\(field.entryName)), \(json.text)")
      }
      return nil
    }
    let place = path
    var values: [FieldValue: FieldValue] = [:]
    values.reserveCapacity(members.count)
    for (number, (name, json)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
      path = "\(place)[\(number)].key"
      guard let key = scalar(.string(name), keyKind) else { continue }
      path = "\(place)[\(number)].value"
      values[key] =
        json.isNull && !field.kind.takesNull ? field.kind.defaultValue(schema) : value(json, field, context)
    }
    path = place
    return .map(values)
  }

  // MARK: Values

  private mutating func value(_ json: JSONValue, _ field: Field, _ context: Context) -> FieldValue? {
    switch field.kind {
    case .scalar(let kind):
      guard case .object = json else { return scalar(json, kind) }
      refuse("(\(field.name)), Starting an object on a scalar field", at: context.parent)
      return nil
    case .wrapper(let kind): return wrapped(json, kind)
    case .enumeration(let index): return enumeration(json, schema.enums[index])
    case .null:
      guard json.isNull || json.string == "NULL_VALUE" || json.integer == 0 else { return mismatch(json, field.kind) }
      return .enumeration(0)
    case .message(let index):
      guard case .object(let members) = json else { return mismatch(json, field.kind) }
      var message = Message(of: index, in: schema)
      read(members, into: &message)
      return .message(message)
    case .wellKnown(let kind): return wellKnown(json, kind, context)
    }
  }

  private mutating func mismatch(_ json: JSONValue, _ kind: FieldKind) -> FieldValue? {
    refuse("(\(kind.label(schema))), \(json.text)")
    return nil
  }

  /// A scalar in a wrapper: the scalar alone, or the message, which some clients send.
  private mutating func wrapped(_ json: JSONValue, _ kind: ScalarKind) -> FieldValue? {
    var content = json
    if case .object(let members) = json {
      for name in members.keys.sorted() where name != "value" { refuseName(name, at: path, "Cannot find field.") }
      guard let value = members["value"], !value.isNull else { return kind.defaultValue }
      content = value
    }
    let place = path
    path += ".value"
    defer { path = place }
    return scalar(content, kind)
  }

  private mutating func enumeration(_ json: JSONValue, _ type: EnumType) -> FieldValue? {
    if let number = json.integer.flatMap({ Int32(exactly: $0) }) { return .enumeration(number) }
    if let text = json.string, let number = type.number(ofText: text) { return .enumeration(number) }
    refuse("(type.googleapis.com/\(type.name)), \(json.text)")
    return nil
  }

  private mutating func scalar(_ json: JSONValue, _ kind: ScalarKind) -> FieldValue? {
    if let value = ScalarText.value(json, kind) { return value }
    let remark = kind == .bytes && json.string != nil ? "Base64 decoding failed for \(json.text)" : json.text
    refuse("(\(kind.label)), \(remark)")
    return nil
  }

  private mutating func wellKnown(_ json: JSONValue, _ kind: WellKnownKind, _ context: Context) -> FieldValue? {
    do throws(WellKnownText.Fault) {
      switch (kind, json) {
      case (.timestamp, .string(let text)): return .time(try WellKnownText.timestamp(text))
      case (.duration, .string(let text)): return .time(try WellKnownText.duration(text))
      case (.fieldMask, .string(let text)): return .list(FieldMaskText.paths(text))
      case (.structure, .object), (.listValue, .array), (.value, _): return .json(json.withFloats)
      case (.any, .object(let members)): return any(members)
      case (.timestamp, _), (.duration, _), (.fieldMask, _):
        let type = kind == .fieldMask ? "field mask" : kind.rawValue.lowercased()
        throw .init(remark: "Invalid data type for \(type), value is \(json.text)")
      default: return mismatch(json, .wellKnown(kind))
      }
    } catch {
      refuse("(type.googleapis.com/google.protobuf.\(kind.rawValue)), Field '\(context.name)', \(error.remark)")
      return nil
    }
  }

  private mutating func any(_ members: [String: JSONValue]) -> FieldValue? {
    var members = members
    guard let url = members.removeValue(forKey: "@type")?.string else {
      refuse("(Any), Missing @type for any field in google.protobuf.Any")
      return nil
    }
    guard let index = schema.index(ofTypeURL: url) else {
      let name = url.split(separator: "/").last ?? ""
      refuse("(Any), Invalid type URL, unknown type: \(name)")
      return nil
    }
    var message = Message(of: index, in: schema)
    if message.type.fields.isEmpty { members["value"] = nil }
    // Within it, places are those of the message in it.
    let place = path
    path = ""
    read(members, into: &message)
    path = place
    return .any(AnyMessage(typeURL: url, content: .message(message)))
  }

  // MARK: Faults

  private mutating func refuse(_ remark: String) { refuse(remark, at: path) }

  private mutating func refuse(_ remark: String, at place: String) {
    add(place, "Invalid value\(Self.location(place)) \(remark)")
  }

  private mutating func refuseName(_ name: String, at place: String, _ remark: String) {
    add(place, "Invalid JSON payload received. Unknown name \"\(name)\"\(Self.location(place)): \(remark)")
  }

  private static func location(_ place: String) -> String { place.isEmpty ? "" : " at '\(place)'" }

  private mutating func add(_ field: String, _ description: String) {
    if faults.count < Self.faultLimit { faults.append(FieldViolation(field: field, description: description)) }
  }
}

extension JSONValue {
  /// The value with a float for each integer: a `Struct` has no others.
  fileprivate var withFloats: JSONValue {
    switch self {
    case .integer(let number): .double(Double(number))
    case .array(let elements): .array(elements.map(\.withFloats))
    case .object(let members): .object(members.mapValues(\.withFloats))
    default: self
    }
  }
}

extension FieldKind {
  /// Whether `null` is a value.
  fileprivate var takesNull: Bool { self == .null || self == .wellKnown(.value) }

  /// The name of the type in faults.
  func label(_ schema: Schema) -> String {
    switch self {
    case .scalar(let kind): kind.label
    case .wrapper(let kind): kind.label
    case .enumeration(let index): "type.googleapis.com/\(schema.enums[index].name)"
    case .null: "type.googleapis.com/google.protobuf.NullValue"
    case .message(let index): "type.googleapis.com/\(schema.messages[index].name)"
    case .wellKnown(let kind): "type.googleapis.com/google.protobuf.\(kind.rawValue)"
    }
  }
}
