#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Synchronization
import Testing

/// The suites that talk to a real server, run serially so that they don't disturb each other's timing.
@Suite("HTTP client, live", .serialized)
enum LiveSuite {}

@Suite("HTTP client: the peer filter")
struct PeerFilterTests {
  @Test("loopback addresses", arguments: ["127.0.0.1", "127.255.0.9", "::1"])
  func loopback(address: String) {
    #expect(PeerAddress.isLoopback(address))
    #expect(!PeerAddress.mayServeMetadata(address))
  }

  @Test(
    "addresses that are neither", arguments: ["10.0.0.1", "0.0.0.0", "128.0.0.1", "::", "2001:db8::1", "192.168.1.1"])
  func others(address: String) {
    #expect(!PeerAddress.isLoopback(address))
    #expect(!PeerAddress.mayServeMetadata(address))
  }

  @Test(
    "addresses of metadata servers, in every spelling that resolves",
    arguments: [
      "169.254.169.254", "169.254.170.2", "100.100.100.200", "fe80::1", "febf::1", "fd00:ec2::254",
      "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::169.254.169.254",
    ])
  func metadata(address: String) {
    #expect(PeerAddress.mayServeMetadata(address))
    #expect(!PeerAddress.isLoopback(address))
  }

  @Test("an allowed address is connected to, and the filter receives its numeric form once per connection")
  func allowed() async throws {
    let server = try LocalServer()
    let seen = Mutex<[String]>([])
    var options = CurlHTTPClient.Options()
    options.peerFilter = { @Sendable address in
      seen.withLock { $0.append(address) }
      return PeerAddress.isLoopback(address)
    }
    let client = CurlHTTPClient(options)
    for _ in 0..<3 { _ = try await client.send(HTTPExchangeRequest(url: server.good + "/status/200")) }
    // Three requests need one connection, or a second one if a loaded machine has lost the first.
    let addresses = seen.withLock { $0 }
    #expect(Set(addresses) == ["127.0.0.1"] && addresses.count < 3)
  }

  @Test(
    "a rejected address is never connected to, however it is written",
    arguments: [
      "http://169.254.169.254/computeMetadata/v1/", "http://2852039166/", "http://0xA9FEA9FE/",
      "http://0251.254.0xa9.254/",
      "http://[::ffff:169.254.169.254]/", "http://[::ffff:a9fe:a9fe]/", "http://metadata.test/", "http://10.1.2.3/",
      "http://mapped.test/", "http://0.0.0.0:1/",
    ])
  func refused(url: String) async {
    var options = CurlHTTPClient.Options()
    options.hostAddresses = ["metadata.test:80": "169.254.169.254", "mapped.test:80": "[::ffff:169.254.169.254]"]
    options.peerFilter = { PeerAddress.isLoopback($0) }
    let client = CurlHTTPClient(options)
    let error = await #expect(throws: HTTPExchangeError.self) {
      try await client.send(HTTPExchangeRequest(url: url, timeout: .seconds(5)))
    }
    #expect(error?.code == .addressRefused)
    #expect(error?.nativeCode == "CURLE_COULDNT_CONNECT (7)")
  }

  @Test("a mapped address reaches the filter as IPv4")
  func mapped() async {
    let seen = Mutex<[String]>([])
    var options = CurlHTTPClient.Options()
    options.peerFilter = { address in
      seen.withLock { $0.append(address) }
      return false
    }
    let client = CurlHTTPClient(options)
    let request = HTTPExchangeRequest(url: "http://[::ffff:a9fe:a9fe]/")
    #expect(await client.failure(of: request) == .addressRefused)
    #expect(seen.withLock { $0 } == ["169.254.169.254"])
  }
}

extension LiveSuite {
  @Suite("HTTP client: TLS")
  struct TLSTests {
    let server = TLSServer.shared

    /// Returns a client that trusts the tests' authority or the system's; names ending in `.test` are this machine.
    private func client(trusting file: String?) -> CurlHTTPClient {
      var options = CurlHTTPClient.Options()
      options.certificateAuthorityFile = file
      for port in [server.goodPort, server.expiredPort] {
        for host in ["right.test", "wrong.test"] { options.hostAddresses["\(host):\(port)"] = "127.0.0.1" }
      }
      return CurlHTTPClient(options)
    }

    private func failure(of url: String, trusting file: String?) async -> HTTPExchangeError? {
      await #expect(throws: HTTPExchangeError.self) {
        try await client(trusting: file).send(HTTPExchangeRequest(url: url))
      }
    }

    @Test(
      "a certificate of the trusted authority is good, by name and by address", arguments: ["right.test", "127.0.0.1"])
    func trusted(host: String) async throws {
      let url = "https://\(host):\(server.goodPort)/"
      let response = try await client(trusting: server.authorityFile).send(HTTPExchangeRequest(url: url))
      #expect(response.status == 200)
      #expect(["TLSv1.2", "TLSv1.3"].contains(String(decoding: response.body, as: UTF8.self)))
    }

    @Test("a certificate of an untrusted authority is rejected")
    func unknownAuthority() async {
      let error = await failure(of: "https://right.test:\(server.goodPort)/", trusting: nil)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_PEER_FAILED_VERIFICATION (60)")
    }

    @Test("a certificate for another name is rejected", arguments: ["wrong.test", "localhost"])
    func wrongName(host: String) async {
      let error = await failure(of: "https://\(host):\(server.goodPort)/", trusting: server.authorityFile)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_PEER_FAILED_VERIFICATION (60)")
    }

    @Test("an expired certificate is rejected")
    func expired() async {
      let error = await failure(of: "https://right.test:\(server.expiredPort)/", trusting: server.authorityFile)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_PEER_FAILED_VERIFICATION (60)")
      #expect(error?.message.contains("expired") == true)
    }

    @Test("a port with plain-text HTTP is rejected")
    func clearText() async {
      let url = LocalServer.shared.good.replacing("http:", with: "https:")
      let error = await failure(of: url, trusting: server.authorityFile)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_SSL_CONNECT_ERROR (35)")
    }

    @Test("an unreadable authority file does not fall back to other authorities")
    func missingFile() async {
      let error = await failure(of: "https://right.test:\(server.goodPort)/", trusting: "/nowhere/ca.pem")
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_SSL_CACERT_BADFILE (77)")
    }
  }
}
#endif
