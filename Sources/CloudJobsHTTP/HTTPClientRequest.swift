#if HTTP
public import HTTPTypes

/// One request that an ``HTTPExchange`` sends.
public struct HTTPClientRequest: Sendable, Hashable {
  /// The method; `CONNECT` is refused.
  public var method: HTTPRequest.Method
  /// The absolute URL, percent-encoded, with the scheme `http` or `https` and without credentials.
  public var url: String
  /// The header fields.
  ///
  /// A field with an empty value is sent as such. The client owns the message's framing: `Content-Length`,
  /// `Transfer-Encoding`, `Connection`, `Keep-Alive`, `Upgrade`, `TE`, `Trailer`, `Expect` and `Proxy-…` are left out.
  /// No `Content-Type` and no `Accept` is added.
  public var headers: HTTPFields
  /// The body; empty for none.
  public var body: [UInt8]
  /// How long the exchange may take from the call of `send` to the last byte, waiting for a connection included.
  public var timeout: Duration
  /// Whether the request means the same when it comes twice; nil to go by the method.
  ///
  /// By the method, GET, HEAD, OPTIONS, TRACE, PUT and DELETE do [RFC 9110, 9.2.2], any other doesn't. Such a request
  /// is sent again when a kept connection ends before a byte of the answer. Any other is never sent again once a byte
  /// of it was written, and fails with `connectionClosed` then: the server may have acted on it.
  public var isIdempotent: Bool?

  /// A request; by default a GET that may take 30 seconds.
  public init(
    method: HTTPRequest.Method = .get, url: String, headers: HTTPFields = HTTPFields(), body: [UInt8] = [],
    timeout: Duration = .seconds(30), isIdempotent: Bool? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.isIdempotent = isIdempotent
  }
}
#endif
