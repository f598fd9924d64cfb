#if HTTP
/// The limits and rules of an ``HTTPClient``; the defaults suit a service that calls a few hosts.
public struct HTTPClientOptions: Sendable {
  /// A scheme that a URL may have.
  public enum Scheme: String, Sendable, CaseIterable {
    /// HTTP in clear text.
    case http
    /// HTTP over TLS, from TLS 1.2 on, with the peer's certificate and name verified.
    case https
  }

  /// The most requests in progress to one host and port, and so the most connections to it; at least 1.
  public var maxConnectionsPerHost = 64
  /// The most requests in progress, and the most connections kept open; at least 1.
  public var maxTotalConnections = 256
  /// The most requests in progress and waiting together; one more fails with `tooManyRequests`.
  public var maxRequests = 10_000
  /// The longest body that is received, in bytes.
  public var maxResponseBytes = 16 * 1024 * 1024
  /// The longest header that is received, in bytes, all fields together.
  public var maxResponseHeaderBytes = 128 * 1024
  /// How long a connection may take to be made, TLS included; the request's own timeout holds besides.
  public var connectTimeout: Duration = .seconds(10)
  /// The `User-Agent` of requests that bring none; empty for none.
  public var userAgent = "swift-cloud-jobs"
  /// The schemes that a URL may have.
  public var allowedSchemes: Set<Scheme> = [.http, .https]
  /// Decides whether a connection to an address may be opened; nil allows all.
  ///
  /// It gets the numeric address that a name resolved to, immediately before connecting: `127.0.0.1`, `::1`, and an
  /// IPv4 address mapped into IPv6 as IPv4. It runs on the client's I/O thread and must not block. Where it refuses all
  /// addresses of a host, the request fails with `addressRefused`. ``PeerAddress`` has ready rules.
  public var peerFilter: (@Sendable (_ address: String) -> Bool)?
  /// Addresses to use for a host and port in place of the resolver's, such as `["api.test:80": "127.0.0.1"]`.
  public var hostAddresses: [String: String] = [:]
  /// A PEM file of certificate authorities to trust in place of the system's; nil for the system's.
  public var certificateAuthorityFile: String?

  /// The defaults.
  public init() {}
}
#endif
