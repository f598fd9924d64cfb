#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Testing

extension LiveSuite {
  @Suite("HTTP client: failures")
  struct FailureTests {
    let server: LocalServer
    let client = CurlHTTPClient()

    init() throws { server = try LocalServer() }

    @Test(
      "a peer that violates the protocol causes the matching code",
      arguments: [
        ("/half", HTTPExchangeError.Code.connectionClosed), ("/half-chunk", .connectionClosed),
        ("/close", .connectionClosed),
        ("/half-head", .connectionClosed), ("/garbage", .invalidResponse),
      ])
    func brokenPeers(path: String, expected: HTTPExchangeError.Code) async throws {
      let url = server.bad + path
      #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == expected)
      #expect(try await client.send(HTTPExchangeRequest(url: server.good + "/status/200")).status == 200)
    }

    @Test(
      "a missing response, a slow body and a wait for a connection all end at the deadline",
      arguments: ["/hang", "/drip"])
    func timeout(path: String) async throws {
      let request = HTTPExchangeRequest(url: server.bad + path, timeout: .milliseconds(150))
      let start = ContinuousClock.now
      let error = await #expect(throws: HTTPExchangeError.self) { try await client.send(request) }
      let elapsed = ContinuousClock.now - start
      #expect(error?.code == .timedOut)
      #expect(error?.nativeCode == "CURLE_OPERATION_TIMEDOUT (28)")
      #expect(elapsed >= .milliseconds(145) && elapsed < .seconds(10))
      try await server.wait("the transfer is aborted") { $0.rawOpen == 0 }
    }

    @Test("a request that waits for its turn times out while waiting")
    func timeoutInQueue() async throws {
      var options = CurlHTTPClient.Options()
      options.maxConnectionsPerHost = 1
      let client = CurlHTTPClient(options)
      let url = server.bad + "/hang"
      await withTaskGroup(of: Void.self) { group in
        group.addTask { _ = await client.failure(of: HTTPExchangeRequest(url: url)) }
        try? await server.wait("the first request is under way") { $0.rawRequests == 1 }
        let waiting = HTTPExchangeRequest(url: url, timeout: .milliseconds(100))
        #expect(await client.failure(of: waiting) == .timedOut)
        group.cancelAll()
      }
      #expect(try await server.counts().rawRequests == 1)
    }

    @Test("a timeout of zero or less fails immediately", arguments: [Duration.zero, .seconds(-1)])
    func noTime(timeout: Duration) async {
      let request = HTTPExchangeRequest(url: server.good, timeout: timeout)
      #expect(await client.failure(of: request) == .timedOut)
    }

    @Test("a body over the limit is aborted, declared or not, and one at the limit is not")
    func sizeLimit() async throws {
      var options = CurlHTTPClient.Options()
      options.maxResponseBytes = 1000
      let client = CurlHTTPClient(options)
      #expect(try await client.send(HTTPExchangeRequest(url: server.good + "/bytes/1000")).body.count == 1000)
      for url in [server.good + "/bytes/1001", server.bad + "/endless", server.bad + "/declared"] {
        #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == .responseTooLarge)
      }
      try await server.wait("the transfers are aborted") { $0.rawOpen == 0 }
      let head = HTTPExchangeRequest(method: .head, url: server.good + "/bytes/1001")
      #expect(try await client.send(head).status == 200)
    }

    @Test("an endless header is aborted")
    func headLimit() async {
      let url = server.bad + "/endless-head"
      #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == .responseTooLarge)
    }

    @Test("a port without a server refuses the connection, with the native code and a remedy")
    func refused() async throws {
      let request = HTTPExchangeRequest(url: "http://127.0.0.1:1/secret?token=t")
      let error = await #expect(throws: HTTPExchangeError.self) { try await client.send(request) }
      #expect(error?.code == .couldNotConnect)
      #expect(error?.nativeCode == "CURLE_COULDNT_CONNECT (7)")
      #expect(error?.requestWasNotSent == true)
      #expect(error?.message.contains("127.0.0.1:1") == true)
      #expect(error?.message.contains("secret") == false)
    }

    @Test("a name that does not resolve fails only its own request")
    func unresolved() async throws {
      let error = await #expect(throws: HTTPExchangeError.self) {
        try await client.send(HTTPExchangeRequest(url: "http://nowhere.invalid/"))
      }
      #expect(error?.code == .couldNotResolve && error?.requestWasNotSent == true)
      #expect(try await client.send(HTTPExchangeRequest(url: server.good + "/status/200")).status == 200)
    }

    @Test("TLS with a server that does not speak it fails as such")
    func tls() async {
      let url = server.good.replacing("http:", with: "https:")
      #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == .tls)
    }

    @Test("more requests than the limit are rejected")
    func overload() async throws {
      var options = CurlHTTPClient.Options()
      options.maxRequests = 1
      let client = CurlHTTPClient(options)
      let url = server.bad + "/hang"
      await withTaskGroup(of: Void.self) { group in
        group.addTask { _ = await client.failure(of: HTTPExchangeRequest(url: url)) }
        try? await server.wait("the first request is under way") { $0.rawRequests == 1 }
        #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == .tooManyRequests)
        group.cancelAll()
      }
      #expect(try await client.send(HTTPExchangeRequest(url: server.good + "/status/200")).status == 200)
    }
  }
}

