#if HTTP
import Foundation
import Testing

/// Python's HTTPS servers with certificates of an authority of their own, in a process that ends with this value.
final class TLSServer: Sendable {
  /// The file of the authority that signed the certificates.
  let authorityFile: String
  /// The port of the server whose certificate is good for `right.test` and 127.0.0.1.
  let goodPort: Int
  /// The port of the server whose certificate has expired.
  let expiredPort: Int
  /// The port of an HTTP/2 server that answers none of its first 20 requests before all of them are under way.
  let gatheringPort: Int
  /// The port of an HTTP/2 server that refuses every other stream, from the first on.
  let refusingPort: Int
  /// The port of an HTTP/2 server that resets every other stream, from the first on.
  let resettingPort: Int
  /// The port of an HTTP/2 server that goes away at every other request, from the first on, without having done it.
  let leavingPort: Int
  /// The servers for all tests.
  static let shared: TLSServer = {
    do { return try TLSServer() } catch { preconditionFailure("python3 or openssl is missing: \(error)") }
  }()

  private let process: ScriptProcess

  private init() throws {
    process = try ScriptProcess("tls_server.py")
    authorityFile = process.words[0]
    let ports = process.words.dropFirst().compactMap { Int($0) }
    try #require(ports.count == 6)
    (goodPort, expiredPort) = (ports[0], ports[1])
    (gatheringPort, refusingPort, resettingPort, leavingPort) = (ports[2], ports[3], ports[4], ports[5])
  }
}
#endif
