/// The limits on fields, and the sizes that count towards them.
///
/// Sources: <https://firebase.google.com/docs/firestore/quotas>,
/// <https://firebase.google.com/docs/firestore/storage-size>; the texts of nested and long values are recorded.
enum FieldRules {
  /// Maximum size of a document, in bytes.
  static let maximumSize = 1_048_576
  /// Maximum size of a string or bytes value: 1 MiB less 89 bytes.
  static let maximumValueSize = 1_048_487
  /// Maximum number of maps and arrays in each other.
  static let maximumDepth = 20
  /// Maximum size of the name of a field, a document or a collection, in bytes.
  static let maximumNameSize = 1_500
  /// Maximum number of a vector's dimensions.
  static let maximumDimensions = 2_048

  /// Validates fields to write.
  static func check(_ fields: [String: Firestore.Value]) throws(ServiceFault) {
    for (name, value) in fields {
      try check(name: name)
      try check(value, at: [name], depth: 0, isInArray: false)
    }
  }

  /// Validates a value to write.
  ///
  /// - Parameters:
  ///   - value: the value.
  ///   - path: the names of the field and of the maps around it; arrays have none.
  ///   - depth: the number of maps and arrays around it.
  ///   - isInArray: whether it is an element of an array.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  static func check(
    _ value: Firestore.Value, at path: [String], depth: Int, isInArray: Bool
  ) throws(ServiceFault) {
    switch value {
    case .array(let elements):
      guard !isInArray else { throw .invalidArgument("Cannot convert an array value in an array value.") }
      guard depth < maximumDepth else { throw tooDeep(path) }
      for element in elements { try check(element, at: path, depth: depth + 1, isInArray: true) }
    case .map(let fields):
      if let elements = value.vector { return try check(vector: elements) }
      guard depth < maximumDepth else { throw tooDeep(path) }
      for (name, value) in fields {
        try check(name: name)
        try check(value, at: path + [name], depth: depth + 1, isInArray: false)
      }
    case .string(let text): try check(length: text.utf8.count, at: path)
    case .bytes(let bytes): try check(length: bytes.count, at: path)
    case .geoPoint(let latitude, let longitude):
      guard abs(latitude) <= 90 else { throw .invalidArgument("Latitude must be in the range of [-90, +90].") }
      guard abs(longitude) <= 180 else { throw .invalidArgument("Longitude must be in the range of [-180, +180].") }
    default: break
    }
  }

  private static func check(length: Int, at path: [String]) throws(ServiceFault) {
    guard length > maximumValueSize else { return }
    throw .invalidArgument(
      "The value of property \"\(Firestore.FieldPath(path))\" is longer than \(maximumValueSize) bytes.")
  }

  private static func check(vector elements: [Firestore.Value]) throws(ServiceFault) {
    guard !elements.isEmpty else { throw .invalidArgument("Cannot have a zero length vector.") }
    guard elements.count <= maximumDimensions else {
      throw .invalidArgument("Vectors must be at most \(maximumDimensions) dimensions.")
    }
    guard elements.allSatisfy({ $0.number != nil }) else {
      throw .invalidArgument("Vector must only contain values of type 'double'.")
    }
  }

  private static func tooDeep(_ path: [String]) -> ServiceFault {
    .invalidArgument("Property \(path.first ?? "") contains an invalid nested entity.")
  }

  /// Validates a field name: 1 to 1,500 bytes, not of the form `__…__`.
  static func check(name: String) throws(ServiceFault) {
    guard !name.isEmpty else { throw .invalidArgument("The property.name is the empty string.") }
    guard name.utf8.count <= maximumNameSize else {
      throw .invalidArgument("The property.name is longer than \(maximumNameSize) bytes.")
    }
    guard !Firestore.FieldPath.isReserved(name) else {
      throw .invalidArgument("The property.name \"\(name)\" is reserved.")
    }
  }

  /// Validates the size of a document.
  static func check(size document: Firestore.Document) throws(ServiceFault) {
    let size = size(of: document)
    guard size > maximumSize else { return }
    throw .invalidArgument(
      "Document '\(document.name)' cannot be written because its size (\(grouped(size)) bytes) exceeds the maximum "
        + "allowed size of \(grouped(maximumSize)) bytes.")
  }

  /// Returns the size of a document for billing and limits.
  static func size(of document: Firestore.Document) -> Int {
    size(of: document.name) + size(of: document.fields) + 32
  }

  private static func size(of name: Firestore.Name) -> Int {
    name.path.segments.reduce(16) { $0 + $1.utf8.count + 1 }
  }

  private static func size(of fields: [String: Firestore.Value]) -> Int {
    fields.reduce(0) { $0 + $1.key.utf8.count + 1 + size(of: $1.value) }
  }

  private static func size(of value: Firestore.Value) -> Int {
    switch value {
    case .null, .boolean: 1
    case .integer, .double, .timestamp: 8
    case .string(let text): text.utf8.count + 1
    case .bytes(let bytes): bytes.count
    case .reference(let name): size(of: name)
    case .geoPoint: 16
    // Recorded: an empty array or map counts a byte, which the documentation does not say.
    case .array(let elements): max(1, elements.reduce(0) { $0 + size(of: $1) })
    case .map(let fields): max(1, size(of: fields))
    }
  }

  private static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }
}
