#if HTTP
public import HTTPTypes

/// A transport that sends HTTP requests: the live client, or its replacement in a test.
public protocol HTTPExchange: Sendable {
  /// Sends a request and waits for the complete response.
  ///
  /// - Parameter request: the request and its timeout.
  /// - Returns: the response, whatever its status.
  /// - Throws: an ``HTTPExchangeError`` if there is no complete response. The server may then have acted on the
  ///   request, except for the codes of ``HTTPExchangeError/requestWasNotSent``.
  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse
}

/// A request of an ``HTTPExchange``.
public struct HTTPExchangeRequest: Sendable, Hashable {
  /// The method; `CONNECT` is rejected.
  public var method: HTTPRequest.Method
  /// The absolute URL, percent-encoded, with the scheme `http` or `https` and without credentials.
  public var url: String
  /// The header fields.
  ///
  /// A field with an empty value is sent as such. The client controls message framing: `Content-Length`,
  /// `Transfer-Encoding`, `Connection`, `Keep-Alive`, `Upgrade`, `TE`, `Trailer`, `Expect` and `Proxy-…` are omitted.
  /// No `Content-Type` or `Accept` is added.
  public var headers: HTTPFields
  /// The body; empty for none.
  public var body: [UInt8]
  /// The timeout from the call of `send` to the last byte, including the wait for a connection.
  public var timeout: Duration
  /// Whether the request is idempotent; nil to decide by the method.
  ///
  /// GET, HEAD, OPTIONS, TRACE, PUT and DELETE are idempotent, other methods are not [RFC 9110, 9.2.2]. An idempotent
  /// request is sent again if a kept connection ends before the first byte of the response. Any other request is never
  /// sent again once a byte of it was written, and then fails with `connectionClosed`, because the server may have
  /// acted on it.
  public var isIdempotent: Bool?

  /// Creates a request, by default a GET with a timeout of 30 seconds.
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

/// The complete response to an ``HTTPExchangeRequest``, whatever its status.
public struct HTTPExchangeResponse: Sendable, Hashable {
  /// The status code, 200 to 999; redirects are returned, not followed.
  public var status: Int
  /// The header fields in the order received, without those of interim responses and trailers.
  public var headers: HTTPFields
  /// The body, as sent.
  public var body: [UInt8]

  /// Creates a response, by default without fields and body.
  public init(status: Int, headers: HTTPFields = HTTPFields(), body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}
#endif
