#if HTTP && Server
import CloudJobsHTTP
import Synchronization

/// An exchange that forwards requests and injects faults before, during or after them.
final class FaultyExchange: HTTPExchange {
  /// A fault of a request.
  enum Fault: Sendable {
    /// The service answers this status without acting.
    case status(Int)
    /// No connection is established.
    case refused
    /// The connection is cut off before the request arrives.
    case cutBefore
    /// The service acts, and its response is lost.
    case lostAnswer
    /// The service acts too late for the caller.
    case timedOut
    /// The service acts, and its response is truncated.
    case truncated
  }

  private struct State {
    var calls: [String] = []
    var faults: [Int: Fault] = [:]
  }

  private let base: any HTTPExchange
  private let state = Mutex(State())
  private let rule: @Sendable (_ call: Int, _ method: String) -> Fault?

  /// Creates an exchange in front of another one; the rule gets the number of each call from 1 and its method.
  init(_ base: any HTTPExchange, rule: @escaping @Sendable (Int, String) -> Fault? = { _, _ in nil }) {
    self.base = base
    self.rule = rule
  }

  /// The methods that were called.
  var calls: [String] { state.withLock { $0.calls } }

  /// Clears the calls, and makes the calls with these numbers fail, counted from 1.
  func reset(failing faults: [Int: Fault] = [:]) {
    state.withLock { $0 = State(faults: faults) }
  }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    let method = request.url.split(separator: ":").last.map(String.init) ?? ""
    let fault = state.withLock { state in
      state.calls.append(method)
      return state.faults[state.calls.count] ?? rule(state.calls.count, method)
    }
    switch fault {
    case nil: return try await base.send(request)
    case .status(let status): return HTTPExchangeResponse(status: status, body: Array("try later".utf8))
    case .refused: throw HTTPExchangeError(.couldNotConnect, "Nobody listens.", nativeCode: "CURLE_COULDNT_CONNECT (7)")
    case .cutBefore: throw HTTPExchangeError(.connectionClosed, "The connection was cut.")
    case .lostAnswer:
      _ = try await base.send(request)
      throw HTTPExchangeError(.connectionClosed, "The connection was cut.")
    case .timedOut:
      _ = try await base.send(request)
      throw HTTPExchangeError(.timedOut, "No answer in time.")
    case .truncated:
      var response = try await base.send(request)
      response.body = Array(response.body.prefix(response.body.count / 2))
      return response
    }
  }
}

/// An exchange that runs a function just before the first commit arrives, to simulate a race.
final class RacingExchange: HTTPExchange {
  private let base: any HTTPExchange
  private let race = Mutex<(@Sendable () async -> Void)?>(nil)

  init(_ base: any HTTPExchange) {
    self.base = base
  }

  func beforeCommit(_ race: @escaping @Sendable () async -> Void) {
    self.race.withLock { $0 = race }
  }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    if request.url.hasSuffix(":commit") {
      let race = race.withLock { race in
        defer { race = nil }
        return race
      }
      await race?()
    }
    return try await base.send(request)
  }
}

/// An exchange that forwards and records requests.
final class RecordingExchange: HTTPExchange {
  private let base: any HTTPExchange
  private let kept = Mutex<[HTTPExchangeRequest]>([])

  init(_ base: any HTTPExchange) {
    self.base = base
  }

  /// The requests, in order.
  var requests: [HTTPExchangeRequest] { kept.withLock { $0 } }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    kept.withLock { $0.append(request) }
    return try await base.send(request)
  }
}
#endif
