#if HTTP
public import HTTPTypes

/// The complete answer to an ``HTTPClientRequest``, whatever its status.
public struct HTTPClientResponse: Sendable, Hashable {
  /// The status code, 200 to 999; a redirect is an answer like any other and is never followed.
  public var status: Int
  /// The header fields in the order in which they came, without those of interim answers and trailers.
  public var headers: HTTPFields
  /// The body, as it was sent.
  public var body: [UInt8]

  /// A response; by default without fields and body.
  public init(status: Int, headers: HTTPFields = HTTPFields(), body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}
#endif
