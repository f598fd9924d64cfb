#if HTTP && Server
import CloudJobsHTTP
import Synchronization

/// Passes requests on, and lets some fail before they arrive, after they took effect, or in the service's own way.
final class FaultyExchange: HTTPExchange {
  /// What becomes of a request.
  enum Fault: Sendable {
    /// The service answers this status without acting.
    case status(Int)
    /// No connection is made.
    case refused
    /// The connection is cut before the request arrives.
    case cutBefore
    /// The service acts, and its answer is lost.
    case lostAnswer
    /// The service acts too late for the caller.
    case timedOut
    /// The service acts, and its answer is cut short.
    case truncated
  }

  private struct State {
    var calls: [String] = []
    var faults: [Int: Fault] = [:]
  }

  private let base: any HTTPExchange
  private let state = Mutex(State())
  private let rule: @Sendable (_ call: Int, _ method: String) -> Fault?

  /// Passes on to an exchange; the rule gets the number of each call, from 1, and its method.
  init(_ base: any HTTPExchange, rule: @escaping @Sendable (Int, String) -> Fault? = { _, _ in nil }) {
    self.base = base
    self.rule = rule
  }

  /// The methods that were called.
  var calls: [String] { state.withLock { $0.calls } }

  /// Forgets the calls, and lets the nth from now on fail, from 1.
  func reset(failing faults: [Int: Fault] = [:]) {
    state.withLock { $0 = State(faults: faults) }
  }

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    let method = request.url.split(separator: ":").last.map(String.init) ?? ""
    let fault = state.withLock { state in
      state.calls.append(method)
      return state.faults[state.calls.count] ?? rule(state.calls.count, method)
    }
    switch fault {
    case nil: return try await base.send(request)
    case .status(let status): return HTTPClientResponse(status: status, body: Array("try later".utf8))
    case .refused: throw HTTPClientError(.couldNotConnect, "Nobody listens.", nativeCode: "CURLE_COULDNT_CONNECT (7)")
    case .cutBefore: throw HTTPClientError(.connectionClosed, "The connection was cut.")
    case .lostAnswer:
      _ = try await base.send(request)
      throw HTTPClientError(.connectionClosed, "The connection was cut.")
    case .timedOut:
      _ = try await base.send(request)
      throw HTTPClientError(.timedOut, "No answer in time.")
    case .truncated:
      var response = try await base.send(request)
      response.body = Array(response.body.prefix(response.body.count / 2))
      return response
    }
  }
}
#endif
