#if Server && HTTP
import CloudJobs
import CloudJobsCore
import HTTPTypes
import TestSupport
import Testing

@testable import CloudJobsServer

@Suite("The dashboard beside a handler", .serialized)
struct DashboardMountTests {
  private static let password = "correct horse"
  private let log = LogRecorder()

  private func runtime(_ authentication: Authentication = .trustLoopback) throws -> JobRuntime {
    var options = RuntimeOptions()
    options.logger = log.logger
    let jobs = try JobRegistry { EndpointJob("greet") { _ in } }
    return JobRuntime(jobs, store: .memory, authentication: authentication, options: options)
  }

  /// Runs a server during a test.
  ///
  /// Only a test of its time limit sets a short one, which busy processors exceed.
  private func withServer(
    _ dashboard: DashboardOptions, mountPath: String = "/jobs", host: String = "127.0.0.1",
    _ authentication: Authentication = .trustLoopback, requestTimeout: Duration = .seconds(60),
    _ body: (_ port: Int) async throws -> Void
  ) async throws {
    var configuration = JobServerConfiguration(host: host, port: 0)
    (configuration.dashboard, configuration.mountPath) = (dashboard, mountPath)
    (configuration.requestTimeout, configuration.idleTimeout) = (requestTimeout, .seconds(60))
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let server = JobServer(try runtime(authentication), configuration: configuration) { ready.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { ready.finish() }
        try await server.run()
      }
      var iterator = ports.makeAsyncIterator()
      guard let port = await iterator.next() else {
        try await group.next()
        return
      }
      try await body(port)
      group.cancelAll()
    }
  }

  private func answer(_ port: Int, _ method: String, _ path: String, _ fields: String = "", body: String = "") async
    -> String
  {
    let connection = await RawConnection(port: port)
    await connection.send(
      "\(method) \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n\(fields)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    return await connection.untilClosed().text
  }

  private static let form = "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"

  @Test(
    "The dashboard is at any path, and takes no request of the handler",
    arguments: [
      ("/dashboard", "/jobs"), ("/admin/jobs", "/jobs"), ("/jobs/dashboard", "/jobs"), ("/jobs/admin/board", "/jobs"),
      ("/a.b/~c_d-e", "/jobs"), ("/dashboard", "/tasks/of/mine"), ("tools//board/", "/jobs"),
    ])
  func paths(path: String, mountPath: String) async throws {
    try await withServer(DashboardOptions(path: path), mountPath: mountPath) { port in
      let base = "/" + path.split(separator: "/").joined(separator: "/")
      #expect(await answer(port, "GET", base).contains("200 OK"))
      #expect(await answer(port, "GET", base + "/runs").contains("200 OK"))
      #expect(await answer(port, "GET", base + "/nothing").contains("404 Not Found"))
      for route in ["/health", "/health/live", "/jobs", "/runs", "/jobs/greet", "/workers"] {
        let text = await answer(port, "GET", mountPath + route)
        #expect(text.contains("200 OK") && text.contains("application/json"), "\(route)")
      }
      let run = await answer(port, "POST", mountPath + "/trigger", body: #"{"jobId":"greet"}"#)
      #expect(run.contains("200 OK") && run.contains("succeeded"))
      #expect(log.lines.contains { $0.hasPrefix("notice: The dashboard is at http://127.0.0.1:\(port)\(base)") })
    }
  }

  @Test(
    "A path that hides the handler, or that a router reads in another way, is refused at the start",
    arguments: [
      ("/jobs", "/jobs"), ("/jobs/", "/jobs"), ("/jobs/runs", "/jobs"), ("/jobs/trigger/board", "/jobs"),
      ("/jobs/health", "/jobs"), ("/dashboard", "/dashboard/jobs"), ("/", "/jobs"), ("", "/jobs"), ("/a/:b", "/jobs"),
      ("/a/*", "/jobs"), ("/a/**", "/jobs"), ("/a/../b", "/jobs"), ("/./a", "/jobs"), ("/a b", "/jobs"),
      ("/a%2fb", "/jobs"), ("/{a}", "/jobs"), ("/ä", "/jobs"), ("/a?b", "/jobs"), ("/a#b", "/jobs"),
      ("/\"><b>", "/jobs"),
    ])
  func faults(path: String, mountPath: String) async throws {
    let error = await #expect(throws: JobError.self) {
      try await withServer(DashboardOptions(path: path), mountPath: mountPath) { _ in }
    }
    #expect(error?.code == .invalidField && error?.message.contains("such as /dashboard") == true)
  }

  @Test("The routes that a dashboard may not hide are those of the handler")
  func routes() async throws {
    for segment in DashboardOptions.handlerRoutes {
      var statuses: Set<Int> = []
      for path in ["/jobs/\(segment)", "/jobs/\(segment)/greet"] {
        let request = HTTPRequest(method: .delete, scheme: nil, authority: "localhost", path: path)
        statuses.insert(await (try runtime()).handle(request, peer: .inProcess).head.status.code)
      }
      #expect(statuses.contains(405), "\(segment)")
    }
    for segment in ["dashboard", "admin", "trigger2", ""] {
      let request = HTTPRequest(method: .delete, scheme: nil, authority: "localhost", path: "/jobs/\(segment)")
      #expect(await (try runtime()).handle(request, peer: .inProcess).head.status == .notFound)
    }
  }

  @Test("A dashboard that asks for no password is served on loopback only")
  func openDashboards() async throws {
    let secret = Authentication.sharedSecret("0123456789abcdef")
    for host in ["0.0.0.0", "::", "192.0.2.1", "jobs.example"] {
      let error = await #expect(throws: JobError.self) {
        try await withServer(.loopback, host: host, secret) { _ in }
      }
      #expect(error?.code == .permissionDenied && error?.message.contains("CLOUD_JOBS_DASHBOARD_PASSWORD") == true)
    }
    let users = [try DashboardAccess.User("alice", password: Self.password)]
    let access = try DashboardAccess.passwords(users, hosts: ["jobs.example"])
    try await withServer(DashboardOptions(access: access), host: "0.0.0.0", secret) { port in
      let text = await answer(port, "GET", "/dashboard")
      #expect(text.contains("401 Unauthorized") && text.lowercased().contains("www-authenticate: basic"))
      #expect(log.lines.contains { $0.hasPrefix("notice: The dashboard is at /dashboard of port \(port).") })
      #expect(!log.lines.joined().contains(Self.password))
    }
  }

  @Test("Over the wire: no body for HEAD, 405 with the methods, 413 and 408 for forms without an end")
  func wire() async throws {
    try await withServer(.loopback) { port in
      let head = await answer(port, "HEAD", "/dashboard")
      #expect(head.contains("200 OK") && !head.contains("<html") && head.lowercased().contains("content-length: "))
      #expect(!head.lowercased().contains("content-length: 0"))
      let health = await answer(port, "HEAD", "/jobs/health")
      #expect(health.contains("200 OK") && health.hasSuffix("\r\n\r\n"))
      for method in ["PUT", "PATCH", "DELETE", "OPTIONS"] {
        let text = await answer(port, method, "/dashboard/runs", Self.form)
        #expect(text.contains("405 Method Not Allowed") && text.lowercased().contains("allow: get, head, post"))
      }
      let large = String(repeating: "a=b&", count: (4 << 20) / 4 + 1)
      #expect(await answer(port, "POST", "/dashboard/nothing", Self.form, body: large).contains("413 "))
      // As many fields as fit are read in no time, and all but some left out.
      let many = String(large.dropLast(8))
      #expect(await answer(port, "POST", "/dashboard/nothing", Self.form, body: many).contains("404 "))
      // A refused body is not waited for.
      let refused = await RawConnection(port: port)
      await refused.send("POST /dashboard HTTP/1.1\r\nHost: localhost:\(port)\r\nContent-Length: 4000000\r\n\r\n")
      #expect(await refused.next().contains("403 Forbidden"))
    }
    try await withServer(.loopback, requestTimeout: .milliseconds(600)) { port in
      let connection = await RawConnection(port: port)
      await connection.send(
        "POST /dashboard/nothing HTTP/1.1\r\nHost: localhost:\(port)\r\n\(Self.form)Content-Length: 100\r\n\r\na=b")
      let slow = await connection.untilClosed()
      #expect(slow.text.contains("408 Request Timeout") && slow.isClosed)
    }
  }
}

