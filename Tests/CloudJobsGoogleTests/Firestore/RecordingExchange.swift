#if HTTP && Server
import CloudJobsHTTP
import Synchronization

/// Passes requests on and keeps them.
final class RecordingExchange: HTTPExchange {
  private let base: any HTTPExchange
  private let kept = Mutex<[HTTPClientRequest]>([])

  init(_ base: any HTTPExchange) {
    self.base = base
  }

  /// The requests in their order.
  var requests: [HTTPClientRequest] { kept.withLock { $0 } }

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    kept.withLock { $0.append(request) }
    return try await base.send(request)
  }
}
#endif
