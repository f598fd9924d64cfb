/// JSON text that has been checked: one value, well formed, in UTF-8, within its limits.
///
/// The bytes are kept as they came, so that a payload passes through the system without being decoded.
public struct JSONText: Hashable, Sendable {
  /// The text in UTF-8.
  public let bytes: [UInt8]

  /// `null`.
  public static let null = JSONText(.null)

  /// Checks bytes.
  ///
  /// - Parameters:
  ///   - bytes: the text in UTF-8.
  ///   - limits: how long and how deep it may be.
  /// - Throws: ``JobError`` `malformedJSON` or `tooLarge`.
  public init(checking bytes: [UInt8], limits: JSONLimits = .envelope) throws(JobError) {
    try JSONParser.parse(bytes, limits: limits) { (parser) throws(JobError) in try parser.skipValue(depth: 0) }
    self.bytes = bytes
  }

  /// The text of a value, members sorted by key.
  public init(_ value: JSONValue) {
    bytes = value.encoded
  }

  package init(trusted bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The value that the text means.
  public var value: JSONValue {
    (try? JSONValue(parsing: bytes, limits: JSONLimits(bytes: .max, depth: .max))) ?? .null
  }
}

extension JSONText: CustomStringConvertible {
  /// The text.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
