#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import HTTPTypes
import Hummingbird
import Synchronization
import Testing

/// A request of a browser, a proxy or a program; `PORT` stands for the server's port.
struct CallerRow: CustomTestStringConvertible, Sendable {
  var method: HTTPRequest.Method
  var path: String
  var host: String?
  var fields: [(String, String)]
  var isServed: Bool

  init(
    _ method: HTTPRequest.Method, _ path: String, host: String? = "127.0.0.1:PORT", _ fields: [(String, String)],
    isServed: Bool = false
  ) {
    (self.method, self.path, self.host, self.fields, self.isServed) = (method, path, host, fields, isServed)
  }

  var testDescription: String { "\(method) \(path) \(host ?? "no host") \(fields)" }

  var body: String { method == .post && path == "/jobs/trigger" ? #"{"jobId":"job"}"# : "" }

  func with(port: Int) -> CallerRow {
    var row = self
    row.host = host?.replacing("PORT", with: "\(port)")
    row.fields = fields.map { ($0.0, $0.1.replacing("PORT", with: "\(port)")) }
    return row
  }

  /// The bytes of the request.
  var text: String {
    var lines = ["\(method.rawValue) \(path) HTTP/1.1"]
    if let host { lines.append("Host: \(host)") }
    lines += fields.map { "\($0.0): \($0.1)" }
    lines += ["Content-Length: \(body.utf8.count)", "Connection: close", "", body]
    return lines.joined(separator: "\r\n")
  }

  /// The request as another server passes it on, with `Host` among the fields.
  var request: HTTPRequest {
    var fields = HTTPFields()
    for (name, value) in (host.map { [("Host", $0)] } ?? []) + self.fields {
      if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    return HTTPRequest(method: method, scheme: nil, authority: nil, path: path, headerFields: fields)
  }

  private static let runs = ["/jobs/trigger", "/jobs/scheduled/nightly", "/jobs/master"]

  /// The requests that a page can make a browser send, and those that a proxy forwards.
  static let strangers: [CallerRow] =
    runs.flatMap { path in
      [
        // A page's form or no-cors fetch, with the content types that need no preflight, and JSON.
        Self(
          .post, path,
          [("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Content-Type", "text/plain")]),
        Self(.post, path, [("Origin", "http://evil.example"), ("Content-Type", "application/json")]),
        Self(.post, path, [("Sec-Fetch-Site", "cross-site"), ("Content-Type", "application/x-www-form-urlencoded")]),
        Self(.post, path, [("Origin", "null"), ("Content-Type", "text/plain")]),
        // Another port of this machine, and another name of it.
        Self(.post, path, [("Origin", "http://127.0.0.1:3000"), ("Sec-Fetch-Site", "same-site")]),
        Self(.post, path, [("Origin", "http://localhost:PORT"), ("Sec-Fetch-Site", "cross-site")]),
        // DNS rebinding: for the browser, the page has the same origin.
        Self(.post, path, host: "evil.example:PORT", [("Origin", "http://evil.example:PORT")]),
        Self(.post, path, host: "evil.example", [("Content-Type", "text/plain")]),
        Self(.post, path, host: "127.evil.example", [("Content-Type", "application/json")]),
        // A browser that sends no origin.
        Self(.post, path, [("Sec-Fetch-Site", "none"), ("Content-Type", "application/json")]),
        Self(.post, path, [("Referer", "http://evil.example/")]),
        Self(.post, path, [("X-Forwarded-For", "192.0.2.1")]), Self(.post, path, [("Via", "1.1 proxy")]),
        Self(.post, path, [("X-Real-IP", "192.0.2.1")]), Self(.post, path, [("CF-Connecting-IP", "192.0.2.1")]),
        Self(.post, path, [("X-Forwarded-Host", "jobs.example")]),
      ]
    } + [
      Self(.get, "/jobs/health", [("Sec-Fetch-Site", "cross-site")]),
      Self(.get, "/jobs/health", [("Origin", "http://evil.example")]),
      Self(.get, "/jobs/health", host: "evil.example:PORT", []),
      Self(.head, "/jobs/health", [("Sec-Fetch-Site", "same-site")]),
      Self(.get, "/jobs/health", [("X-Forwarded-For", "192.0.2.1")]),
    ]

  /// Programs, and a page of the handler's own origin.
  static let friends: [CallerRow] = [
    Self(
      .post, "/jobs/trigger", [("User-Agent", "curl/7.88.1"), ("Content-Type", "application/x-www-form-urlencoded")],
      isServed: true),
    Self(.post, "/jobs/trigger", host: "localhost:PORT", [("Content-Type", "application/json")], isServed: true),
    Self(
      .post, "/jobs/trigger",
      [("User-Agent", "Google-Cloud-Tasks"), ("X-CloudTasks-QueueName", "q"), ("X-CloudTasks-TaskName", "t")],
      isServed: true),
    Self(
      .post, "/jobs/scheduled/nightly",
      [("User-Agent", "Google-Cloud-Scheduler"), ("X-CloudScheduler-ScheduleTime", "2026-11-21T02:00:00Z")],
      isServed: true),
    Self(
      .post, "/jobs/trigger", [("Origin", "http://127.0.0.1:PORT"), ("Sec-Fetch-Site", "same-origin")],
      isServed: true),
    Self(.get, "/jobs/health", [("User-Agent", "kube-probe/1.31")], isServed: true),
    Self(.get, "/jobs/health", [("Sec-Fetch-Site", "none")], isServed: true),
  ]
}

@Suite("Web pages and proxies in front of a handler that trusts loopback")
struct CrossSiteTests {
  private func runtime(_ count: @escaping @Sendable () -> Void) async throws -> JobRuntime {
    let registry = try JobRegistry {
      EndpointJob("job") { _ in
        count()
        return .done
      }
      ScheduledJob("nightly", cron: "0 2 * * *") { _ in
        count()
        return .done
      }
      PeriodicJob("often", every: .seconds(1)) { _ in
        count()
        return .done
      }
    }
    return JobRuntime(registry, store: .memory, queue: .store, authentication: .trustLoopback)
  }

  @Test("No job runs and nothing is disclosed to a page or through a proxy, over a socket and through handle")
  func strangers() async throws {
    try await serve(CallerRow.strangers) { row, status, executed in
      #expect(status == 403, "\(row.testDescription)")
      #expect(executed == 0, "\(row.testDescription)")
    }
  }

  @Test("curl, the emulator's deliveries, probes and the handler's own pages are accepted")
  func friends() async throws {
    try await serve(CallerRow.friends) { row, status, executed in
      #expect(status == 200, "\(row.testDescription)")
      #expect(executed == (row.method == .post ? 1 : 0), "\(row.testDescription)")
    }
  }

  /// Sends each row to its own server over a socket, and to its own runtime through `handle`.
  private func serve(
    _ rows: [CallerRow], check: @Sendable (_ row: CallerRow, _ status: Int?, _ executed: Int) -> Void
  ) async throws {
    for row in rows {
      let executed = Counter()
      let direct = try await runtime { executed.add() }
      let response = await direct.handle(
        row.with(port: 8_080).request, body: Array(row.body.utf8), peer: .address("127.0.0.1"))
      check(row, response.head.status.code, executed.value)
    }
    let executed = Counter()
    let server = try await runtime { executed.add() }
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    // A plain router instead of JobServer: only the rows may run jobs.
    let router = Router(context: JobRequestContext.self)
    router.mount(server)
    let application = Application(
      router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in ready.yield(channel.localAddress?.port ?? 0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      for row in rows {
        let before = executed.value
        let status = await RawExchange.status(of: row.with(port: port).text, port: port)
        check(row, status, executed.value - before)
      }
      group.cancelAll()
    }
  }
}

/// A counter shared by several threads.
private final class Counter: Sendable {
  private let number = Atomic<Int>(0)

  var value: Int { number.load(ordering: .acquiring) }

  func add() { number.add(1, ordering: .acquiringAndReleasing) }
}
#endif
