#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Testing

extension LiveSuite {
  @Suite("HTTP client: failures")
  struct FailureTests {
    let server: LocalServer
    let client = HTTPClient()

    init() throws { server = try LocalServer() }

    @Test(
      "a peer that breaks the protocol gets its code",
      arguments: [
        ("/half", HTTPClientError.Code.connectionClosed), ("/half-chunk", .connectionClosed),
        ("/close", .connectionClosed),
        ("/half-head", .connectionClosed), ("/garbage", .invalidResponse),
      ])
    func brokenPeers(path: String, expected: HTTPClientError.Code) async throws {
      let url = server.bad + path
      #expect(await client.failure(of: HTTPClientRequest(url: url)) == expected)
      #expect(try await client.send(HTTPClientRequest(url: server.good + "/status/200")).status == 200)
    }

    @Test("no answer, a slow body and a wait for a connection all end at the deadline", arguments: ["/hang", "/drip"])
    func timeout(path: String) async throws {
      let request = HTTPClientRequest(url: server.bad + path, timeout: .milliseconds(150))
      let start = ContinuousClock.now
      let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
      let elapsed = ContinuousClock.now - start
      #expect(error?.code == .timedOut)
      #expect(error?.nativeCode == "CURLE_OPERATION_TIMEDOUT (28)")
      #expect(elapsed >= .milliseconds(145) && elapsed < .seconds(10))
      try await server.wait("the transfer is aborted") { $0.rawOpen == 0 }
    }

    @Test("a request that waits for its turn times out where it waits")
    func timeoutInQueue() async throws {
      var options = HTTPClientOptions()
      options.maxConnectionsPerHost = 1
      let client = HTTPClient(options)
      let url = server.bad + "/hang"
      await withTaskGroup(of: Void.self) { group in
        group.addTask { _ = await client.failure(of: HTTPClientRequest(url: url)) }
        try? await server.wait("the first request is under way") { $0.rawRequests == 1 }
        let waiting = HTTPClientRequest(url: url, timeout: .milliseconds(100))
        #expect(await client.failure(of: waiting) == .timedOut)
        group.cancelAll()
      }
      #expect(try await server.counts().rawRequests == 1)
    }

    @Test("a timeout of nothing fails at once", arguments: [Duration.zero, .seconds(-1)])
    func noTime(timeout: Duration) async {
      let request = HTTPClientRequest(url: server.good, timeout: timeout)
      #expect(await client.failure(of: request) == .timedOut)
    }

    @Test("a body over the limit is given up, declared or not, and one at the limit is not")
    func sizeLimit() async throws {
      var options = HTTPClientOptions()
      options.maxResponseBytes = 1000
      let client = HTTPClient(options)
      #expect(try await client.send(HTTPClientRequest(url: server.good + "/bytes/1000")).body.count == 1000)
      for url in [server.good + "/bytes/1001", server.bad + "/endless", server.bad + "/declared"] {
        #expect(await client.failure(of: HTTPClientRequest(url: url)) == .responseTooLarge)
      }
      try await server.wait("the transfers are aborted") { $0.rawOpen == 0 }
      let head = HTTPClientRequest(method: .head, url: server.good + "/bytes/1001")
      #expect(try await client.send(head).status == 200)
    }

    @Test("an endless header is given up")
    func headLimit() async {
      let url = server.bad + "/endless-head"
      #expect(await client.failure(of: HTTPClientRequest(url: url)) == .responseTooLarge)
    }

    @Test("a port where nothing listens refuses the connection, with the native code and a remedy")
    func refused() async throws {
      let request = HTTPClientRequest(url: "http://127.0.0.1:1/secret?token=t")
      let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
      #expect(error?.code == .couldNotConnect)
      #expect(error?.nativeCode == "CURLE_COULDNT_CONNECT (7)")
      #expect(error?.requestWasNotSent == true)
      #expect(error?.message.contains("127.0.0.1:1") == true)
      #expect(error?.message.contains("secret") == false)
    }

    @Test("a name that does not resolve fails its own request and none after it")
    func unresolved() async throws {
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(HTTPClientRequest(url: "http://nowhere.invalid/"))
      }
      #expect(error?.code == .couldNotResolve && error?.requestWasNotSent == true)
      #expect(try await client.send(HTTPClientRequest(url: server.good + "/status/200")).status == 200)
    }

    @Test("TLS to a server that speaks none fails as such")
    func tls() async {
      let url = server.good.replacing("http:", with: "https:")
      #expect(await client.failure(of: HTTPClientRequest(url: url)) == .tls)
    }

    @Test("more requests than the client admits are refused")
    func overload() async throws {
      var options = HTTPClientOptions()
      options.maxRequests = 1
      let client = HTTPClient(options)
      let url = server.bad + "/hang"
      await withTaskGroup(of: Void.self) { group in
        group.addTask { _ = await client.failure(of: HTTPClientRequest(url: url)) }
        try? await server.wait("the first request is under way") { $0.rawRequests == 1 }
        #expect(await client.failure(of: HTTPClientRequest(url: url)) == .tooManyRequests)
        group.cancelAll()
      }
      #expect(try await client.send(HTTPClientRequest(url: server.good + "/status/200")).status == 200)
    }
  }
}
#endif
