import CloudJobsCore
import Testing

@testable import CloudJobsEmulatorServer

@Suite("The guard against web pages")
struct RequestGuardTests {
  private func isServed(_ host: String, _ authority: String?, _ fields: [(String, String)]) -> Bool {
    let request = LocalCallerRule.Request(
      method: "POST", scheme: "http", authority: authority, fields: fields.map { (name: $0.0, value: $0.1) },
      peer: .address("127.0.0.1"))
    return RequestGuard(host: host).refusal(of: request) == nil
  }

  @Test(
    "serves clients that call this machine by a name of its own, and no page",
    arguments: [
      ("127.0.0.1:8123", nil, true), ("localhost:8123", nil, true), ("LOCALHOST", nil, true), ("[::1]:8123", nil, true),
      ("127.9.9.9", nil, true), (nil, nil, false), ("evil.example:8123", nil, false),
      ("127.0.0.1.evil.example", nil, false), ("127.0.0.1", "http://evil.example", false), ("localhost", "null", false),
      ("", nil, false), ("localhost:8123", "http://localhost:3000", false),
    ] as [(String?, String?, Bool)])
  func local(authority: String?, origin: String?, isServed: Bool) {
    for host in ["127.0.0.1", "localhost", "::1", "127.0.0.2"] {
      #expect(self.isServed(host, authority, origin.map { [("Origin", $0)] } ?? []) == isServed)
    }
  }

  @Test(
    "refuses what a browser or a proxy marks, and serves what Google's clients send",
    arguments: [
      ("Sec-Fetch-Site", "cross-site", false), ("Sec-Fetch-Site", "same-site", false), ("Via", "1.1 proxy", false),
      ("X-Forwarded-For", "192.0.2.1", false), ("x-goog-api-client", "gl-python/3.11 rest@2.0", true),
      ("x-goog-request-params", "name=projects/p", true), ("Authorization", "Bearer owner", true),
      ("X-Goog-User-Project", "p", true), ("X-Server-Timeout", "600", true),
    ])
  func marks(name: String, value: String, isServed: Bool) {
    #expect(self.isServed("127.0.0.1", "localhost:8123", [(name, value)]) == isServed)
  }

  @Test(
    "an emulator that is open to others may be called by any name and through proxies, still by no page",
    arguments: ["0.0.0.0", "::", "192.0.2.1", "127.evil.example"])
  func open(host: String) {
    #expect(isServed(host, "emulator:8123", []))
    #expect(isServed(host, "emulator:8123", [("X-Forwarded-For", "192.0.2.1")]))
    #expect(!isServed(host, "emulator:8123", [("Origin", "http://x")]))
    #expect(!isServed(host, "emulator:8123", [("Origin", "http://emulator:8123")]))
    #expect(!isServed(host, "emulator:8123", [("Sec-Fetch-Site", "cross-site")]))
  }
}
