import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import HTTPTypes
import Synchronization
import Testing

/// A request, and the status and code of its answer.
struct HandleCase: CustomTestStringConvertible, Sendable {
  var method: HTTPRequest.Method
  var path: String
  var body: String
  var status: Int
  var code: String?

  init(_ method: HTTPRequest.Method, _ path: String, _ body: String, _ status: Int, _ code: String? = nil) {
    (self.method, self.path, self.body, self.status, self.code) = (method, path, body, status, code)
  }

  var testDescription: String { "\(method) \(path) \(body.prefix(40)): \(status)" }

  static let all = [
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"job"}"#, 200),
    HandleCase(.post, "/jobs/trigger?source=test", #"{"jobId":"job"}"#, 200),
    HandleCase(.post, "/jobs/trigger", #"{"taskType":"job","metadata":{"id":"a"}}"#, 200),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"fails"}"#, 200),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"dead"}"#, 200),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"off"}"#, 200),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"cloud_jobs_master"}"#, 200),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"zen_master_scheduler"}"#, 200),
    HandleCase(.post, "/jobs/scheduled/job", "", 200),
    HandleCase(.post, "/jobs/scheduled/j%6Fb", "", 200),
    HandleCase(.post, "/jobs/master", "", 200),
    HandleCase(.get, "/jobs/health", "", 200),
    HandleCase(.head, "/jobs/health", "", 200),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"nothing"}"#, 404, "unknownJob"),
    HandleCase(.post, "/jobs/scheduled/nothing", "", 404, "unknownJob"),
    HandleCase(.post, "/jobs/trigger", "", 400),
    HandleCase(.post, "/jobs/trigger", "{", 400, "malformedJSON"),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":7}"#, 400, "invalidField"),
    HandleCase(.post, "/jobs/trigger", "{}", 400),
    HandleCase(.post, "/jobs/scheduled/%2E%2E", "", 400),
    HandleCase(.post, "/jobs/trigger", #"{"jobId":"damaged"}"#, 500, "internalError"),
    HandleCase(.get, "/jobs/trigger", "", 405, "methodNotAllowed"),
    HandleCase(.put, "/jobs/master", "", 405, "methodNotAllowed"),
    HandleCase(.post, "/jobs/health", "", 405, "methodNotAllowed"),
    HandleCase(.post, "/jobs", "", 404, "notFound"),
    HandleCase(.post, "/jobs/", "", 404, "notFound"),
    HandleCase(.post, "/jobs/trigger/", "", 404, "notFound"),
    HandleCase(.post, "/jobs/scheduled", "", 404, "notFound"),
    HandleCase(.post, "/jobs/scheduled/a/b", "", 404, "notFound"),
    HandleCase(.post, "/jobsx/trigger", "", 404, "notFound"),
    HandleCase(.get, "/", "", 404, "notFound"),
    HandleCase(.post, "/jobs/trigger", String(repeating: "x", count: (1 << 20) + 1), 413, "tooLarge"),
  ]
}

@Suite("HTTP handler")
struct HandleTests {
  private let fixture = RuntimeFixture()

  private func runtime(_ authentication: Authentication = .trustLoopback, limit: Int = 1_000) async throws -> JobRuntime
  {
    var options = fixture.options()
    options.maxConcurrentDeliveries = limit
    fixture.memory.importJob(id: "damaged", fields: ["timeout": "long"])
    return try await fixture.runtime(authentication: authentication, options: options) {
      EndpointJob("job") { _ in .done }
      EndpointJob("fails") { _ in throw JobFailure.failed("no") }
      EndpointJob("dead") { _ in throw JobFailure.permanent("no") }
      EndpointJob("off") { _ in .done }.enabled(false)
      EndpointJob("damaged") { _ in .done }
    }
  }

  private func request(
    _ method: HTTPRequest.Method = .post, _ path: String = "/jobs/trigger", _ fields: HTTPFields = [:]
  ) -> HTTPRequest {
    HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
  }

