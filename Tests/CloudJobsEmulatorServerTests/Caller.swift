import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire

@testable import CloudJobsEmulatorServer

/// A REST client over its own state, at a fixed time.
struct Caller {
  static let location = "projects/p/locations/l"
  var state = EmulatorState()
  var now = Timestamp(seconds: 1_795_000_000)

  /// Makes a request, its body as JSON text.
  mutating func call(_ method: String, _ target: String, _ body: String = "") -> RESTResponse {
    let request = RESTRequest(method: method, target: target, body: Array(body.utf8))
    return HTTPRouter.google.respond(to: request, state: &state, at: now)
  }

  /// A caller whose state contains the queue `q`.
  static func withQueue() -> Caller {
    var caller = Caller()
    _ = caller.call("POST", "/v2/\(location)/queues", #"{"name":"\#(location)/queues/q"}"#)
    return caller
  }

  /// A caller whose state contains the job `j`.
  static func withJob() -> Caller {
    var caller = Caller()
    let body = #"{"name":"\#(location)/jobs/j","schedule":"0 0 1 1 *","httpTarget":{"uri":"http://h/"}}"#
    _ = caller.call("POST", "/v1/\(location)/jobs", body)
    return caller
  }
}

extension HTTPRouter {
  /// Serves a request to its end.
  func respond(to request: RESTRequest, state: inout EmulatorState, at now: Timestamp) -> RESTResponse {
    switch call(for: request) {
    case .failure(let fault): RESTResponse(fault)
    case .success(let call):
      answer(
        call, Result { () throws(ServiceFault) in try MethodTable.google.perform(call.call, &state, at: now) })
    }
  }
}

extension LiveEmulator {
  /// Serves a request to its end, and records it.
  func serve(_ request: RESTRequest) -> RESTResponse {
    switch HTTPRouter.google.call(for: request) {
    case .failure(let fault): RESTResponse(fault)
    case .success(let call): HTTPRouter.google.answer(call, perform(call.call, recording: call.call.json))
    }
  }
}

extension RESTResponse {
  /// The status and the message of an error body.
  var error: (status: String, message: String)? {
    guard let error = body["error"], let status = error["status"]?.string, let message = error["message"]?.string,
      error["code"]?.integer == Int64(self.status)
    else { return nil }
    return (status, message)
  }
}
