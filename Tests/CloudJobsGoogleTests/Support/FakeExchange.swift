#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Synchronization

/// An exchange that answers by a rule, records requests, and can hold responses back.
final class FakeExchange: HTTPExchange {
  typealias Rule =
    @Sendable (_ request: HTTPExchangeRequest, _ number: Int) throws(HTTPExchangeError) -> HTTPExchangeResponse

  private struct State {
    var requests: [HTTPExchangeRequest] = []
    var rule: Rule
    var isHolding = false
    var held: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  /// Creates an exchange with a rule, which gets the request and its number from 1.
  init(_ rule: @escaping Rule) {
    state = Mutex(State(rule: rule))
  }

  /// Creates an exchange with one response to everything.
  convenience init(_ response: HTTPExchangeResponse) {
    self.init { (_, _) throws(HTTPExchangeError) in response }
  }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    let (rule, number) = state.withLock { state in
      state.requests.append(request)
      return (state.rule, state.requests.count)
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLock { state in
          if state.isHolding, !Task.isCancelled { state.held.append(continuation) }
          return !state.isHolding || Task.isCancelled
        }
        if isOpen { continuation.resume() }
      }
    } onCancel: {
      release()
    }
    if Task.isCancelled { throw HTTPExchangeError(.cancelled, "The request was cancelled.") }
    return try rule(request, number)
  }

  /// The requests so far.
  var requests: [HTTPExchangeRequest] { state.withLock { $0.requests } }

  /// Replaces the rule.
  func answer(_ rule: @escaping Rule) { state.withLock { $0.rule = rule } }

  /// Holds responses back from now on.
  func hold() { state.withLock { $0.isHolding = true } }

  /// Releases all responses, including future ones.
  func open() {
    state.withLock { $0.isHolding = false }
    release()
  }

  private func release() {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for continuation in held { continuation.resume() }
  }
}

extension HTTPExchangeResponse {
  /// Returns a response of JSON text.
  static func json(_ text: String, status: Int = 200, _ fields: HTTPFields = [:]) -> HTTPExchangeResponse {
    HTTPExchangeResponse(status: status, headers: fields, body: Array(text.utf8))
  }
}
#endif
