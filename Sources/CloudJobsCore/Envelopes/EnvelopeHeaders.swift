/// A request's header fields, found by name without regard to case.
public struct EnvelopeHeaders: Sendable {
  /// The fields, their names in lower case.
  private let fields: [(name: String, value: String)]

  /// Fields in the order in which they came; a name may occur more than once.
  public init(_ fields: [(name: String, value: String)] = []) {
    self.fields = fields.map { (name: $0.name.lowercased(), value: $0.value) }
  }

  /// The first value of a field without the space around it, or nil where the field is absent or empty.
  public subscript(name: String) -> String? {
    let lowercased = name.lowercased()
    for index in fields.indices where fields[index].name == lowercased {
      if let value = Self.trimmed(fields[index].value) { return value }
    }
    return nil
  }

  /// The value of a field that may have only one.
  ///
  /// - Parameter name: the field's name.
  /// - Returns: the value without the space around it, or nil where the field is absent or empty.
  /// - Throws: ``JobError`` `invalidField` where the field occurs again with another value: two readers could then take
  ///   two different values for the request's identity.
  func single(_ name: String) throws(JobError) -> String? {
    var found: String?
    let lowercased = name.lowercased()
    for index in fields.indices where fields[index].name == lowercased {
      guard let value = Self.trimmed(fields[index].value) else { continue }
      guard found == nil || found == value else {
        throw JobError(.invalidField, "The header \(name) occurs with two values. Send one.", field: name)
      }
      found = value
    }
    return found
  }

  private static func trimmed(_ value: String) -> String? {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let bytes = value.utf8
    guard let start = bytes.firstIndex(where: { !isSpace($0) }), let end = bytes.lastIndex(where: { !isSpace($0) })
    else { return nil }
    return String(value[start...end])
  }
}

extension EnvelopeHeaders: ExpressibleByDictionaryLiteral {
  /// Fields written in source code; a name may occur more than once.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { (name: $0.0, value: $0.1) })
  }
}
