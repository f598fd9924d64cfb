#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Testing

extension LiveSuite {
  @Suite("HTTP client: sending again")
  struct ResendTests {
    let server: LocalServer
    let client = HTTPClient()

    init() throws { server = try LocalServer() }

    private func expectLoss(of request: HTTPClientRequest) async {
      let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
      #expect(error?.code == .connectionClosed)
      #expect(error?.requestWasNotSent == false)
      // What the close looks like is a race between its end of the stream and a reset.
      let codes = ["CURLE_GOT_NOTHING (52)", "CURLE_SEND_ERROR (55)", "CURLE_RECV_ERROR (56)"]
      #expect(codes.contains(error?.nativeCode ?? ""), "\(String(describing: error))")
    }

    @Test(
      "a request whose answer is lost on a kept connection never comes twice where that may mean another thing",
      arguments: [
        (HTTPRequest.Method.post, 1, nil), (.post, 0, nil), (.post, 300_000, nil), (.patch, 1, nil),
        (HTTPRequest.Method("QUERY") ?? .post, 1, nil), (.put, 1, false), (.get, 0, false),
      ] as [(HTTPRequest.Method, Int, Bool?)], ["/lose", "/cut"])
    func once(kind: (method: HTTPRequest.Method, size: Int, isIdempotent: Bool?), path: String) async throws {
      _ = try await client.send(HTTPClientRequest(url: server.bad + "/keep"))
      let body = [UInt8](repeating: 0x78, count: kind.size)
      await expectLoss(
        of: HTTPClientRequest(
          method: kind.method, url: server.bad + path, body: body, isIdempotent: kind.isIdempotent))
      #expect(try await server.counts().rawRequests == 2)
    }

    @Test(
      "a request that means the same when it comes twice is sent again, and answered",
      arguments: [
        (HTTPRequest.Method.get, 0, nil), (.head, 0, nil), (.options, 0, nil), (.trace, 0, nil), (.put, 1, nil),
        (.put, 300_000, nil), (.delete, 0, nil), (.post, 1, true), (.post, 300_000, true), (.patch, 1, true),
      ] as [(HTTPRequest.Method, Int, Bool?)])
    func again(kind: (method: HTTPRequest.Method, size: Int, isIdempotent: Bool?)) async throws {
      _ = try await client.send(HTTPClientRequest(url: server.bad + "/keep"))
      let body = [UInt8](repeating: 0x78, count: kind.size)
      let request = HTTPClientRequest(
        method: kind.method, url: server.bad + "/lose", body: body, isIdempotent: kind.isIdempotent)
      #expect(try await client.send(request).status == 200)
      #expect(try await server.counts().rawRequests == 3)
    }

    @Test("a lost request does not go out again on another kept connection")
    func secondConnection() async throws {
      let (client, url) = (client, server.bad + "/meet")
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<2 { group.addTask { try await client.send(HTTPClientRequest(url: url)).status } }
        for try await status in group { #expect(status == 200) }
      }
      await expectLoss(of: HTTPClientRequest(method: .post, url: server.bad + "/lose", body: [1]))
      #expect(try await server.counts().rawRequests == 3)
    }

    @Test("a lost request counts as sent, also where no second connection can be made", arguments: [nil, true])
    func vanished(isIdempotent: Bool?) async throws {
      _ = try await client.send(HTTPClientRequest(url: server.bad + "/keep"))
      await expectLoss(
        of: HTTPClientRequest(method: .post, url: server.bad + "/vanish", body: [1], isIdempotent: isIdempotent))
      #expect(try await server.counts().rawRequests == 2)
    }

    @Test("a lost request counts as sent, also where the peer filter refuses a second connection")
    func refused() async throws {
      let first = HTTPClientRequest(url: server.bad + "/keep")
      var options = HTTPClientOptions()
      let gate = OneConnection()
      options.peerFilter = { _ in gate.pass() }
      let client = HTTPClient(options)
      _ = try await client.send(first)
      let request = HTTPClientRequest(url: server.bad + "/lose")
      #expect(await client.failure(of: request) == .connectionClosed)
      #expect(try await server.counts().rawRequests == 2)
    }

    @Test("a kept connection that the server closed while it was idle is replaced before anything is sent")
    func idle() async throws {
      for number in 1...5 {
        let response = try await client.send(HTTPClientRequest(method: .post, url: server.bad + "/stale", body: [1]))
        #expect(response.body == Array("ok".utf8))
        try await server.wait("the server closes the connection") { $0.rawOpen == 0 && $0.rawRequests == number }
      }
    }

    @Test("a kept connection that the server closes at any moment is replaced without an error for a GET")
    func staleConnection() async throws {
      for _ in 0..<20 {
        let response = try await client.send(HTTPClientRequest(url: server.bad + "/stale"))
        #expect(response.body == Array("ok".utf8))
      }
    }
  }
}
#endif
