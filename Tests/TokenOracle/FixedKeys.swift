#if Google
import CloudJobsHTTP

/// Answers every request with one document.
struct FixedKeys: HTTPExchange {
  let document: String

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    HTTPClientResponse(status: 200, body: Array(document.utf8))
  }
}
#endif
