package import CloudJobsCore

extension Firestore {
  /// A document: a name, fields, and the times of its creation and latest change.
  package struct Document: Equatable, Sendable, Codable {
    /// The name.
    package var name: Name
    /// The fields.
    package var fields: [String: Value]
    /// The creation time; a document recreated after a deletion has a new one.
    package var createTime: Timestamp
    /// The time of the latest change of the fields; a write without changes keeps it.
    package var updateTime: Timestamp

    /// Creates a document.
    package init(name: Name, fields: [String: Value], createTime: Timestamp, updateTime: Timestamp) {
      self.name = name
      self.fields = fields
      self.createTime = createTime
      self.updateTime = updateTime
    }

    /// The value at a path, or nil if there is none; `__name__` gives the document's name.
    package subscript(path: FieldPath) -> Value? {
      path.isDocumentName ? .reference(name) : fields[path.segments[...]]
    }

    /// Returns the document with only the fields named by a mask; nil keeps all.
    func masked(by mask: [FieldPath]?) -> Document {
      guard let mask else { return self }
      var result = self
      result.fields = [:]
      for path in mask where !path.isDocumentName {
        if let value = fields[path.segments[...]] { result.fields.set(value, at: path.segments[...]) }
      }
      return result
    }
  }
}

/// The limits on fields, and the sizes that count towards them.
///
/// Sources: <https://firebase.google.com/docs/firestore/quotas>,
/// <https://firebase.google.com/docs/firestore/storage-size>.
enum FieldRules {
  /// Maximum size of a document, in bytes.
  static let maximumSize = 1_048_576
  /// Maximum nesting depth of maps and arrays.
  static let maximumDepth = 20

  /// Validates fields to write.
  static func check(_ fields: [String: Firestore.Value]) throws(ServiceFault) {
    for (name, value) in fields {
      try check(name: name)
      try check(value, in: name, depth: 0, isInArray: false)
    }
  }

  /// Validates a value to write, as an array element or as a field.
  static func check(
    _ value: Firestore.Value, in field: String, depth: Int, isInArray: Bool
  ) throws(ServiceFault) {
    guard depth <= maximumDepth else {
      throw .invalidArgument(
        "Property \(field) is nested too deeply: maps and arrays may nest \(maximumDepth) levels deep.")
    }
    switch value {
    case .array(let elements):
      guard !isInArray else { throw .invalidArgument("Cannot convert an array value in an array value.") }
      for element in elements { try check(element, in: field, depth: depth + 1, isInArray: true) }
    case .map(let fields):
      if let elements = value.vector {
        guard (1...2_048).contains(elements.count), elements.allSatisfy({ $0.number != nil }) else {
          throw .invalidArgument("A vector has 1 to 2048 numbers.")
        }
        return
      }
      for (name, value) in fields {
        try check(name: name)
        try check(value, in: field, depth: depth + 1, isInArray: false)
      }
    case .geoPoint(let latitude, let longitude):
      guard abs(latitude) <= 90 else { throw .invalidArgument("Latitude must be in the range of [-90, +90].") }
      guard abs(longitude) <= 180 else { throw .invalidArgument("Longitude must be in the range of [-180, +180].") }
    default: break
    }
  }

  /// Validates a field name: 1 to 1,500 bytes, not of the form `__…__`.
  static func check(name: String) throws(ServiceFault) {
    guard !name.isEmpty else { throw .invalidArgument("The name of a property cannot be empty.") }
    guard name.utf8.count <= 1_500 else {
      throw .invalidArgument("The name of a property is longer than 1500 bytes.")
    }
    guard !Firestore.FieldPath.isReserved(name) else {
      throw .invalidArgument("The property name \"\(name)\" is reserved.")
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
    case .array(let elements): elements.reduce(0) { $0 + size(of: $1) }
    case .map(let fields): size(of: fields)
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
