#if HTTP
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes
import Testing

extension LiveSuite {
  @Suite("HTTP client: exchanges with a real server")
  struct ExchangeTests {
    let server = LocalServer.shared
    let client = HTTPClient()

    @Test(
      "every method arrives with its body, its length and no header that wasn't asked for",
      arguments: [
        (HTTPRequest.Method.get, ""), (.get, "with body"), (.post, ""), (.post, "a=b"), (.put, ""), (.put, "{}"),
        (.patch, "x"), (.delete, ""), (.delete, "y"), (.options, ""), (HTTPRequest.Method("QUERY") ?? .get, "select"),
      ])
    func methods(method: HTTPRequest.Method, body: String) async throws {
      let bytes = Array(body.utf8)
      let response = try await client.send(HTTPClientRequest(method: method, url: server.good + "/echo", body: bytes))
      let echo = try response.echo()
      #expect(response.status == 200)
      #expect(echo.method == method.rawValue)
      #expect(echo.bytes == bytes.count)
      #expect(echo.sha256 == SHA256.hexDigest(of: bytes))
      let hasLength = !bytes.isEmpty || [.post, .put, .patch].contains(method)
      #expect(echo.values("content-length") == (hasLength ? ["\(bytes.count)"] : []))
      #expect(Set(echo.headers.map { $0[0] }).subtracting(["host", "user-agent", "content-length"]).isEmpty)
    }

    @Test("a HEAD request's answer has its header and no body")
    func head() async throws {
      let response = try await client.send(HTTPClientRequest(method: .head, url: server.good + "/bytes/1234"))
      #expect(response.status == 200)
      #expect(response.headers[.contentLength] == "1234")
      #expect(response.body.isEmpty)
    }

    @Test("bodies come back byte for byte", arguments: [0, 1, 1023, 16_384, 65_537, 1_048_577, 5 * 1_048_576])
    func bodies(size: Int) async throws {
      let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
      let response = try await client.send(HTTPClientRequest(method: .post, url: server.good + "/mirror", body: body))
      #expect(response.body == body)
    }

    @Test("header fields arrive as given: repeated, empty, beyond ASCII; those of the framing stay ours")
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
      let request = HTTPClientRequest(method: .post, url: url, headers: headers, body: [1, 2, 3])
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

    @Test("the answer's header fields come in order, repeated and trimmed")
    func responseHeaders() async throws {
      let headers = try await client.send(HTTPClientRequest(url: server.good + "/headers")).headers
      let twice = try #require(HTTPField.Name("X-Twice"))
      #expect(headers[values: twice] == ["one", "two"])
      #expect(headers[try #require(HTTPField.Name("x-empty"))]?.isEmpty == true)
      #expect(headers[try #require(HTTPField.Name("x-padded"))] == "a b")
    }

    @Test("interim answers and trailers are not part of the header")
    func interim() async throws {
      let response = try await client.send(HTTPClientRequest(url: server.bad + "/interim"))
      #expect(response.status == 200)
      #expect(response.body == Array("hello".utf8))
      #expect(response.headers[try #require(HTTPField.Name("X-Final"))] == "yes")
      for name in ["X-Hint", "X-Trailer"] { #expect(response.headers[try #require(HTTPField.Name(name))] == nil) }
    }

    @Test("a folded header line is joined")
    func folded() async throws {
      let response = try await client.send(HTTPClientRequest(url: server.bad + "/folded"))
      #expect(response.headers[try #require(HTTPField.Name("X-Long"))] == "one two")
    }

    @Test("every status is an answer", arguments: [200, 201, 204, 304, 400, 404, 409, 429, 500, 503])
    func statuses(status: Int) async throws {
      let response = try await client.send(HTTPClientRequest(url: server.good + "/status/\(status)"))
      #expect(response.status == status)
    }

    @Test("a redirect is an answer and is not followed")
    func redirect() async throws {
      let server = try LocalServer()
      let response = try await client.send(HTTPClientRequest(url: server.good + "/redirect"))
      #expect(response.status == 302)
      #expect(response.headers[.location] == "/echo")
      #expect(try await server.counts().requests == 2)
    }

    @Test("one after the other, requests share one connection")
    func keepAlive() async throws {
      let server = try LocalServer()
      for _ in 0..<50 { _ = try await client.send(HTTPClientRequest(url: server.good + "/status/200")) }
      let counts = try await server.counts()
      #expect(counts.requests == 51)
      #expect(counts.connections == 2)
    }

    @Test("2,000 requests, 64 at a time, each get their own answer over at most 64 connections")
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
          group.addTask { try await client.send(HTTPClientRequest(method: .post, url: url, body: body)).body == body }
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

    @Test("the limit of connections to a host holds, and what is over it waits")
    func connectionLimit() async throws {
      let server = try LocalServer()
      var options = HTTPClientOptions()
      options.maxConnectionsPerHost = 3
      let client = HTTPClient(options)
      let url = server.good + "/sleep/10"
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<30 { group.addTask { try await client.send(HTTPClientRequest(url: url)).status } }
        for try await status in group { #expect(status == 200) }
      }
      #expect(try await server.counts().connections <= 4)
    }

    @Test("the library says its version")
    func version() {
      #expect(HTTPClient.libraryVersion.split(separator: ".").count >= 2)
    }
  }
}
#endif
