/// Validated JSON text: one well-formed value in UTF-8, within its limits.
///
/// The bytes are kept as received, so that a payload passes through the system without being decoded.
public struct JSONText: Hashable, Sendable {
  /// The text in UTF-8.
  public let bytes: [UInt8]

  /// `null`.
  public static let null = JSONText(.null)

  /// Creates JSON text from bytes after validating them.
  ///
  /// - Parameters:
  ///   - bytes: the text in UTF-8.
  ///   - limits: the limits of size and depth.
  /// - Throws: ``JobError`` `malformedJSON` or `tooLarge`.
  public init(checking bytes: [UInt8], limits: JSONLimits = .envelope) throws(JobError) {
    try JSONParser.parse(bytes, limits: limits) { (parser) throws(JobError) in try parser.skipValue(depth: 0) }
    self.bytes = bytes
  }

  /// Creates the text of a value, with members sorted by key.
  public init(_ value: JSONValue) {
    bytes = value.encoded
  }

  package init(trusted bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The decoded value.
  public var value: JSONValue {
    (try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: .max, depth: .max))) ?? .null
  }
}

extension JSONText: CustomStringConvertible {
  /// The text.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
