import CloudJobsCore
import Testing

/// A request and the text expected in its rejection; nil if it is allowed.
private struct CallerCase: CustomTestStringConvertible, Sendable {
  var method = "POST"
  var authority: String?
  var fields: [(name: String, value: String)] = []
  var peer = LocalCallerRule.Peer.address("127.0.0.1")
  var scheme: String? = "http"
  var refusal: String?

  init(
    _ refusal: String?, _ method: String = "POST", host: String? = "localhost:8080", _ fields: [(String, String)] = [],
    peer: LocalCallerRule.Peer = .address("127.0.0.1"), scheme: String? = "http"
  ) {
    (self.refusal, self.method, authority, self.peer, self.scheme) = (refusal, method, host, peer, scheme)
    self.fields = fields.map { (name: $0.0, value: $0.1) }
  }

  init(
    _ refusal: String?, host: String? = "localhost:8080", _ fields: [(String, String)],
    peer: LocalCallerRule.Peer = .address("127.0.0.1"), scheme: String? = "http"
  ) {
    self.init(refusal, "POST", host: host, fields, peer: peer, scheme: scheme)
  }

  var testDescription: String { "\(method) \(authority ?? "no host") \(fields) \(peer)" }

  static let peersAndHosts = [
    Self(nil), Self(nil, host: "127.0.0.1:8080"), Self(nil, host: "[::1]:8080", peer: .address("::1")),
    Self(nil, host: "jobs.localhost"), Self(nil, host: "127.0.0.1", peer: .address("::ffff:127.0.0.1")),
    Self(nil, host: nil, [("Host", "localhost:8080")]), Self(nil, [("host", "LOCALHOST:8080")]),
    Self(nil, host: nil, peer: .withoutAddress), Self(nil, host: "app", peer: .withoutAddress),
    Self("Host is missing", host: nil), Self("\"\"", host: ""), Self("\"evil.example\"", host: "evil.example"),
    Self("not a name of this machine", host: "evil.example:8080"), Self("not a name", host: "localhost.evil.example"),
    Self("not a name", host: "127.evil.example"), Self("not a name", host: "0.0.0.0:8080"),
    Self("not a name", host: "192.168.1.7:8080"), Self("not a name", host: nil, [("host", "evil.example")]),
    Self("several different Host", [("Host", "evil.example")]),
    Self("several different Host", host: "evil.example", [("Host", "localhost")]),
    Self("\"10.0.0.1\" is not on this machine", peer: .address("10.0.0.1")),
    Self("is not on this machine", peer: .address("127.evil.example")), Self("not provide", peer: .unknown),
    Self("\"??evil??\"", host: "\u{1B}\nevilä"),
  ]

