import Testing

@testable import CloudJobsEmulatorServer

@Suite("The guard against web pages")
struct RequestGuardTests {
  @Test(
    "serves clients that call this machine by a name of its own, and no page",
    arguments: [
      ("127.0.0.1:8123", nil, true), ("localhost:8123", nil, true), ("LOCALHOST", nil, true), ("[::1]:8123", nil, true),
      ("127.9.9.9", nil, true), (nil, nil, true), ("evil.example:8123", nil, false),
      ("127.0.0.1.evil.example", nil, false),
      ("127.0.0.1", "http://evil.example", false), ("localhost", "null", false), ("", nil, false),
    ] as [(String?, String?, Bool)])
  func local(authority: String?, origin: String?, isServed: Bool) {
    let check = RequestGuard(host: "127.0.0.1")
    #expect((check.refusal(authority: authority, origin: origin) == nil) == isServed)
  }

  @Test("an emulator that is open to others may be called by any name, still by no page")
  func open() {
    let check = RequestGuard(host: "0.0.0.0")
    #expect(check.refusal(authority: "emulator:8123", origin: nil) == nil)
    #expect(check.refusal(authority: "emulator:8123", origin: "http://x") != nil)
  }
}
