#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import CloudJobsEmulatorWire
import CloudJobsHTTP
import HTTPTypes

/// Firestore in this process, without a socket; each exchange is printed to standard output.
struct EmulatedFirestore: HTTPExchange {
  private let api: EmulatorAPI

  /// Creates a service without documents that reads the given clock.
  init(clock: any JobClock) {
    api = EmulatorAPI(LiveEmulator(state: EmulatorState(), clock: clock) { _ in .timedOut }) { EmulatorState() }
  }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    let target = "/" + (request.url.split(separator: "/", maxSplits: 2).last ?? "")
    let answer = await api.respond(
      to: RESTRequest(method: request.method.rawValue, target: target, body: request.body))
    let body = answer.body.encoded
    let sent = request.body.isEmpty ? "null" : String(decoding: request.body, as: UTF8.self)
    print(
      "{\"method\":\"\(request.method.rawValue)\",\"target\":\(JSONValue.string(target).text),\"request\":\(sent),"
        + "\"status\":\(answer.status),\"answer\":\(String(decoding: body, as: UTF8.self))}")
    return HTTPExchangeResponse(status: answer.status, body: body)
  }
}
#endif
