extension Timestamp: Codable {
  /// The time of an integer; saturates like ``init(microseconds:)``.
  public init(from decoder: any Decoder) throws { self.init(microseconds: try Int64(from: decoder)) }

  /// Microseconds since 1970 as an integer.
  public func encode(to encoder: any Encoder) throws { try microseconds.encode(to: encoder) }
}
