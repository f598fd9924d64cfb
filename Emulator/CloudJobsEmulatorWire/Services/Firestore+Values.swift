import CloudJobsCore
import CloudJobsEmulator

extension Firestore.Value {
  /// A value from its message.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for a message without a kind, or an invalid name of a document.
  init(_ message: Message) throws(ServiceFault) {
    guard let (field, value) = message.values.first else { throw .invalidArgument("A value must have its type.") }
    switch (field.name, value) {
    case ("null_value", _): self = .null
    case ("boolean_value", .bool(let truth)): self = .boolean(truth)
    case ("integer_value", .int(let number)): self = .integer(number)
    case ("double_value", .double(let number)): self = .double(number)
    case ("timestamp_value", .time(let time)): self = .timestamp(time.timestamp)
    case ("string_value", .string(let text)): self = .string(text)
    case ("bytes_value", .bytes(let bytes)): self = .bytes(bytes)
    case ("reference_value", .string(let text)): self = .reference(try Firestore.Name(document: text))
    case ("geo_point_value", .message(let point)):
      self = .geoPoint(latitude: point.double("latitude"), longitude: point.double("longitude"))
    case ("array_value", .message(let array)): self = .array(try Self.list(array))
    case ("map_value", .message(let map)): self = .map(try Self.map(map))
    default:
      throw ServiceFault(.unimplemented, "The emulator does not support a \(field.jsonName) in a document or a query.")
    }
  }

  /// The elements of a message with the field `values`.
  static func list(_ message: Message) throws(ServiceFault) -> [Firestore.Value] {
    let values = message.list("values")
    var elements: [Firestore.Value] = []
    elements.reserveCapacity(values.count)
    for case .message(let value) in values { elements.append(try Firestore.Value(value)) }
    return elements
  }

  /// The values of a message with the map `fields`.
  static func map(_ message: Message) throws(ServiceFault) -> [String: Firestore.Value] {
    let values = message.map("fields")
    var fields: [String: Firestore.Value] = [:]
    fields.reserveCapacity(values.count)
    for case (.string(let name), .message(let value)) in values { fields[name] = try Firestore.Value(value) }
    return fields
  }
}

extension Message {
  /// Returns a value; nil if it is absent.
  func value(_ name: String) throws(ServiceFault) -> Firestore.Value? {
    guard let message = message(name) else { return nil }
    return try Firestore.Value(message)
  }

  /// Fills a value.
  mutating func fill(_ value: Firestore.Value) {
    switch value {
    case .null: self["null_value"] = .enumeration(0)
    case .boolean(let truth): self["boolean_value"] = .bool(truth)
    case .integer(let number): self["integer_value"] = .int(number)
    case .double(let number): self["double_value"] = .double(number)
    case .timestamp(let time): self["timestamp_value"] = .time(WireTime(time))
    case .string(let text): self["string_value"] = .string(text)
    case .bytes(let bytes): self["bytes_value"] = .bytes(bytes)
    case .reference(let name): self["reference_value"] = .string("\(name)")
    case .geoPoint(let latitude, let longitude):
      set("geo_point_value") {
        $0.set("latitude", latitude)
        $0.set("longitude", longitude)
      }
    case .array(let elements): set("array_value") { $0.set("values", forEach: elements) { $0.fill($1) } }
    case .map(let fields): set("map_value") { $0.set("fields", values: fields) }
    }
  }

  /// Sets a map of values.
  mutating func set(_ name: String, values: [String: Firestore.Value]) {
    let empty = empty(name)
    var entries: [FieldValue: FieldValue] = [:]
    entries.reserveCapacity(values.count)
    for (key, value) in values {
      var message = empty
      message.fill(value)
      entries[.string(key)] = .message(message)
    }
    self[name] = .map(entries)
  }

  /// Fills a document.
  mutating func fill(_ document: Firestore.Document) {
    set("name", "\(document.name)")
    set("fields", values: document.fields)
    set("create_time", document.createTime)
    set("update_time", document.updateTime)
  }

  /// Fills the result of a write.
  mutating func fill(_ result: Firestore.WriteResult) {
    set("update_time", result.updateTime)
    set("transform_results", forEach: result.transformResults) { $0.fill($1) }
  }

  /// Returns the fields of a `DocumentMask`, or nil if there is none; one without paths is not the same as none.
  func fieldPaths(_ name: String) throws(ServiceFault) -> [Firestore.FieldPath]? {
    guard let mask = message(name) else { return nil }
    var paths: [Firestore.FieldPath] = []
    for text in mask.texts("field_paths") { paths.append(try Firestore.FieldPath(parsing: text)) }
    return paths
  }
}
