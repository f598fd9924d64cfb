#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsHTTP
import HTTPTypes

/// The HTTP client for deliveries, which targets this machine unless a host is allowed by name.
///
/// Redirects are not followed. Addresses that may serve a cloud machine's metadata are rejected for every host, also
/// after name resolution.
struct HTTPDeliverer: Sendable {
  private let loopback: CurlHTTPClient
  private let outside: CurlHTTPClient?
  private let allowedHosts: Set<String>
  private let authorize: Authorizer?

  /// Returns the `Authorization` header of a delivery that requires a token, or nil if none can be made.
  typealias Authorizer = @Sendable (_ authorization: TargetAuthorization, _ url: String) -> String?

  /// Creates a deliverer.
  ///
  /// - Parameters:
  ///   - allowedHosts: host names other than this machine's; `*` allows all.
  ///   - hostAddresses: addresses by host and port that replace name resolution and are checked like resolved ones.
  ///   - authorize: makes the tokens of deliveries; without it deliveries carry none.
  init(allowedHosts: [String], hostAddresses: [String: String] = [:], authorize: Authorizer? = nil) {
    self.authorize = authorize
    self.allowedHosts = Set(allowedHosts.map { $0.lowercased() })
    var options = CurlHTTPClient.Options()
    options.maxConnectionsPerHost = 512
    options.maxTotalConnections = 1_024
    options.maxRequests = 100_000
    options.userAgent = ""
    options.hostAddresses = hostAddresses
    options.peerFilter = { PeerAddress.isLoopback($0) }
    loopback = CurlHTTPClient(options)
    options.peerFilter = { !PeerAddress.mayServeMetadata($0) }
    outside = allowedHosts.isEmpty ? nil : CurlHTTPClient(options)
  }

  /// Makes a delivery.
  func deliver(_ delivery: DeliveryRequest) async -> DeliveryOutcome {
    guard let method = HTTPRequest.Method(rawValue: delivery.method.name) else {
      return .connectionFailed("invalid HTTP method")
    }
    var fields = HTTPFields()
    for header in delivery.headers {
      guard let name = HTTPField.Name(header.name) else {
        return .connectionFailed("invalid HTTP header name: \(header.name)")
      }
      fields.append(HTTPField(name: name, value: header.value))
    }
    if let authorization = delivery.authorization, let authorize {
      guard let value = authorize(authorization, delivery.url) else {
        return .connectionFailed("the emulator could not create the token required by the target")
      }
      // As with Google, the service's token replaces an `Authorization` header of the task.
      fields[.authorization] = value
    }
    let request = HTTPExchangeRequest(
      method: method, url: delivery.url, headers: fields, body: delivery.body, timeout: delivery.deadline)
    do throws(HTTPExchangeError) {
      let response = try await client(for: delivery.url).send(request)
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

  /// Closes all connections.
  func shutDown() async {
    await loopback.shutDown()
    await outside?.shutDown()
  }

  private func client(for url: String) -> CurlHTTPClient {
    guard let outside, let host = Self.plainHost(of: url), allowedHosts.contains(host) || allowedHosts.contains("*")
    else { return loopback }
    return outside
  }

  /// Returns the host of a URL whose authority is a name or IPv4 address with an optional port, or nil for other URLs.
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
