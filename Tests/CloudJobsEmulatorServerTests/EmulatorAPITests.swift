import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@testable import CloudJobsEmulatorServer

@Suite("Admin methods")
struct EmulatorAPITests {
  private static let queue = "projects/p/locations/l/queues/q"

  private static func call(_ api: EmulatorAPI, _ method: String, _ target: String, _ body: String = "") async
    -> RESTResponse
  {
    await api.respond(to: RESTRequest(method: method, target: target, body: Array(body.utf8)))
  }

  @Test("deliveries, why tasks wait, idleness and reset", .timeLimit(.minutes(10)))
  func administration() async throws {
    let emulator = LiveEmulator(state: EmulatorState()) { delivery in
      .response(status: delivery.attempt == 1 ? 500 : 200)
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

  @Test("billable Firestore operations are reported and reset")
  func usage() async {
    let api = EmulatorAPI(LiveEmulator(state: EmulatorState()) { _ in .timedOut }) { EmulatorState() }
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

  @Test("a wait for idleness times out")
  func idleTimeout() async throws {
    let emulator = LiveEmulator(state: EmulatorState()) { _ in .timedOut }
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

@Suite("Policies, keys, operations and zeros over REST")
struct AdministrationTests {
  private static let queue = "\(Caller.location)/queues/q"

  @Test("a policy is stored, and an outdated one is rejected")
  func policies() throws {
    var caller = Caller.withQueue()
    let first = caller.call("POST", "/v2/\(Self.queue):getIamPolicy").body
    let old = try #require(first["etag"]?.string)
    let body = #"{"policy":{"etag":"\#(old)","bindings":[{"role":"roles/viewer","members":["user:a@b.example"]}]}}"#
    let set = caller.call("POST", "/v2/\(Self.queue):setIamPolicy", body)
    #expect(set.status == 200 && set.body["etag"]?.string != old)
    #expect(caller.call("POST", "/v2/\(Self.queue):getIamPolicy").body == set.body)
    #expect(caller.call("POST", "/v2/\(Self.queue):setIamPolicy", body).error?.status == "ABORTED")
    #expect(caller.call("POST", "/v2/\(Caller.location)/queues/none:getIamPolicy").status == 404)
  }

  @Test("a batch with a known request ID is not repeated until its operation has expired")
  func batches() {
    var caller = Caller.withQueue()
    _ = caller.call("POST", "/v2/\(Self.queue):pause")
    let body = #"{"requestId":"r1","requests":[{"task":{"httpRequest":{"url":"http://h/"}}}]}"#
    let first = caller.call("POST", "/v2/\(Self.queue)/tasks:batchCreate", body)
    #expect(first.status == 200 && first.body["done"] == true)
    #expect(caller.call("POST", "/v2/\(Self.queue)/tasks:batchCreate", body) == first)
    #expect(caller.call("GET", "/v2/\(Caller.location)/operations/r1") == first)
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks").body["tasks"]?.array?.count == 1)
    caller.now = caller.now + .hours(1)
    #expect(caller.call("GET", "/v2/\(Caller.location)/operations/r1").status == 404)
    _ = caller.call("POST", "/v2/\(Self.queue)/tasks:batchCreate", body)
    #expect(caller.call("GET", "/v2/\(Self.queue)/tasks").body["tasks"]?.array?.count == 2)
  }

  @Test("a zero is a value if an update mask names it, and the default otherwise")
  func zeros() {
    var caller = Caller.withQueue()
    let body = #"{"retryConfig":{"maxDoublings":0,"minBackoff":"0s"}}"#
    let all = caller.call("PATCH", "/v2/\(Self.queue)", body).body["retryConfig"]
    #expect(all?["maxDoublings"] == 16 && all?["minBackoff"] == "0.100s")
    let mask = "retry_config.max_doublings,retryConfig.minBackoff"
    let named = caller.call("PATCH", "/v2/\(Self.queue)?updateMask=\(mask)", body).body["retryConfig"]
    #expect(named?["maxDoublings"] == nil && named?["minBackoff"] == "0s")
    #expect(named?["maxAttempts"] == 100)
  }

  @Test("keys are stored by service, and only locations in use are listed")
  func keysAndLocations() {
    var caller = Caller.withQueue()
    _ = caller.call("PATCH", "/v2/\(Caller.location)/cmekConfig", #"{"kmsKey":"k"}"#)
    #expect(caller.call("GET", "/v2/\(Caller.location)/cmekConfig").body["kmsKey"] == "k")
    #expect(caller.call("GET", "/v1/\(Caller.location)/cmekConfig").body["kmsKeyName"] == nil)
    let listed = caller.call("GET", "/v2/projects/p/locations").body["locations"]?.array
    #expect(listed?.compactMap { $0["name"]?.string } == [Caller.location])
    #expect(caller.call("GET", "/v2/projects/other/locations").body == .object([:]))
    #expect(caller.call("GET", "/v2/a/b/c").status == 404)
  }
}

@Suite("The guard against web pages")
struct RequestGuardTests {
  private func isServed(_ host: String, _ authority: String?, _ fields: [(String, String)]) -> Bool {
    let request = LocalCallerRule.Request(
      method: "POST", scheme: "http", authority: authority, fields: fields.map { (name: $0.0, value: $0.1) },
      peer: .address("127.0.0.1"))
    return RequestGuard(host: host).refusal(of: request) == nil
  }

  @Test(
    "serves clients that use a local host name, and no web page",
    arguments: [
      ("127.0.0.1:8123", nil, true), ("localhost:8123", nil, true), ("LOCALHOST", nil, true), ("[::1]:8123", nil, true),
      ("127.9.9.9", nil, true), (nil, nil, false), ("evil.example:8123", nil, false),
      ("127.0.0.1.evil.example", nil, false), ("127.0.0.1", "http://evil.example", false), ("localhost", "null", false),
      ("", nil, false), ("localhost:8123", "http://localhost:3000", false),
    ] as [(String?, String?, Bool)])
  func local(authority: String?, origin: String?, isServed: Bool) {
    for host in ["127.0.0.1", "localhost", "::1", "127.0.0.2"] {
      #expect(self.isServed(host, authority, origin.map { [("Origin", $0)] } ?? []) == isServed)
    }
  }

  @Test(
    "rejects requests marked by a browser or proxy, and serves those of Google's clients",
    arguments: [
      ("Sec-Fetch-Site", "cross-site", false), ("Sec-Fetch-Site", "same-site", false), ("Via", "1.1 proxy", false),
      ("X-Forwarded-For", "192.0.2.1", false), ("x-goog-api-client", "gl-python/3.11 rest@2.0", true),
      ("x-goog-request-params", "name=projects/p", true), ("Authorization", "Bearer owner", true),
      ("X-Goog-User-Project", "p", true), ("X-Server-Timeout", "600", true),
    ])
  func marks(name: String, value: String, isServed: Bool) {
    #expect(self.isServed("127.0.0.1", "localhost:8123", [(name, value)]) == isServed)
  }

  @Test(
    "an emulator open to other machines accepts any name and proxies, but no web page",
    arguments: ["0.0.0.0", "::", "192.0.2.1", "127.evil.example"])
  func open(host: String) {
    #expect(isServed(host, "emulator:8123", []))
    #expect(isServed(host, "emulator:8123", [("X-Forwarded-For", "192.0.2.1")]))
    #expect(!isServed(host, "emulator:8123", [("Origin", "http://x")]))
    #expect(!isServed(host, "emulator:8123", [("Origin", "http://emulator:8123")]))
    #expect(!isServed(host, "emulator:8123", [("Sec-Fetch-Site", "cross-site")]))
  }
}
