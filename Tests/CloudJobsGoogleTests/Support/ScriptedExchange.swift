#if HTTP && Server
import CloudJobsHTTP
import Synchronization

/// Answers each request by a rule, and keeps it.
final class ScriptedExchange: HTTPExchange {
  private let requests = Mutex<[HTTPClientRequest]>([])
  private let answer: @Sendable (HTTPClientRequest) throws(HTTPClientError) -> HTTPClientResponse

  init(_ answer: @escaping @Sendable (HTTPClientRequest) throws(HTTPClientError) -> HTTPClientResponse) {
    self.answer = answer
  }

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    requests.withLock { $0.append(request) }
    return try answer(request)
  }

  var all: [HTTPClientRequest] { requests.withLock { $0 } }
}
#endif
