#if HTTP
import CloudJobsHTTP
import HTTPTypes
import Testing

extension LiveSuite {
  @Suite("HTTP client: TLS")
  struct TLSTests {
    let server = TLSServer.shared

    /// A client that trusts the tests' authority, or the system's; names that end in `.test` are this machine.
    private func client(trusting file: String?) -> HTTPClient {
      var options = HTTPClientOptions()
      options.certificateAuthorityFile = file
      for port in [server.goodPort, server.expiredPort] {
        for host in ["right.test", "wrong.test"] { options.hostAddresses["\(host):\(port)"] = "127.0.0.1" }
      }
      return HTTPClient(options)
    }

    private func failure(of url: String, trusting file: String?) async -> HTTPClientError? {
      await #expect(throws: HTTPClientError.self) {
        try await client(trusting: file).send(HTTPClientRequest(url: url))
      }
    }

    @Test(
      "a certificate of the trusted authority is good, by name and by address", arguments: ["right.test", "127.0.0.1"])
    func trusted(host: String) async throws {
      let url = "https://\(host):\(server.goodPort)/"
      let response = try await client(trusting: server.authorityFile).send(HTTPClientRequest(url: url))
      #expect(response.status == 200)
      #expect(["TLSv1.2", "TLSv1.3"].contains(String(decoding: response.body, as: UTF8.self)))
    }

    @Test("a certificate of an authority that is not trusted is refused")
    func unknownAuthority() async {
      let error = await failure(of: "https://right.test:\(server.goodPort)/", trusting: nil)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_PEER_FAILED_VERIFICATION (60)")
    }

    @Test("a certificate for another name is refused", arguments: ["wrong.test", "localhost"])
    func wrongName(host: String) async {
      let error = await failure(of: "https://\(host):\(server.goodPort)/", trusting: server.authorityFile)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_PEER_FAILED_VERIFICATION (60)")
    }

    @Test("a certificate that has expired is refused")
    func expired() async {
      let error = await failure(of: "https://right.test:\(server.expiredPort)/", trusting: server.authorityFile)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_PEER_FAILED_VERIFICATION (60)")
      #expect(error?.message.contains("expired") == true)
    }

    @Test("a port where HTTP is spoken in clear text is refused")
    func clearText() async {
      let url = LocalServer.shared.good.replacing("http:", with: "https:")
      let error = await failure(of: url, trusting: server.authorityFile)
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_SSL_CONNECT_ERROR (35)")
    }

    @Test("a file of authorities that can't be read is no leave to trust others")
    func missingFile() async {
      let error = await failure(of: "https://right.test:\(server.goodPort)/", trusting: "/nowhere/ca.pem")
      #expect(error?.code == .tls && error?.nativeCode == "CURLE_SSL_CACERT_BADFILE (77)")
    }
  }
}
#endif
