#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator
import Testing

@testable import CloudJobsEmulatorServer

@Suite("Deliveries over HTTP")
struct HTTPDelivererTests {
  @Test(
    "only a URL with a plain host and port can be allowed by name",
    arguments: [
      ("http://example.com/x", "example.com"), ("https://EXAMPLE.com:8443?x", "example.com"),
      ("http://10.0.0.1", "10.0.0.1"),
      ("http://user@example.com/", nil), ("http://[::1]/", nil), ("http://a%2eb/", nil), ("http:///x", nil),
      ("http://a:b/", nil), ("http://a:1:2/", nil), ("nonsense", nil), ("http://ex ample.com", nil),
    ] as [(String, String?)])
  func hosts(url: String, host: String?) {
    #expect(HTTPDeliverer.plainHost(of: url) == host)
  }

  @Test(
    "metadata addresses are rejected even if all hosts are allowed",
    arguments: [
      "http://169.254.169.254/", "http://2852039166/", "http://[::ffff:169.254.169.254]/", "http://0xa9fea9fe/",
    ])
  func metadata(url: String) async {
    let deliverer = HTTPDeliverer(allowedHosts: ["*"])
    let outcome = await deliverer.deliver(Self.delivery(url))
    guard case .connectionFailed(let reason) = outcome else {
      Issue.record("delivered: \(outcome)")
      return
    }
    #expect(reason.contains("allow"))
    await deliverer.shutDown()
  }

  private static func delivery(_ url: String) -> DeliveryRequest {
    DeliveryRequest(
      id: DeliveryID(.tasks, 1), subject: "s", attempt: 1, url: url, method: .post, headers: [], body: [],
      deadline: .seconds(15), scheduledFor: .epoch, authorization: nil, reason: "test")
  }
}
#endif
