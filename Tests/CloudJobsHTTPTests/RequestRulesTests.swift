#if HTTP
import HTTPTypes
import Testing

@testable import CloudJobsHTTP

@Suite("HTTP client: request validation")
struct RequestRulesTests {
  @Test(
    "URLs that can't be sent",
    arguments: [
      "", "/path", "example.test", "http:", "http:/one.test", "http://", "http:///path", "ftp://a.test/",
      "file:///etc/passwd",
      "gopher://a.test:70/", "HTTPX://a.test", "http://a b.test/", "http://a.test/\r\nX: y", "http://a.test/\u{0}",
      "http://a.test/größe", "http://user:secret@a.test/", "http://user@a.test/", "http://a.test:0/",
      "http://a.test:65536/",
      "http://a.test:port/", "http://[::1/", "javascript:alert(1)",
      "http://a.test/" + String(repeating: "x", count: 16_384),
    ])
  func badURLs(url: String) async {
    let error = #expect(throws: HTTPExchangeError.self) {
      try PreparedRequest(HTTPExchangeRequest(url: url), options: CurlHTTPClient.Options())
    }
    #expect(error?.code == .invalidURL)
    #expect(error?.message.contains("secret") == false)
    let client = CurlHTTPClient()
    #expect(await client.failure(of: HTTPExchangeRequest(url: url)) == .invalidURL)
  }

  @Test(
    "URLs with their host and port",
    arguments: [
      ("http://a.test", "a.test:80"), ("HTTPS://A.Test/x", "a.test:443"), ("http://a.test:8080?q", "a.test:8080"),
      ("http://[::1]:9/", "[::1]:9"), ("http://127.1/", "127.0.0.1:80"), ("http://localhost:65535/", "localhost:65535"),
    ])
  func hosts(url: String, host: String) throws {
    #expect(try PreparedRequest(HTTPExchangeRequest(url: url), options: CurlHTTPClient.Options()).host == host)
  }

  @Test("a scheme outside the options is rejected")
  func schemes() {
    var options = CurlHTTPClient.Options()
    options.allowedSchemes = [.https]
    #expect(throws: HTTPExchangeError.self) {
      try PreparedRequest(HTTPExchangeRequest(url: "http://a.test"), options: options)
    }
    #expect(throws: Never.self) {
      _ = try PreparedRequest(HTTPExchangeRequest(url: "https://a.test"), options: options)
    }
  }

  @Test("unsupported methods are rejected")
  func methods() {
    for request in [
      HTTPExchangeRequest(method: .connect, url: "http://a.test"),
      HTTPExchangeRequest(method: .head, url: "http://a.test", body: [1]),
    ] {
      let error = #expect(throws: HTTPExchangeError.self) {
        try PreparedRequest(request, options: CurlHTTPClient.Options())
      }
      #expect(error?.code == .invalidRequest)
    }
  }

  @Test(
    "a header field that would break out of its line is rejected",
    arguments: [
      ("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\u{0}b"), ("X", "a\u{7F}b"), ("X\r\nY", "a"),
      ("X: Y", "a"),
      ("", "a"), (":path", "/"), ("X Y", "a"),
    ])
  func injection(name: String, value: String) {
    let error = #expect(throws: HTTPExchangeError.self) { try HeaderLine.make(name: name, value: value.utf8) }
    #expect(error?.code == .invalidRequest)
  }

  @Test("a user agent that would break out of its line is rejected")
  func userAgent() {
    var options = CurlHTTPClient.Options()
    options.userAgent = "agent\r\nX-Injected: yes"
    let error = #expect(throws: HTTPExchangeError.self) {
      try PreparedRequest(HTTPExchangeRequest(url: "http://a.test"), options: options)
    }
    #expect(error?.code == .invalidRequest)
  }

  @Test(
    "a header field's line in libcurl's form",
    arguments: [("X-A", "b c", "X-A: b c"), ("X-A", "", "X-A;"), ("X-A", " \t ", "X-A;"), ("X-A", "a\tb", "X-A: a\tb")])
  func lines(name: String, value: String, line: String) throws {
    #expect(try HeaderLine.make(name: name, value: value.utf8) == Array(line.utf8))
  }

  @Test("a header is parsed by bytes, including folded and damaged lines")
  func parsing() throws {
    let head = "HTTP/1.1 200 OK\r\nA: 1\r\n\tand 2\r\nno colon\r\nbad name: x\r\nB:\r\nA:3\r\nC: \u{2028}d\r\n"
    let response = RawResponse(status: 200, head: Array(head.utf8), body: [7]).parsed()
    #expect(response.headers.map { "\($0.name.rawName)=\($0.value)" } == ["A=1 and 2", "B=", "A=3", "C=\u{2028}d"])
    #expect(response.body == [7])
  }
}
#endif
