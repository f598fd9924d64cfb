#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import CloudJobsHTTP
import HTTPTypes

/// Firestore in this process, without a socket, which tells each exchange on the standard output.
struct EmulatedFirestore: HTTPExchange {
  private let api: EmulatorAPI

  /// A service without documents that takes its time from a clock.
  init(clock: any JobClock) {
    api = EmulatorAPI(LocalEmulator(state: EmulatorState(), clock: clock) { _ in .timedOut }) { EmulatorState() }
  }

  func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    let target = "/" + (request.url.split(separator: "/", maxSplits: 2).last ?? "")
    let answer = await api.respond(
      to: RESTRequest(method: request.method.rawValue, target: target, body: request.body))
    let body = answer.body.encoded
    let sent = request.body.isEmpty ? "null" : String(decoding: request.body, as: UTF8.self)
    print(
      "{\"method\":\"\(request.method.rawValue)\",\"target\":\(JSONValue.string(target).text),\"request\":\(sent),"
        + "\"status\":\(answer.status),\"answer\":\(String(decoding: body, as: UTF8.self))}")
    return HTTPClientResponse(status: answer.status, body: body)
  }
}
#endif
