#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsHTTP
import HTTPTypes

/// Makes deliveries over HTTP, to this machine unless a host is allowed by name; redirects are not followed.
///
/// Addresses that may serve a cloud machine's metadata are refused for every host, also after name resolution.
struct HTTPDeliverer: Sendable {
  private let loopback: HTTPClient
  private let outside: HTTPClient?
  private let allowedHosts: Set<String>
  private let authorize: Authorizer?

  /// Gives the `Authorization` header of a delivery that asks for a token; nil where none can be made.
  typealias Authorizer = @Sendable (_ authorization: TargetAuthorization, _ url: String) -> String?

  /// A deliverer.
  ///
  /// - Parameters:
  ///   - allowedHosts: host names besides those of this machine; `*` allows all.
  ///   - hostAddresses: addresses for a host and port, in place of what would be looked up, and checked like these.
  ///   - authorize: makes the tokens that deliveries ask for; without it they go without.
  init(allowedHosts: [String], hostAddresses: [String: String] = [:], authorize: Authorizer? = nil) {
    self.authorize = authorize
    self.allowedHosts = Set(allowedHosts.map { $0.lowercased() })
    var options = HTTPClientOptions()
    options.maxConnectionsPerHost = 512
    options.maxTotalConnections = 1_024
    options.maxRequests = 100_000
    options.userAgent = ""
    options.hostAddresses = hostAddresses
    options.peerFilter = { PeerAddress.isLoopback($0) }
    loopback = HTTPClient(options)
    options.peerFilter = { !PeerAddress.mayServeMetadata($0) }
    outside = allowedHosts.isEmpty ? nil : HTTPClient(options)
  }

  /// Makes a delivery.
  func deliver(_ dispatch: Dispatch) async -> DispatchOutcome {
    guard let method = HTTPRequest.Method(rawValue: dispatch.method.name) else {
      return .connectionFailed("the method is not one of HTTP")
    }
    var fields = HTTPFields()
    for header in dispatch.headers {
      guard let name = HTTPField.Name(header.name) else {
        return .connectionFailed("the header name \(header.name) is not one of HTTP")
      }
      fields.append(HTTPField(name: name, value: header.value))
    }
    if let authorization = dispatch.authorization, let authorize {
      guard let value = authorize(authorization, dispatch.url) else {
        return .connectionFailed("the emulator could not make the token that the target asks for")
      }
      // As with Google, the service's token takes the place of a field of that name in the task.
      fields[.authorization] = value
    }
    let request = HTTPClientRequest(
      method: method, url: dispatch.url, headers: fields, body: dispatch.body, timeout: dispatch.deadline)
    do throws(HTTPClientError) {
      let response = try await client(for: dispatch.url).send(request)
      let headers = response.headers.map { HeaderField($0.name.rawName, $0.value) }
      return .response(status: response.status, headers: headers)
    } catch {
      switch error.code {
      case .timedOut: return .timedOut
      case .addressRefused:
        return .connectionFailed("the target is not on this machine; allow its host with --allow-host")
      default: return .connectionFailed(error.message)
      }
    }
  }

  /// Lets go of all connections.
  func shutDown() async {
    await loopback.shutDown()
    await outside?.shutDown()
  }

  private func client(for url: String) -> HTTPClient {
    guard let outside, let host = Self.plainHost(of: url), allowedHosts.contains(host) || allowedHosts.contains("*")
    else { return loopback }
    return outside
  }

  /// The host of a URL whose authority has no more than a name or an IPv4 address and a port; nil for any other.
  static func plainHost(of url: String) -> String? {
    guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return nil }
    let authority = url[colon...].dropFirst(3).prefix { !"/?#".contains($0) }.lowercased()
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let host = parts.first, !host.isEmpty,
      host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }),
      parts.count == 1 || UInt16(parts[1]) != nil
    else { return nil }
    return String(host)
  }
}
#endif
