#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import Logging
import TestSupport
import Testing

@Suite("Connections of the server", .serialized)
struct ConnectionTests {
  private static let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"

  /// Runs a server with short limits during a test.
  private func withServer(
    _ change: (inout JobServerConfiguration) -> Void = { _ in }, _ body: (_ port: Int) async throws -> Void
  ) async throws {
    let registry = try JobRegistry { EndpointJob("greet") { _ in .done } }
    let runtime = JobRuntime(registry, store: .memory, queue: .store, authentication: .trustLoopback)
    var configuration = JobServerConfiguration(host: "127.0.0.1", port: 0)
    configuration.requestTimeout = .milliseconds(600)
    configuration.idleTimeout = .milliseconds(600)
    change(&configuration)
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let server = JobServer(runtime, configuration: configuration) { ready.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      var iterator = ports.makeAsyncIterator()
      try await body(try #require(await iterator.next()))
      group.cancelAll()
    }
  }

  @Test(
    "A request has one Host field",
    arguments: [
      ("HTTP/1.1\r\n", "400 Bad Request"), ("HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "400 Bad Request"),
      ("HTTP/1.0\r\nHost: a\r\nhost: b\r\n", "400 Bad Request"), ("HTTP/1.0\r\n", "403 Forbidden"),
      ("HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", "200 OK"),
    ])
  func host(head: String, status: String) async throws {
    // No time limit closes the connection in the server's place.
    try await withServer {
      ($0.requestTimeout, $0.idleTimeout) = (.seconds(60), .seconds(60))
    } _: { port in
      let connection = await RawConnection(port: port)
      await connection.send("GET /jobs/health \(head)\r\n")
      let answer = await connection.untilClosed()
      #expect(answer.text.contains(status) && answer.isClosed)
      #expect(answer.text.contains("connection: close"))
    }
  }

  @Test("Bytes sent one by one do not keep a connection open, neither in the head nor in the body")
  func slowRequests() async throws {
    try await withServer { port in
      let head = await RawConnection(port: port)
      await head.send("GET /jobs/health HTTP/1.1\r\nHost: localhost\r\n")
      let body = await RawConnection(port: port)
      await body.send("POST /jobs/trigger HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
      var count = 0
      while await head.isSilent(milliseconds: 50), count < 100 {
        await head.send("x")
        await body.send(" ")
        count += 1
      }
      #expect(count < 100)
      #expect(await head.untilClosed() == ("", true))
      let answer = await body.untilClosed()
      #expect(answer.text.contains("408 Request Timeout") && answer.text.contains("did not arrive in time"))
      #expect(answer.isClosed)
    }
  }

  @Test("A waiting connection is closed after the idle timeout")
  func idle() async throws {
    try await withServer {
      $0.requestTimeout = .seconds(60)
    } _: { port in
      let connection = await RawConnection(port: port)
      await connection.send("GET /jobs/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(await connection.next().contains("200 OK"))
      #expect(await connection.untilClosed().isClosed)
    }
  }

  @Test("Beyond the limit a connection waits, and is served when another ends")
  func bound() async throws {
    try await withServer { configuration in
      configuration.maxConnections = 2
      configuration.idleTimeout = .seconds(60)
      configuration.requestTimeout = .seconds(60)
    } _: { port in
      let request = "GET /jobs/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let first = await RawConnection(port: port)
      let second = await RawConnection(port: port)
      for connection in [first, second] {
        await connection.send(request)
        #expect(await connection.next().contains("200 OK"))
      }
      let third = await RawConnection(port: port)
      await third.send(request)
      #expect(await third.isSilent(milliseconds: 300))
      await first.send(request.replacing("\r\n\r\n", with: "\r\nConnection: close\r\n\r\n"))
      #expect(await first.untilClosed().text.contains("200 OK"))
      #expect(await third.next().contains("200 OK"))
    }
  }

  @Test(
    "An upload over the limit with Connection: close gets a response, and the connection is closed",
    arguments: [true, false])
  func tooLong(isEndless: Bool) async throws {
    try await withServer {
      ($0.requestTimeout, $0.idleTimeout) = (.seconds(60), .seconds(60))
    } _: { port in
      let connection = await RawConnection(port: port)
      await connection.send(
        "POST /jobs/trigger HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
      var sent = 0
      // What exceeds 1 MiB is dropped, for 2 s at most, while the response waits; an endless body is cut off.
      while await connection.send(Self.chunk), isEndless || sent < 40 { sent += 1 }
      #expect(sent >= 40)
      if !isEndless {
        await connection.send("0\r\n\r\n")
        let answer = await connection.untilClosed()
        #expect(answer.text.contains("413 ") && answer.text.contains("tooLarge") && answer.isClosed)
      }
    }
  }

  @Test("A port in use is reported by name, with the remedy")
  func portInUse() async throws {
    try await withServer { port in
      let registry = try JobRegistry { EndpointJob("greet") { _ in .done } }
      let log = LogRecorder()
      var options = RuntimeOptions()
      options.logger = log.logger
      let runtime = JobRuntime(
        registry, store: .memory, queue: .store, authentication: .trustLoopback, options: options)
      let second = JobServer(runtime, configuration: JobServerConfiguration(host: "127.0.0.1", port: port))
      let error = await #expect(throws: JobError.self) { try await second.run() }
      #expect(error?.code == .addressUnavailable && error?.nativeCode == "EADDRINUSE")
      #expect(error?.message == "Port \(port) is in use. Stop the other program, or set PORT to another.")
      // Its worker has not begun, whether the shutdown reaches it or the group is cancelled first.
      #expect(!log.lines.contains { $0.contains("Stopp") }, "\(log.lines)")
    }
  }
}
#endif
