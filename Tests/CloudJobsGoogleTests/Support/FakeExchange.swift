#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Synchronization

/// Answers each request by a rule, keeps it, and can hold answers back until a gate is opened.
final class FakeExchange: HTTPExchange {
  typealias Rule = @Sendable (_ request: HTTPClientRequest, _ number: Int) throws(HTTPClientError) -> HTTPClientResponse

  private struct State {
    var requests: [HTTPClientRequest] = []
    var rule: Rule
    var isHolding = false
    var held: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  /// Answers by a rule, which gets the request and its number, from 1.
  init(_ rule: @escaping Rule) {
    state = Mutex(State(rule: rule))
  }

  /// Answers everything with one response.
  convenience init(_ response: HTTPClientResponse) {
    self.init { (_, _) throws(HTTPClientError) in response }
  }

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
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
    if Task.isCancelled { throw HTTPClientError(.cancelled, "The request was cancelled.") }
    return try rule(request, number)
  }

  /// The requests so far.
  var requests: [HTTPClientRequest] { state.withLock { $0.requests } }

  /// Replaces the rule.
  func answer(_ rule: @escaping Rule) { state.withLock { $0.rule = rule } }

  /// Holds answers back from now on.
  func hold() { state.withLock { $0.isHolding = true } }

  /// Lets all answers go, those to come too.
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

extension HTTPClientResponse {
  /// An answer of JSON text.
  static func json(_ text: String, status: Int = 200, _ fields: HTTPFields = [:]) -> HTTPClientResponse {
    HTTPClientResponse(status: status, headers: fields, body: Array(text.utf8))
  }
}
#endif