  private let body = Array(#"{"jobId":"job"}"#.utf8)

  @Test("A request has its answer", arguments: HandleCase.all)
  func answers(_ row: HandleCase) async throws {
    let runtime = try await runtime()
    let response = await runtime.handle(request(row.method, row.path), body: Array(row.body.utf8), peer: .inProcess)
    #expect(response.head.status.code == row.status)
    let error = try JSONValue(parsing: response.body)["error"]
    #expect((error == nil) == (row.status < 300))
    if let code = row.code { #expect(error?["code"] == .string(code)) }
    if row.status >= 300 { #expect(error?["message"]?.string?.isEmpty == false) }
    if row.status == 405 {
      #expect(response.head.headerFields[.allow] == (row.path == "/jobs/health" ? "GET, HEAD" : "POST"))
    }
  }

  @Test("A body of exactly the limit is taken")
  func largestBody() async throws {
    let padding = String(repeating: " ", count: (1 << 20) - body.count)
    let response = await (try runtime()).handle(request(), body: body + Array(padding.utf8), peer: .inProcess)
    #expect(response.head.status.code == 200)
  }

  @Test("An early delivery is answered 429 with the time to wait")
  func early() async throws {
    let runtime = try await runtime()
    let run = try await runtime.enqueue("job", after: .seconds(90))
    let early = Array(#"{"jobId":"job","runId":"\#(run.id)","attempt":1}"#.utf8)
    let response = await runtime.handle(request(), body: early, peer: .inProcess)
    #expect(response.head.status.code == 429)
    #expect(response.head.headerFields[.retryAfter] == "90")
  }

  @Test("More deliveries than the instance takes are answered 429")
  func overloaded() async throws {
    let gate = HandlerGate()
    var options = fixture.options()
    options.maxConcurrentDeliveries = 1
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("job") { _ in
        await gate.pass()
        return .done
      }
    }
    async let first = runtime.handle(request(), body: body, peer: .inProcess)
    await gate.arrivals()
    let second = await runtime.handle(request(), body: body, peer: .inProcess)
    #expect(second.head.status.code == 429)
    gate.open()
    #expect(await first.head.status.code == 200)
    #expect(await runtime.handle(request(), body: body, peer: .inProcess).head.status.code == 200)
  }

  @Test(
    "Trust in loopback ends where a request may come from elsewhere",
    arguments: [
      (Peer.inProcess, HTTPFields(), 200), (.local, [:], 200), (.address("127.0.0.1"), [:], 200),
      (.address("127.8.9.1"), [:], 200), (.address("::1"), [:], 200), (.address("::ffff:127.0.0.1"), [:], 200),
      (.address("10.0.0.1"), [:], 403), (.address("::2"), [:], 403), (.address("128.0.0.1"), [:], 403),
      (.address("127.evil.example"), [:], 403), (.address("127.0.0.1"), [.origin: "http://evil.example"], 403),
      (.inProcess, [.origin: "null"], 403), (.address("127.0.0.1"), [.via: "1.1 proxy"], 403),
      (.unknown, [:], 403), (.address("127.0.0.1"), [.init("X-Forwarded-For") ?? .age: "1.2.3.4"], 403),
      (.address("127.0.0.1"), [.init("forwarded") ?? .age: "for=1.2.3.4"], 403),
    ] as [(Peer, HTTPFields, Int)])
  func loopback(peer: Peer, fields: HTTPFields, status: Int) async throws {
    let runtime = try await runtime()
    let response = await runtime.handle(request(.post, "/jobs/trigger", fields), body: body, peer: peer)
    #expect(response.head.status.code == status)
    #expect(await runtime.handle(request(.get, "/jobs/health", fields), peer: peer).head.status.code == status)
    #expect(try await fixture.runs().count == (status == 200 ? 1 : 0))
  }

  @Test("Headers of a server without request types reach the rule for local callers, Host among them")
  func plainHeaders() async throws {
    let runtime = try await runtime()
    for (headers, status) in [
      (["Host": "localhost:80"], 200), (["host": "evil.example"], 403), ([:], 403),
      (["Host": "localhost", "host": "evil.example"], 403),
    ] {
      let answer = await runtime.handleRequest(body: body, headers: headers, peer: .address("127.0.0.1"))
      #expect(answer.status == status)
    }
  }

  @Test("A body is asked for once, with its limit, after route, method and caller are found good")
  func bodyComesLast() async throws {
    let runtime = try await runtime(.sharedSecret("0123456789abcdef"))
    let secret: HTTPFields = [.authorization: "Bearer 0123456789abcdef"]
    let body = body
    for (request, status, calls) in [
      (request(), 401, 0), (request(.post, "/jobs/nothing", secret), 404, 0),
      (request(.put, "/jobs/trigger", secret), 405, 0), (request(.get, "/jobs/health", secret), 200, 0),
      (request(.post, "/jobs/trigger", secret), 200, 1),
    ] {
      var limits = [Int]()
      let response = await runtime.handle(request, peer: .address("192.0.2.1")) { limit in
        limits.append(limit)
        return body
      }
      #expect(response.head.status.code == status)
      #expect(limits == Array(repeating: 1 << 20, count: calls))
    }
    let broken = await runtime.handle(request(.post, "/jobs/master", secret)) { _ throws(JobError) in
      throw JobError(.malformedEnvelope, "The body broke off.")
    }
    #expect(broken.head.status.code == 400)
  }

  @Test(
    "A shared secret is asked for",
    arguments: [
      ("Bearer 0123456789abcdef", 200), ("bearer 0123456789abcdef", 200), ("Bearer 0123456789abcdeF", 401),
      ("Bearer 0123456789abcde", 401), ("Bearer 0123456789abcdef0", 401), ("Bearer ", 401), ("Bearer", 401),
      ("Basic 0123456789abcdef", 401), ("0123456789abcdef", 401), (nil, 401),
    ] as [(String?, Int)])
  func secret(header: String?, status: Int) async throws {
    let runtime = try await runtime(.sharedSecret("0123456789abcdef"))
    var fields = HTTPFields()
    fields[.authorization] = header
    let response = await runtime.handle(request(.post, "/jobs/trigger", fields), body: body, peer: .inProcess)
    #expect(response.head.status.code == status)
    #expect(response.head.headerFields[.wwwAuthenticate] == (status == 401 ? "Bearer" : nil))
    #expect(!String(decoding: response.body, as: UTF8.self).contains("0123456789"))
  }

  @Test("A program may have a rule of its own, which is asked before anything is read")
  func custom() async throws {
    let rule = Authentication.custom { (request, peer) throws(JobError) in
      if peer == .unknown { throw JobError(.unauthenticated, "Who are you?") }
      if peer == .address("10.0.0.9") { throw JobError(.permissionDenied, "Not you.") }
    }
    let runtime = try await runtime(rule)
    let table: [(Peer, Int)] = [(.unknown, 401), (.address("10.0.0.9"), 403), (.address("10.0.0.8"), 200)]
    for (peer, status) in table {
      #expect(await runtime.handle(request(), body: body, peer: peer).head.status.code == status)
    }
    #expect(await runtime.handle(request(), body: Array("{".utf8), peer: .unknown).head.status.code == 401)
    #expect((Authentication.trustLoopback.allowsRemotePeers, rule.allowsRemotePeers) == (false, true))
  }

  @Test("Health tells jobs and drain, to a probe without credentials too")
  func health() async throws {
    let runtime = try await runtime(.sharedSecret("0123456789abcdef"))
    let healthy = await runtime.handle(request(.get, "/jobs/health"))
    let report = try JSONValue(parsing: healthy.body)
    #expect(report["status"] == "degraded" && report["jobs"] == 5 && report["active"] == 0)
    #expect(report["problems"]?.array?.map { $0["code"] } == ["documentsSetAside"])
    #expect(report["lastPass"]?.isNull == true)
    await runtime.drain()
    let draining = await runtime.handle(request(.get, "/jobs/health"))
    #expect(draining.head.status.code == 503)
    #expect(try JSONValue(parsing: draining.body)["status"] == "draining")
  }

  @Test("Cloud Tasks' and Cloud Scheduler's headers name the occurrence")
  func headers() async throws {
    let runtime = try await runtime()
    let task = ["X-CloudTasks-QueueName": "queue", "X-CloudTasks-TaskName": "one"]
    let schedule = ["X-CloudScheduler-ScheduleTime": "2026-11-21T10:00:00Z", "X-CloudScheduler": "true"]
    for (headers, path) in [(task, "trigger"), (schedule, "scheduled/job")] {
      let payload = path == "trigger" ? body : []
      for _ in 0..<2 {
        let answer = await runtime.handleRequest(body: payload, headers: headers, path: path, peer: .inProcess)
        #expect(answer.status == 200)
      }
    }
    #expect(try await fixture.runs().count == 2)
  }

  @Test("A delivery is answered 429 while the memory is almost used up, and 503 from the upper limit on")
  func memory() async throws {
    let used = Mutex<Int64>(0)
    var options = fixture.options()
    options.memory?.bytes = 1_000
    options.memoryReading = { MemoryReading(used: used.withLock { $0 }, available: $0.bytes) }
    let runtime = try await fixture.runtime(options: options) { EndpointJob("job") { _ in .done } }
    for (use, status, code) in [
      (849, 200, nil), (850, 429, "overloaded"), (919, 429, "overloaded"), (849, 200, nil), (920, 503, "shuttingDown"),
      (0, 503, "shuttingDown"),
    ] as [(Int64, Int, JSONValue?)] {
      used.withLock { $0 = use }
      fixture.clock.advance(by: .seconds(1))
      let response = await runtime.handle(request(), body: body, peer: .inProcess)
      #expect(response.head.status.code == status, "\(use)")
      #expect(try JSONValue(parsing: response.body)["error"]?["code"] == code, "\(use)")
    }
    #expect(try await fixture.runs().count == 2, "a refused delivery leaves no run")
    #expect(await runtime.handle(request(.get, "/jobs/health"), peer: .inProcess).head.status.code == 503)
  }
}
