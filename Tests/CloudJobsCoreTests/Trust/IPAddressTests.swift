import CloudJobsCore
import Testing

@Suite("IP addresses and host names")
struct IPAddressTests {
  @Test(
    "Loopback addresses are recognized in every form",
    arguments: [
      ("127.0.0.1", true), ("127.255.255.254", true), ("::1", true), ("0:0:0:0:0:0:0:1", true), ("::0001", true),
      ("::ffff:127.0.0.1", true), ("::FFFF:127.9.9.9", true), ("::ffff:7f00:1", true), ("0:0:0:0:0:ffff:7f00:1", true),
      ("::1%lo", true), ("128.0.0.1", false), ("126.255.255.255", false), ("::2", false), ("::", false),
      ("0.0.0.0", false), ("::ffff:128.0.0.1", false), ("::127.0.0.1", false), ("2001:db8::1", false),
      ("64:ff9b::7f00:1", false), ("fe80::1%eth0", false),
    ])
  func loopback(text: String, isLoopback: Bool) throws {
    #expect(try #require(IPAddress(text)).isLoopback == isLoopback)
  }

  @Test(
    "Text that is not a numeric address is rejected",
    arguments: [
      "", "127", "127.1", "127.0.0", "127.0.0.1.", ".127.0.0.1", "127.0.0.0.1", "127.evil.example", "127.0.0.256",
      "127.0.0.01", "127.0.0.+1", "0x7f.0.0.1", "127.0.0.1 ", "localhost", "[::1]", ":", ":::", "::1::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9", "1::2:3:4:5:6:7:8", "12345::", "::g", "::+1", "::ffff:127.0.0.1.evil.example",
      "::127.0.0.1:1", "::1%", "1.2.3.4::",
    ])
  func none(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "An authority is local only with a loopback name or address",
    arguments: [
      ("localhost", true), ("LocalHost:8080", true), ("jobs.localhost:8080", true), ("127.0.0.1:80", true),
      ("127.8.9.1", true), ("[::1]", true), ("[::1]:8080", true), ("[::ffff:127.0.0.1]:8080", true), ("", false),
      (":8080", false), ("evil.example", false), ("127.evil.example", false), ("localhost.evil.example", false),
      ("evillocalhost", false), ("127.0.0.1.evil.example:80", false), ("localhost:8080:80", false), ("::1", false),
      ("[::1", false), ("[::2]:80", false), ("[localhost]", false), ("localhost:", false), ("localhost:+80", false),
      ("localhost:70000", false), ("user@localhost", false), ("localhost/", false), ("0.0.0.0:8080", false),
      ("localhost.", false), (".localhost", false), ("127.1", false), ("2130706433", false),
    ])
  func authorities(authority: String, isLoopback: Bool) {
    #expect(HostName.isLoopback(authority: authority) == isLoopback)
  }

  @Test(
    "A host is a name or a numeric address",
    arguments: [
      ("localhost", true), ("worker.test", true), ("db_1", true), ("a-b.c", true), ("host.", true), ("0.0.0.0", true),
      ("::", true), ("", false), (".", false), ("a..b", false), ("-a", false), ("a-", false), ("a b", false),
      ("http://a", false), ("a:80", false), ("[::1]", false), ("1.2.3", false), ("127.0.0.256", false), ("ä", false),
      (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
    ])
  func names(text: String, isHost: Bool) {
    #expect(HostName.isNameOrAddress(text) == isHost)
  }
}
