#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import CloudJobsServer
import HTTPTypes
import ServiceLifecycle
import Synchronization
import Testing

/// A server on a free port during a test.
private func withServer(
  _ authentication: Authentication = .trustLoopback, mountPath: String = "/jobs",
  _ body: (_ url: String, _ client: CurlHTTPClient, _ runtime: JobRuntime) async throws -> Void
) async throws {
  let registry = try JobRegistry {
    EndpointJob("greet") { _ in .done }
    EndpointJob("slow") { context in
      try await context.clock.sleep(until: context.clock.now() + .milliseconds(400))
      return .done
    }
  }
  let runtime = JobRuntime(registry, store: .memory, queue: .store, authentication: authentication)
  var configuration = JobServerConfiguration(port: 0)
  configuration.mountPath = mountPath
  let (ports, ready) = AsyncStream.makeStream(of: Int.self)
  let server = JobServer(runtime, configuration: configuration) { ready.yield($0) }
  let client = CurlHTTPClient()
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.run() }
    var iterator = ports.makeAsyncIterator()
    let port = try #require(await iterator.next())
    try await body("http://127.0.0.1:\(port)", client, runtime)
    group.cancelAll()
  }
  await client.shutDown()
}

private func post(
  _ client: CurlHTTPClient, _ url: String, _ body: String = "", headers: HTTPFields = [:],
  method: HTTPRequest.Method = .post
) async throws -> (status: Int, body: JSONValue, headers: HTTPFields) {
  let response = try await client.send(
    HTTPExchangeRequest(method: method, url: url, headers: headers, body: Array(body.utf8), timeout: .seconds(10)))
  let value = response.body.isEmpty ? JSONValue.null : try JSONValue(parsing: response.body)
  return (response.status, value, response.headers)
}

@Suite("Mount on Hummingbird", .serialized)
struct JobServerTests {
  @Test("A delivery over HTTP executes, and its repetition is a duplicate")
  func deliver() async throws {
    try await withServer { url, client, _ in
      let envelope = #"{"jobId":"greet","runId":"first"}"#
      let first = try await post(client, "\(url)/jobs/trigger", envelope)
      #expect(first.status == 200 && first.body["status"] == "succeeded" && first.body["attempt"] == 1)
      let second = try await post(client, "\(url)/jobs/trigger", envelope)
      #expect(second.status == 200 && second.body["status"] == "duplicate")
      #expect(second.headers[.contentType]?.hasPrefix("application/json") == true)
    }
  }

