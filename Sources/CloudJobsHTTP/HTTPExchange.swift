#if HTTP
/// Something that sends a request and gives its answer: the live client, or what stands in for it in a test.
public protocol HTTPExchange: Sendable {
  /// Sends a request and waits for the whole answer.
  ///
  /// - Parameter request: what to send, and how long it may take.
  /// - Returns: the answer, whatever its status.
  /// - Throws: an ``HTTPClientError`` where there is no complete answer; whether the server has acted on the request
  ///   is then unknown, save for the codes that ``HTTPClientError/requestWasNotSent`` names.
  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse
}
#endif