extension LiveSuite {
  @Suite("HTTP client: resending")
  struct ResendTests {
    let server: LocalServer
    let client = CurlHTTPClient()

    init() throws { server = try LocalServer() }

    private func expectLoss(of request: HTTPExchangeRequest) async {
      let error = await #expect(throws: HTTPExchangeError.self) { try await client.send(request) }
      #expect(error?.code == .connectionClosed)
      #expect(error?.requestWasNotSent == false)
      // The close is seen as an end of stream or as a reset, depending on a race.
      let codes = ["CURLE_GOT_NOTHING (52)", "CURLE_SEND_ERROR (55)", "CURLE_RECV_ERROR (56)"]
      #expect(codes.contains(error?.nativeCode ?? ""), "\(String(describing: error))")
    }

    @Test(
      "a request that is not idempotent is never sent twice if its response is lost on a kept connection",
      arguments: [
        (HTTPRequest.Method.post, 1, nil), (.post, 0, nil), (.post, 300_000, nil), (.patch, 1, nil),
        (HTTPRequest.Method("QUERY") ?? .post, 1, nil), (.put, 1, false), (.get, 0, false),
      ] as [(HTTPRequest.Method, Int, Bool?)], ["/lose", "/cut"])
    func once(kind: (method: HTTPRequest.Method, size: Int, isIdempotent: Bool?), path: String) async throws {
      _ = try await client.send(HTTPExchangeRequest(url: server.bad + "/keep"))
      let body = [UInt8](repeating: 0x78, count: kind.size)
      await expectLoss(
        of: HTTPExchangeRequest(
          method: kind.method, url: server.bad + path, body: body, isIdempotent: kind.isIdempotent))
      #expect(try await server.counts().rawRequests == 2)
    }

    @Test(
      "an idempotent request is sent again, and answered",
      arguments: [
        (HTTPRequest.Method.get, 0, nil), (.head, 0, nil), (.options, 0, nil), (.trace, 0, nil), (.put, 1, nil),
        (.put, 300_000, nil), (.delete, 0, nil), (.post, 1, true), (.post, 300_000, true), (.patch, 1, true),
      ] as [(HTTPRequest.Method, Int, Bool?)])
    func again(kind: (method: HTTPRequest.Method, size: Int, isIdempotent: Bool?)) async throws {
      _ = try await client.send(HTTPExchangeRequest(url: server.bad + "/keep"))
      let body = [UInt8](repeating: 0x78, count: kind.size)
      let request = HTTPExchangeRequest(
        method: kind.method, url: server.bad + "/lose", body: body, isIdempotent: kind.isIdempotent)
      #expect(try await client.send(request).status == 200)
      #expect(try await server.counts().rawRequests == 3)
    }

    @Test("a lost request is not sent again on another kept connection")
    func secondConnection() async throws {
      let (client, url) = (client, server.bad + "/meet")
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<2 { group.addTask { try await client.send(HTTPExchangeRequest(url: url)).status } }
        for try await status in group { #expect(status == 200) }
      }
      await expectLoss(of: HTTPExchangeRequest(method: .post, url: server.bad + "/lose", body: [1]))
      #expect(try await server.counts().rawRequests == 3)
    }

    @Test("a lost request counts as sent, even if no second connection can be established", arguments: [nil, true])
    func vanished(isIdempotent: Bool?) async throws {
      _ = try await client.send(HTTPExchangeRequest(url: server.bad + "/keep"))
      await expectLoss(
        of: HTTPExchangeRequest(method: .post, url: server.bad + "/vanish", body: [1], isIdempotent: isIdempotent))
      #expect(try await server.counts().rawRequests == 2)
    }

    @Test("a lost request counts as sent, even if the peer filter rejects a second connection")
    func refused() async throws {
      let first = HTTPExchangeRequest(url: server.bad + "/keep")
      var options = CurlHTTPClient.Options()
      let gate = OneConnection()
      options.peerFilter = { _ in gate.pass() }
      let client = CurlHTTPClient(options)
      _ = try await client.send(first)
      let request = HTTPExchangeRequest(url: server.bad + "/lose")
      #expect(await client.failure(of: request) == .connectionClosed)
      #expect(try await server.counts().rawRequests == 2)
    }

    @Test("a kept connection that the server closed while idle is replaced before anything is sent")
    func idle() async throws {
      for number in 1...5 {
        let response = try await client.send(HTTPExchangeRequest(method: .post, url: server.bad + "/stale", body: [1]))
        #expect(response.body == Array("ok".utf8))
        try await server.wait("the server closes the connection") { $0.rawOpen == 0 && $0.rawRequests == number }
      }
    }

    @Test("a kept connection that the server closes at any moment is replaced without an error for a GET")
    func staleConnection() async throws {
      for _ in 0..<20 {
        let response = try await client.send(HTTPExchangeRequest(url: server.bad + "/stale"))
        #expect(response.body == Array("ok".utf8))
      }
    }
  }
}
#endif
