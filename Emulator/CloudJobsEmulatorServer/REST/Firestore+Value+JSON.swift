import CloudJobsCore
import CloudJobsEmulator

extension Firestore.Value {
  /// A value from its JSON: an object whose one member tells the kind.
  ///
  /// - Parameters:
  ///   - json: the JSON.
  ///   - place: where in the body it stands, for the error.
  /// - Throws: ``ServiceFault`` `invalidArgument` for JSON that is no value.
  init(json: JSONValue, at place: String) throws(ServiceFault) {
    guard case .object(let members) = json else { throw MessageReader.mismatch(place, json, "a value") }
    guard members.count == 1, let (kind, content) = members.first else {
      throw ServiceFault(
        .invalidArgument, members.isEmpty ? "A value must have its type." : "A value can have only one type.",
        field: place)
    }
    func mismatch(_ expected: String) -> ServiceFault { MessageReader.mismatch("\(place).\(kind)", content, expected) }
    switch FieldMask([kind]).paths.first {
    case "nullValue":
      guard content.isNull || content.string == "NULL_VALUE" || content.integer == 0 else { throw mismatch("null") }
      self = .null
    case "booleanValue":
      guard let truth = content.bool else { throw mismatch("a boolean") }
      self = .boolean(truth)
    case "integerValue":
      guard let number = content.integer ?? content.string.flatMap({ Int64($0) }) else {
        throw mismatch("a 64-bit integer")
      }
      self = .integer(number)
    case "doubleValue":
      guard let number = Self.double(content) else { throw mismatch("a number") }
      self = .double(number)
    case "timestampValue":
      guard let text = content.string, text.utf8.count > 10, let time = Timestamp(rfc3339: text) else {
        throw mismatch("an RFC 3339 timestamp")
      }
      self = .timestamp(time)
    case "stringValue":
      guard let text = content.string else { throw mismatch("a string") }
      self = .string(text)
    case "bytesValue":
      guard let bytes = content.string.flatMap({ Base64.decode($0) }) else { throw mismatch("Base64") }
      self = .bytes(bytes)
    case "referenceValue":
      guard let text = content.string else { throw mismatch("a string") }
      self = .reference(try Firestore.Name(document: text))
    case "geoPointValue":
      guard let point = content.object, let latitude = Self.coordinate(point["latitude"]),
        let longitude = Self.coordinate(point["longitude"]), point.keys.allSatisfy(["latitude", "longitude"].contains)
      else { throw mismatch("a geographical point") }
      self = .geoPoint(latitude: latitude, longitude: longitude)
    case "arrayValue":
      guard let list = content.object, list.keys.allSatisfy({ $0 == "values" }) else {
        throw mismatch("an array value")
      }
      self = .array(try Self.elements(list["values"] ?? [], at: place))
    case "mapValue":
      guard let map = content.object, map.keys.allSatisfy({ $0 == "fields" }) else { throw mismatch("a map value") }
      self = .map(try Self.fields(map["fields"] ?? .object([:]), at: place))
    default:
      throw ServiceFault(
        .invalidArgument,
        "Invalid JSON payload received. Unknown name \"\(kind)\" at '\(place)': Cannot find field.", field: place)
    }
  }

  /// Named values from their JSON.
  static func fields(_ json: JSONValue, at place: String) throws(ServiceFault) -> [String: Firestore.Value] {
    if json.isNull { return [:] }
    guard case .object(let members) = json else { throw MessageReader.mismatch(place, json, "a map of values") }
    var fields: [String: Firestore.Value] = [:]
    fields.reserveCapacity(members.count)
    for (name, value) in members { fields[name] = try Firestore.Value(json: value, at: place) }
    return fields
  }

  /// The elements of a list from their JSON.
  static func elements(_ json: JSONValue, at place: String) throws(ServiceFault) -> [Firestore.Value] {
    if json.isNull { return [] }
    guard case .array(let values) = json else { throw MessageReader.mismatch(place, json, "an array of values") }
    var elements: [Firestore.Value] = []
    elements.reserveCapacity(values.count)
    for value in values { elements.append(try Firestore.Value(json: value, at: place)) }
    return elements
  }

  /// The value as JSON.
  var json: JSONValue {
    switch self {
    case .null: ["nullValue": .null]
    case .boolean(let truth): ["booleanValue": .bool(truth)]
    case .integer(let number): ["integerValue": .string(String(number))]
    case .double(let number): ["doubleValue": Self.json(number)]
    case .timestamp(let time): ["timestampValue": .string("\(time)")]
    case .string(let text): ["stringValue": .string(text)]
    case .bytes(let bytes): ["bytesValue": .string(Base64.encode(bytes))]
    case .reference(let name): ["referenceValue": .string("\(name)")]
    case .geoPoint(let latitude, let longitude):
      ["geoPointValue": ["latitude": Self.json(latitude), "longitude": Self.json(longitude)]]
    case .array(let elements):
      ["arrayValue": elements.isEmpty ? .object([:]) : ["values": .array(elements.map(\.json))]]
    case .map(let fields):
      ["mapValue": fields.isEmpty ? .object([:]) : ["fields": .object(fields.mapValues(\.json))]]
    }
  }

  private static func json(_ number: Double) -> JSONValue {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return .double(number)
  }

  private static func double(_ json: JSONValue) -> Double? {
    guard let text = json.string else { return json.double }
    switch text {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default:
      guard let number = Double(text), number.isFinite, text.first?.isLetter != true else { return nil }
      return number
    }
  }

  private static func coordinate(_ json: JSONValue?) -> Double? {
    guard let json, !json.isNull else { return 0 }
    return double(json)
  }
}
