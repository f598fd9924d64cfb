#if HTTP
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes
import Testing

extension LiveSuite {
  @Suite("HTTP client: exchanges with a real server")
  struct ExchangeTests {
    let server = LocalServer.shared
    let client = CurlHTTPClient()

    @Test(
      "every method arrives with its body, its length and no unrequested header field",
      arguments: [
        (HTTPRequest.Method.get, ""), (.get, "with body"), (.post, ""), (.post, "a=b"), (.put, ""), (.put, "{}"),
        (.patch, "x"), (.delete, ""), (.delete, "y"), (.options, ""), (HTTPRequest.Method("QUERY") ?? .get, "select"),
      ])
    func methods(method: HTTPRequest.Method, body: String) async throws {
      let bytes = Array(body.utf8)
      let response = try await client.send(HTTPExchangeRequest(method: method, url: server.good + "/echo", body: bytes))
      let echo = try response.echo()
      #expect(response.status == 200)
      #expect(echo.method == method.rawValue)
      #expect(echo.bytes == bytes.count)
      #expect(echo.sha256 == SHA256.hexDigest(of: bytes))
      let hasLength = !bytes.isEmpty || [.post, .put, .patch].contains(method)
      #expect(echo.values("content-length") == (hasLength ? ["\(bytes.count)"] : []))
      #expect(Set(echo.headers.map { $0[0] }).subtracting(["host", "user-agent", "content-length"]).isEmpty)
    }

    @Test("the response to a HEAD request has header fields and no body")
    func head() async throws {
      let response = try await client.send(HTTPExchangeRequest(method: .head, url: server.good + "/bytes/1234"))
      #expect(response.status == 200)
      #expect(response.headers[.contentLength] == "1234")
      #expect(response.body.isEmpty)
    }

    @Test("bodies are returned byte for byte", arguments: [0, 1, 1023, 16_384, 65_537, 1_048_577, 5 * 1_048_576])
    func bodies(size: Int) async throws {
      let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
      let response = try await client.send(HTTPExchangeRequest(method: .post, url: server.good + "/mirror", body: body))
      #expect(response.body == body)
    }

    @Test("header fields arrive as given: repeated, empty, beyond ASCII; framing fields are the client's")
    func requestHeaders() async throws {
      var headers = HTTPFields()
      for (name, value) in [
        ("X-Repeated", "one"), ("X-Repeated", "two"), ("X-CloudTasks-TaskRetryReason", ""), ("X-Word", "größer"),
        ("Content-Type", "text/plain"), ("Content-Length", "9999"), ("Transfer-Encoding", "chunked"),
        ("Connection", "close"), ("Expect", "100-continue"), ("User-Agent", "Google-Cloud-Tasks"), ("Accept", "a/b"),
      ] {
        headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
      }
      let url = server.good + "/echo?a=b%20c&d=1#fragment"
      let request = HTTPExchangeRequest(method: .post, url: url, headers: headers, body: [1, 2, 3])
      let echo = try await client.send(request).echo()
      #expect(echo.path == "/echo?a=b%20c&d=1")
      #expect(echo.values("x-repeated") == ["one", "two"])
      #expect(echo.values("x-cloudtasks-taskretryreason") == [""])
      let word = try #require(echo.values("x-word").first)
      #expect(Array(word.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }) == Array("größer".utf8))
      #expect(echo.values("content-type") == ["text/plain"])
      #expect(echo.values("content-length") == ["3"])
      #expect(echo.values("user-agent") == ["Google-Cloud-Tasks"])
      #expect(echo.values("accept") == ["a/b"])
      for name in ["transfer-encoding", "connection", "expect"] { #expect(echo.values(name).isEmpty) }
    }

    @Test("response header fields are in order, repeated and trimmed")
    func responseHeaders() async throws {
      let headers = try await client.send(HTTPExchangeRequest(url: server.good + "/headers")).headers
      let twice = try #require(HTTPField.Name("X-Twice"))
      #expect(headers[values: twice] == ["one", "two"])
      #expect(headers[try #require(HTTPField.Name("x-empty"))]?.isEmpty == true)
      #expect(headers[try #require(HTTPField.Name("x-padded"))] == "a b")
    }

    @Test("interim responses and trailers are not part of the header")
    func interim() async throws {
      let response = try await client.send(HTTPExchangeRequest(url: server.bad + "/interim"))
      #expect(response.status == 200)
      #expect(response.body == Array("hello".utf8))
      #expect(response.headers[try #require(HTTPField.Name("X-Final"))] == "yes")
      for name in ["X-Hint", "X-Trailer"] { #expect(response.headers[try #require(HTTPField.Name(name))] == nil) }
    }

    @Test("a folded header line is joined")
    func folded() async throws {
      let response = try await client.send(HTTPExchangeRequest(url: server.bad + "/folded"))
      #expect(response.headers[try #require(HTTPField.Name("X-Long"))] == "one two")
    }

    @Test("every status is a response", arguments: [200, 201, 204, 304, 400, 404, 409, 429, 500, 503])
    func statuses(status: Int) async throws {
      let response = try await client.send(HTTPExchangeRequest(url: server.good + "/status/\(status)"))
      #expect(response.status == status)
    }

    @Test("a redirect is returned and not followed")
    func redirect() async throws {
      let server = try LocalServer()
      let response = try await client.send(HTTPExchangeRequest(url: server.good + "/redirect"))
      #expect(response.status == 302)
      #expect(response.headers[.location] == "/echo")
      #expect(try await server.counts().requests == 2)
    }

    @Test("sequential requests share one connection")
    func keepAlive() async throws {
      let server = try LocalServer()
      for _ in 0..<50 { _ = try await client.send(HTTPExchangeRequest(url: server.good + "/status/200")) }
      let counts = try await server.counts()
      #expect(counts.requests == 51)
      #expect(counts.connections == 2)
    }

    @Test("2,000 requests, 64 at a time, each get their own response over at most 64 connections")
    func concurrency() async throws {
      let server = try LocalServer()
      let total = 2000
      let url = server.good + "/mirror"
      let client = self.client
      try await withThrowingTaskGroup(of: Bool.self) { group in
        var started = 0
        var answered = 0
        func start() {
          let body = Array("request \(started)".utf8)
          started += 1
          group.addTask { try await client.send(HTTPExchangeRequest(method: .post, url: url, body: body)).body == body }
        }
        for _ in 0..<64 { start() }
        while let isOwn = try await group.next() {
          #expect(isOwn)
          answered += 1
          if started < total { start() }
        }
        #expect(answered == total)
      }
      let counts = try await server.counts()
      #expect(counts.requests == total + 1)
      #expect(counts.connections <= 65)
    }

    @Test("the limit of connections per host holds, and further requests wait")
    func connectionLimit() async throws {
      let server = try LocalServer()
      var options = CurlHTTPClient.Options()
      options.maxConnectionsPerHost = 3
      let client = CurlHTTPClient(options)
      let url = server.good + "/sleep/10"
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<30 { group.addTask { try await client.send(HTTPExchangeRequest(url: url)).status } }
        for try await status in group { #expect(status == 200) }
      }
      #expect(try await server.counts().connections <= 4)
    }

    @Test("the library has a version")
    func version() {
      #expect(CurlHTTPClient.libraryVersion.split(separator: ".").count >= 2)
    }
  }
}

extension LiveSuite {
  @Suite("HTTP client: HTTP/2")
  struct HTTP2Tests {
    let server = TLSServer.shared
    let client: CurlHTTPClient