  static let pages = [
    Self(nil, [("Origin", "http://localhost:8080")]), Self(nil, [("origin", "HTTP://LOCALHOST:8080")]),
    Self(nil, [("Origin", "http://localhost:8080"), ("Sec-Fetch-Site", "same-origin")]),
    Self(nil, [("Origin", "https://localhost:8080")], scheme: nil),
    Self(nil, "GET", [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate")]),
    Self(nil, "HEAD", [("Sec-Fetch-Site", "none")]), Self(nil, "GET", [("Referer", "http://localhost:8080/jobs/runs")]),
    Self("Origin", [("Origin", "http://evil.example")]), Self("\"null\"", [("Origin", "null")]),
    Self("Origin", [("Origin", "")]), Self("Origin", [("Origin", "http://localhost:3000")]),
    Self("Origin", [("Origin", "http://localhost")]), Self("Origin", [("Origin", "https://localhost:8080")]),
    Self("Origin", [("Origin", "http://127.0.0.1:8080")]), Self("Origin", [("Origin", "http://localhost:8080/")]),
    Self("Origin", [("Origin", "http://localhost:8080"), ("Origin", "http://evil.example")]),
    Self("Origin", host: "app", [("Origin", "http://app")], peer: .withoutAddress),
    Self("Sec-Fetch-Site", [("Sec-Fetch-Site", "cross-site")]),
    Self("Sec-Fetch-Site", "GET", [("Sec-Fetch-Site", "cross-site")]),
    Self("Sec-Fetch-Site", "GET", [("Sec-Fetch-Site", "same-site")]),
    Self("Sec-Fetch-Site", [("Sec-Fetch-Site", "none")]), Self("Sec-Fetch-Site", [("sec-fetch-site", "new-value")]),
    Self("Sec-Fetch-Site", [("Sec-Fetch-Site", "cross-site")], peer: .withoutAddress),
    Self("Referer", [("Referer", "http://evil.example/page")]),
    Self("Referer", [("Referer", "http://localhost:8080.evil.example/")]),
    Self("Referer", [("Referer", "about:blank")]),
  ]

  static let proxies =
    [
      "Forwarded", "Forwarded-For", "X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Proto", "X-Forwarded",
      "X_Forwarded_For", "X-Forwarded-Anything", "Via", "X-Real-IP", "CF-Connecting-IP", "CF-Ray", "CF-IPCountry",
      "CF-Visitor", "True-Client-IP", "X-Client-IP", "Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP",
      "Fly-Client-IP", "Fly-Forwarded-Port", "X-Envoy-External-Address", "X-Envoy-Internal", "X-Original-For",
      "X-Original-URL", "X-Original-Host", "X-Rewrite-URL", "CDN-Loop", "X-Appengine-User-IP", "X-AppEngine-Country",
      "X-ProxyUser-IP", "X-Proxy-Id", "Proxy-Connection", "Proxy-Authorization", "X-Azure-ClientIP", "X-ARR-SSL",
      "X-Amz-Cf-Id", "CloudFront-Viewer-Country", "Akamai-Origin-Hop", "X-Akamai-Edgescape",
      "X-Vercel-Forwarded-For", "X-Nf-Client-Connection-IP", "X-Sucuri-ClientIP", "Incap-Client-IP", "X-Host",
      "X-Scheme", "X-Url-Scheme", "Front-End-Https", "X-Remote-Addr", "X-Goog-Authenticated-User-Email",
      "X-Goog-IAP-JWT-Assertion", "Tailscale-User-Login",
    ].map { Self("\"\($0)\"", [($0, "192.0.2.1")]) }

  static let programs = [
    Self(
      nil, [("User-Agent", "curl/7.88.1"), ("Accept", "*/*"), ("Content-Type", "application/x-www-form-urlencoded")]),
    Self(nil, "GET", host: "127.0.0.1:8080", [("User-Agent", "kube-probe/1.31"), ("Connection", "close")]),
    Self(
      nil,
      [
        ("User-Agent", "Google-Cloud-Tasks"), ("X-CloudTasks-QueueName", "q"), ("X-CloudTasks-TaskName", "t"),
        ("X-CloudTasks-TaskRetryCount", "0"), ("X-CloudTasks-TaskETA", "1.5"), ("Authorization", "Bearer x.y.z"),
      ]),
    Self(
      nil,
      [
        ("User-Agent", "Google-Cloud-Scheduler"), ("X-CloudScheduler", "true"), ("X-CloudScheduler-JobName", "j"),
        ("X-CloudScheduler-ScheduleTime", "2026-11-21T10:00:00Z"),
      ]),
    Self(nil, [("User-Agent", "AppEngine-Google"), ("X-AppEngine-QueueName", "q"), ("X-AppEngine-TaskName", "t")]),
    Self(nil, [("User-Agent", "APIs-Google"), ("Content-Type", "application/json")]),
    Self(nil, [("traceparent", "00-1-2-01"), ("X-Cloud-Trace-Context", "1/2;o=1"), ("ce-id", "1")]),
  ]
}

@Suite("The rule for local callers")
struct LocalCallerRuleTests {
  @Test(
    "serves programs of this machine, and refuses the rest with the header and the remedy",
    arguments: CallerCase.peersAndHosts + CallerCase.pages + CallerCase.proxies + CallerCase.programs)
  fileprivate func refuses(row: CallerCase) {
    let request = LocalCallerRule.Request(
      method: row.method, scheme: row.scheme, authority: row.authority, fields: row.fields, peer: row.peer)
    let refusal = LocalCallerRule(alternative: "use a secret").refusal(of: request)
    #expect((refusal == nil) == (row.refusal == nil), "\(refusal ?? "served")")
    if let part = row.refusal, let refusal { #expect(refusal.contains(part), "\(refusal)") }
  }

  @Test("A caller's text is shown truncated and printable")
  func shown() throws {
    let request = LocalCallerRule.Request(
      method: "POST", authority: "localhost", fields: [("Origin", String(repeating: "\u{7}a", count: 5_000))],
      peer: .address("::1"))
    let refusal = try #require(LocalCallerRule(alternative: "use a secret").refusal(of: request))
    #expect(refusal.utf8.count < 300 && refusal.hasSuffix("or use a secret."))
    #expect(!refusal.contains("\u{7}"))
  }
}