  @Test(
    "Invalid requests get a status and a JSON reason",
    arguments: [
      ("POST", "/jobs/trigger", "{", 400, "malformedJSON"),
      ("POST", "/jobs/trigger", #"{"jobId":"nobody"}"#, 404, "unknownJob"),
      ("GET", "/jobs/trigger", "", 405, "methodNotAllowed"),
      ("POST", "/jobs/health", "", 405, "methodNotAllowed"),
      ("POST", "/jobs/nowhere", "", 404, "notFound"),
      ("POST", "/jobs/scheduled/no%20such", "", 400, "invalidField"),
      ("DELETE", "/jobs/master", "", 405, "methodNotAllowed"),
    ])
  func refusals(method: String, path: String, body: String, status: Int, code: String) async throws {
    try await withServer { url, client, _ in
      let method = try #require(HTTPRequest.Method(rawValue: method))
      let answer = try await post(client, url + path, body, method: method)
      #expect(answer.status == status)
      #expect(answer.body["error"]?["code"]?.string == code)
      #expect(answer.body["error"]?["message"]?.string?.isEmpty == false)
    }
  }

  @Test(
    "A server whose memory is almost used up refuses deliveries, drains, and ends by itself", .timeLimit(.minutes(2)))
  func memory() async throws {
    let used = Mutex<Int64>(84)
    var options = RuntimeOptions()
    options.memoryReading = { _ in MemoryReading(used: used.withLock { $0 }, available: 100) }
    let registry = try JobRegistry { EndpointJob("greet") { _ in .done } }
    let runtime = JobRuntime(registry, store: .memory, queue: .store, authentication: .trustLoopback, options: options)
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let server = JobServer(runtime, configuration: JobServerConfiguration(port: 0)) { ready.yield($0) }
    let client = CurlHTTPClient()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      for (use, refusal) in [(84, 200), (85, 429), (92, 503)] as [(Int64, Int)] {
        used.withLock { $0 = use }
        var status = 0
        // A reading counts for 100 ms: until then the earlier verdict holds.
        repeat {
          status = try await post(client, "http://127.0.0.1:\(port)/jobs/trigger", #"{"jobId":"greet"}"#).status
        } while status < refusal
        #expect(status == refusal)
      }
      try await group.waitForAll()
    }
    #expect(await runtime.healthReport().status == .draining)
    await client.shutDown()
  }

  @Test("A body over 1 MiB is rejected with 413, and the connection stays usable")
  func tooLarge() async throws {
    try await withServer { url, client, _ in
      let body = #"{"jobId":"greet","payload":""# + String(repeating: "x", count: 1_100_000) + #""}"#
      let answer = try await post(client, "\(url)/jobs/trigger", body)
      #expect(answer.status == 413 && answer.body["error"]?["code"] == "tooLarge")
      let next = try await post(client, "\(url)/jobs/trigger", #"{"jobId":"greet"}"#)
      #expect(next.status == 200)
    }
  }

  @Test("A body over 1 MiB of an untrusted caller is answered 401 or 403 unread, and the connection stays usable")
  func authenticationComesFirst() async throws {
    let body = String(repeating: "x", count: 1_100_000)
    try await withServer(.sharedSecret("a secret of some length")) { url, client, _ in
      let stranger = try await post(client, "\(url)/jobs/trigger", body)
      let nowhere = try await post(client, "\(url)/jobs/nowhere", body)
      let health = try await post(client, "\(url)/jobs/health", method: .get)
      #expect([stranger.status, nowhere.status, health.status] == [401, 404, 200])
    }
    try await withServer { url, client, _ in
      let page = try await post(client, "\(url)/jobs/trigger", body, headers: [.origin: "null"])
      let program = try await post(client, "\(url)/jobs/trigger", #"{"jobId":"greet"}"#)
      #expect([page.status, program.status] == [403, 200])
    }
  }

  @Test("Health, the master tick and a scheduler's empty body have their own routes")
  func routes() async throws {
    try await withServer(mountPath: "/background/work") { url, client, _ in
      let health = try await post(client, "\(url)/background/work/health", method: .get)
      #expect(health.status == 200 && health.body["status"] == "ok")
      let tick = try await post(client, "\(url)/background/work/master")
      #expect(tick.status == 200 && tick.body["due"] == 0)
      let time: HTTPFields = [
        try #require(HTTPField.Name("X-CloudScheduler-ScheduleTime")): "2026-11-21T02:00:00Z"
      ]
      let fired = try await post(client, "\(url)/background/work/scheduled/greet", headers: time)
      #expect(fired.status == 200 && fired.body["status"] == "succeeded")
      let again = try await post(client, "\(url)/background/work/scheduled/greet", headers: time)
      #expect(again.body["status"] == "duplicate")
    }
  }

  @Test("A forwarded request is rejected if only loopback is trusted, and accepted with a secret")
  func authentication() async throws {
    try await withServer { url, client, _ in
      let field: HTTPFields = [try #require(HTTPField.Name("X-Forwarded-For")): "203.0.113.9"]
      let answer = try await post(client, "\(url)/jobs/trigger", #"{"jobId":"greet"}"#, headers: field)
      #expect(answer.status == 403 && answer.body["error"]?["code"] == "permissionDenied")
    }
    try await withServer(.sharedSecret("a secret of some length")) { url, client, _ in
      let stranger = try await post(client, "\(url)/jobs/trigger", #"{"jobId":"greet"}"#)
      #expect(stranger.status == 401)
      let field: HTTPFields = [.authorization: "Bearer a secret of some length"]
      let friend = try await post(client, "\(url)/jobs/trigger", #"{"jobId":"greet"}"#, headers: field)
      #expect(friend.status == 200)
    }
  }

  @Test("While the runtime drains, running work ends and new work gets 503")
  func draining() async throws {
    try await withServer { url, client, runtime in
      async let slow = post(client, "\(url)/jobs/trigger", #"{"jobId":"slow"}"#)
      while try await post(client, "\(url)/jobs/health", method: .get).body["active"] == 0 {}
      async let drained = runtime.drain()
      while try await post(client, "\(url)/jobs/health", method: .get).status == 200 {}
      let late = try await post(client, "\(url)/jobs/trigger", #"{"jobId":"greet"}"#)
      #expect(late.status == 503)
      let done = try await slow
      #expect(done.body["status"] == "succeeded")
      let released = await drained
      #expect(released == 0)
    }
  }
}

@Suite("Server configuration")
struct JobServerConfigurationTests {
  @Test(
    "An address that would expose the handler is rejected",
    arguments: [
      (nil, "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("localhost", "localhost"), ("0.0.0.0", nil),
      ("::", nil), ("192.0.2.1", nil), ("127.evil.example", nil), ("127.1", nil),
      ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
    ] as [(String?, String?)])
  func loopbackOnly(host: String?, address: String?) throws {
    let configuration = JobServerConfiguration(host: host)
    if let address {
      #expect(try configuration.address(under: .trustLoopback) == address)
    } else {
      let error = #expect(throws: JobError.self) { try configuration.address(under: .trustLoopback) }
      #expect(error?.code == .permissionDenied)
    }
    #expect(try configuration.address(under: .sharedSecret("a secret of some length")) == host ?? "0.0.0.0")
  }

  @Test(
    "HOST is used, and an invalid address is rejected",
    arguments: [
      ("127.0.0.1", true), ("::", true), ("jobs.internal", true), ("", true), ("http://127.0.0.1", false),
      ("127.0.0.1:80", false), ("[::1]", false), ("a b", false), ("256.0.0.1", false),
    ])
  func host(text: String, isAddress: Bool) throws {
    if isAddress {
      #expect(try JobServerConfiguration(environment: ["HOST": text]).host == (text.isEmpty ? nil : text))
    } else {
      let error = #expect(throws: JobError.self) { try JobServerConfiguration(environment: ["HOST": text]) }
      #expect(error?.code == .invalidField && error?.field == "HOST")
    }
  }

  @Test(
    "PORT is used, and an invalid port is rejected",
    arguments: [("8081", 8081), ("0", 0), ("", 8080), ("65536", nil), ("-1", nil), ("http", nil)]
      as [(String, Int?)])
  func port(text: String, port: Int?) throws {
    if let port {
      #expect(try JobServerConfiguration(environment: ["PORT": text]).port == port)
    } else {
      let error = #expect(throws: JobError.self) { try JobServerConfiguration(environment: ["PORT": text]) }
      #expect(error?.field == "PORT")
    }
  }

  @Test("The configuration takes precedence over the environment; an invalid port is rejected")
  func given() throws {
    let environment = ["PORT": "8081", "HOST": "localhost"]
    let open = try JobServerConfiguration().completed(by: environment)
    #expect((open.port, open.host) == (8081, "localhost"))
    let given = try JobServerConfiguration(host: "127.0.0.1", port: 9).completed(by: environment)
    #expect((given.port, given.host) == (9, "127.0.0.1"))
    #expect(throws: JobError.self) { try JobServerConfiguration(port: 70_000).completed(by: environment) }
  }

  @Test(
    "The process's exit limit leaves time for leases and sockets",
    arguments: [(6, 9, 6), (7, 9, 6), (1, 9, 1), (7, 2, 0), (100, 60, 57)])
  func drainLimit(drain: Int, exit: Int, result: Int) {
    var configuration = JobServerConfiguration()
    (configuration.drainLimit, configuration.exitLimit) = (.seconds(drain), .seconds(exit))
    #expect(configuration.processDrainLimit == .seconds(result))
  }
}
#endif
