import CloudJobsCore

/// Bytes that are encoded as a text in Base64, as a list of numbers would be four times as long.
@propertyWrapper
public struct Base64Bytes: Hashable, Sendable {
  /// The bytes.
  public var wrappedValue: [UInt8]

  /// A wrapper around bytes.
  public init(wrappedValue: [UInt8]) {
    self.wrappedValue = wrappedValue
  }
}

extension Base64Bytes: Codable {
  /// The bytes of a text in Base64.
  public init(from decoder: any Decoder) throws {
    guard let bytes = Base64.decode(try String(from: decoder)) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no Base64"))
    }
    self.init(wrappedValue: bytes)
  }

  /// The bytes as a text in Base64.
  public func encode(to encoder: any Encoder) throws { try Base64.encode(wrappedValue).encode(to: encoder) }
}
