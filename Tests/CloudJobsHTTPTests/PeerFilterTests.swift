#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Synchronization
import Testing

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

  @Test("an allowed address is connected to, and the filter sees its numeric form once for each connection")
  func allowed() async throws {
    let server = try LocalServer()
    let seen = Mutex<[String]>([])
    var options = HTTPClientOptions()
    options.peerFilter = { @Sendable address in
      seen.withLock { $0.append(address) }
      return PeerAddress.isLoopback(address)
    }
    let client = HTTPClient(options)
    for _ in 0..<3 { _ = try await client.send(HTTPClientRequest(url: server.good + "/status/200")) }
    // Three requests need one connection, or another where a loaded machine has lost the first.
    let addresses = seen.withLock { $0 }
    #expect(Set(addresses) == ["127.0.0.1"] && addresses.count < 3)
  }

  @Test(
    "a refused address is never connected to, however it is spelled",
    arguments: [
      "http://169.254.169.254/computeMetadata/v1/", "http://2852039166/", "http://0xA9FEA9FE/",
      "http://0251.254.0xa9.254/",
      "http://[::ffff:169.254.169.254]/", "http://[::ffff:a9fe:a9fe]/", "http://metadata.test/", "http://10.1.2.3/",
      "http://mapped.test/", "http://0.0.0.0:1/",
    ])
  func refused(url: String) async {
    var options = HTTPClientOptions()
    options.hostAddresses = ["metadata.test:80": "169.254.169.254", "mapped.test:80": "[::ffff:169.254.169.254]"]
    options.peerFilter = { PeerAddress.isLoopback($0) }
    let client = HTTPClient(options)
    let error = await #expect(throws: HTTPClientError.self) {
      try await client.send(HTTPClientRequest(url: url, timeout: .seconds(5)))
    }
    #expect(error?.code == .addressRefused)
    #expect(error?.nativeCode == "CURLE_COULDNT_CONNECT (7)")
  }

  @Test("a mapped address reaches the filter as IPv4")
  func mapped() async {
    let seen = Mutex<[String]>([])
    var options = HTTPClientOptions()
    options.peerFilter = { address in
      seen.withLock { $0.append(address) }
      return false
    }
    let client = HTTPClient(options)
    let request = HTTPClientRequest(url: "http://[::ffff:a9fe:a9fe]/")
    #expect(await client.failure(of: request) == .addressRefused)
    #expect(seen.withLock { $0 } == ["169.254.169.254"])
  }
}
#endif