    init() {
      var options = CurlHTTPClient.Options()
      options.certificateAuthorityFile = server.authorityFile
      client = CurlHTTPClient(options)
    }

    private struct Answer {
      let connection: Int
      let request: Int
      let bodySize: Int

      init(_ response: HTTPExchangeResponse) throws {
        #expect(response.status == 200)
        let numbers = String(decoding: response.body, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
        try #require(numbers.count == 3)
        (connection, request, bodySize) = (numbers[0], numbers[1], numbers[2])
      }
    }

    private func post(to port: Int, size: Int = 1, isIdempotent: Bool? = nil) -> HTTPExchangeRequest {
      HTTPExchangeRequest(
        method: .post, url: "https://127.0.0.1:\(port)/", body: [UInt8](repeating: 0x78, count: size),
        isIdempotent: isIdempotent)
    }

    @Test("concurrent requests share one connection, and bodies of a mebibyte arrive completely")
    func shared() async throws {
      let (client, request) = (client, post(to: server.gatheringPort))
      let answers = try await withThrowingTaskGroup(of: HTTPExchangeResponse.self) { group in
        for _ in 0..<20 { group.addTask { try await client.send(request) } }
        return try await group.reduce(into: []) { $0.append($1) }.map(Answer.init)
      }
      #expect(Set(answers.map(\.connection)) == [1])
      #expect(answers.map(\.request).sorted() == Array(1...20))
      let large = try Answer(await client.send(post(to: server.gatheringPort, size: 1 << 20)))
      #expect(large.connection == 1 && large.bodySize == 1 << 20)
    }

    private func expectLoss(at port: Int) async {
      let error = await #expect(throws: HTTPExchangeError.self) { try await client.send(post(to: port)) }
      #expect(error?.code == .connectionClosed && error?.requestWasNotSent == false)
    }

    @Test("a refused request is sent again only if it is idempotent")
    func refused() async throws {
      let port = server.refusingPort
      #expect(try Answer(await client.send(post(to: port, isIdempotent: true))).request == 2)
      await expectLoss(at: port)
      #expect(try Answer(await client.send(post(to: port))).request == 4)
    }

    @Test("a server that goes away ends the request, and the next one uses a new connection")
    func goingAway() async throws {
      await expectLoss(at: server.leavingPort)
      let next = try Answer(await client.send(post(to: server.leavingPort)))
      #expect(next.connection == 2 && next.request == 2)
    }

    @Test("a stream that is reset fails alone", arguments: [nil, true])
    func reset(isIdempotent: Bool?) async throws {
      let request = post(to: server.resettingPort, isIdempotent: isIdempotent)
      let error = await #expect(throws: HTTPExchangeError.self) { try await client.send(request) }
      #expect(error?.requestWasNotSent == false, "\(String(describing: error))")
      #expect(try Answer(await client.send(request)).bodySize == 1)
    }
  }
}
#endif
