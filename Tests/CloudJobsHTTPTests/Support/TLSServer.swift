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
  /// The servers for all tests.
  static let shared: TLSServer = {
    do { return try TLSServer() } catch { preconditionFailure("python3 or openssl is missing: \(error)") }
  }()

  private let process: ScriptProcess

  private init() throws {
    process = try ScriptProcess("tls_server.py")
    authorityFile = process.words[0]
    goodPort = try #require(Int(process.words[1]))
    expiredPort = try #require(Int(process.words[2]))
  }
}
#endif
