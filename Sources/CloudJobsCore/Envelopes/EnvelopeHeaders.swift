/// A request's header fields, found by name without regard to case.
public struct EnvelopeHeaders: Sendable {
  private var fields: [(name: String, value: String)]

  /// Fields in the order in which they came; a name may occur more than once.
  public init(_ fields: [(name: String, value: String)] = []) {
    self.fields = fields
  }

  /// The first value of a field without the space around it, or nil where the field is absent or empty.
  public subscript(name: String) -> String? {
    for index in fields.indices where Self.areEqual(fields[index].name, name) {
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
    for index in fields.indices where Self.areEqual(fields[index].name, name) {
      guard let value = Self.trimmed(fields[index].value) else { continue }
      guard found == nil || found == value else {
        throw JobError(.invalidField, "The header \(name) occurs with two values. Send one.", field: name)
      }
      found = value
    }
    return found
  }

  private static func areEqual(_ left: String, _ right: String) -> Bool {
    let (left, right) = (left.utf8, right.utf8)
    return left.count == right.count && left.elementsEqual(right) { lowercased($0) == lowercased($1) }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
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
