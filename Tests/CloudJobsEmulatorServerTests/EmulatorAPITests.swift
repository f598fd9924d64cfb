import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import Testing

@Suite("Admin calls")
struct EmulatorAPITests {
  private static let queue = "projects/p/locations/l/queues/q"

  private static func call(_ api: EmulatorAPI, _ method: String, _ target: String, _ body: String = "") async
    -> RESTResponse
  {
    await api.respond(to: RESTRequest(method: method, target: target, body: Array(body.utf8)))
  }

  @Test("deliveries, why tasks wait, idleness and reset", .timeLimit(.minutes(10)))
  func administration() async throws {
    let emulator = LocalEmulator(state: EmulatorState()) { dispatch in
      .response(status: dispatch.attempt == 1 ? 500 : 200)
    }
    let api = EmulatorAPI(emulator) { EmulatorState() }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await emulator.run() }
      let body = #"{"name":"\#(Self.queue)","retryConfig":{"minBackoff":"0.001s"}}"#
      #expect(await Self.call(api, "POST", "/v2/projects/p/locations/l/queues", body).status == 200)
      let task = #"{"task":{"name":"\#(Self.queue)/tasks/t","httpRequest":{"url":"http://h"}}}"#
      #expect(await Self.call(api, "POST", "/v2/\(Self.queue)/tasks", task).status == 200)
      #expect(await Self.call(api, "GET", "/_emulator/idle?timeout=600s").body == ["idle": true])
      _ = await Self.call(api, "POST", "/v2/\(Self.queue):pause")
      _ = await Self.call(
        api, "POST", "/v2/\(Self.queue)/tasks",
        #"{"task":{"name":"\#(Self.queue)/tasks/u","httpRequest":{"url":"http://h"}}}"#)
      let answer = await Self.call(api, "GET", "/_emulator/deliveries").body
      let events = answer["deliveries"]?.array?.compactMap { $0["event"]?.string }
      #expect(events == ["dispatched", "settled", "dispatched", "settled"])
      #expect(
        answer["waiting"] == [["name": .string("\(Self.queue)/tasks/u"), "reason": "the queue is paused"]])
      #expect(await Self.call(api, "POST", "/_emulator/reset").status == 200)
      #expect(await Self.call(api, "GET", "/v2/\(Self.queue)").status == 404)
      #expect(await Self.call(api, "GET", "/_emulator/deliveries").body["deliveries"] == [])
      group.cancelAll()
    }
  }

  @Test("the operations that Firestore bills are told, and a reset forgets them")
  func usage() async {
    let api = EmulatorAPI(LocalEmulator(state: EmulatorState()) { _ in .timedOut }) { EmulatorState() }
    let documents = "/v1/projects/p/databases/(default)/documents"
    for (method, target) in [("PATCH", "\(documents)/c/a"), ("GET", "\(documents)/c"), ("DELETE", "\(documents)/c/a")] {
      #expect(await Self.call(api, method, target).status == 200)
    }
    let usage = await Self.call(api, "GET", "/_emulator/usage").body
    #expect(usage == ["firestore": ["reads": 1, "writes": 1, "deletes": 1]])
    _ = await Self.call(api, "POST", "/_emulator/reset")
    let after = await Self.call(api, "GET", "/_emulator/usage").body
    #expect(after == ["firestore": ["reads": 0, "writes": 0, "deletes": 0]])
  }

  @Test("a wait for idleness ends with its time")
  func idleTimeout() async throws {
    let emulator = LocalEmulator(state: EmulatorState()) { _ in .timedOut }
    let api = EmulatorAPI(emulator) { EmulatorState() }
    _ = await Self.call(api, "POST", "/v2/projects/p/locations/l/queues", #"{"name":"\#(Self.queue)"}"#)
    _ = await Self.call(api, "POST", "/v2/\(Self.queue)/tasks", #"{"task":{"httpRequest":{"url":"http://h"}}}"#)
    #expect(await Self.call(api, "GET", "/_emulator/idle?timeout=0.01s").body == ["idle": false])
    for timeout in ["0s", "x", "2h", "7200s"] {
      #expect(await Self.call(api, "GET", "/_emulator/idle?timeout=\(timeout)").status == 400)
    }
    #expect(await Self.call(api, "GET", "/_emulator/explode").status == 404)
    #expect(await Self.call(api, "GET", "/").status == 200)
  }
}