@Suite("The dashboard alone", .serialized)
struct DashboardServerTests {
  private func runtime() throws -> JobRuntime {
    JobRuntime(try JobRegistry {}, store: .memory, authentication: .trustLoopback)
  }

  @Test("It serves pages, leads there from /, and has no route of a handler")
  func pages() async throws {
    let (urls, ready) = AsyncStream.makeStream(of: String.self)
    let server = try DashboardServer(try runtime(), .loopback, host: "127.0.0.1", port: 0) { ready.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      var iterator = urls.makeAsyncIterator()
      let url = try #require(await iterator.next())
      let port = try #require(url.split(separator: ":").last.flatMap { Int($0.prefix { $0 != "/" }) })
      #expect(url == "http://127.0.0.1:\(port)/dashboard")
      for (path, status) in [("/dashboard", 200), ("/", 302), ("/jobs/health", 404), ("/jobs/trigger", 404)] {
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        #expect(await RawExchange.status(of: request, port: port) == status, "\(path)")
      }
      group.cancelAll()
    }
  }

  @Test("It does not start without a password at an address of others, and ends if nobody can be told where it is")
  func faults() async throws {
    let runtime = try runtime()
    #expect(throws: JobError.self) { try DashboardServer(runtime, .loopback, host: "0.0.0.0", port: 0) { _ in } }
    #expect(throws: JobError.self) {
      try DashboardServer(runtime, DashboardOptions(path: "/"), host: "127.0.0.1", port: 0) { _ in }
    }
    let server = try DashboardServer(runtime, .loopback, host: "127.0.0.1", port: 0) { _ in throw CancellationError() }
    await #expect(throws: CancellationError.self) { try await server.run() }
  }

  @Test(
    "Its address is one that a browser takes",
    arguments: [
      ("127.0.0.1", "http://127.0.0.1:80/dashboard"), ("localhost", "http://localhost:80/dashboard"),
      ("::1", "http://[::1]:80/dashboard"), ("0.0.0.0", "http://localhost:80/dashboard"),
      ("::", "http://localhost:80/dashboard"), ("10.0.0.1", "http://10.0.0.1:80/dashboard"),
    ])
  func addresses(host: String, url: String) { #expect(DashboardOptions.loopback.url(at: host, port: 80) == url) }
}
#endif
