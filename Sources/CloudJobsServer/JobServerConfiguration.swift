#if Server
public import CloudJobs
public import CloudJobsCore

/// Where and how a ``JobServer`` listens.
public struct JobServerConfiguration: Sendable {
  /// The address to bind; nil means loopback where only loopback is trusted, and all addresses otherwise.
  public var host: String?
  /// The port to bind; 0 means any free one.
  public var port: Int
  /// The path of the handler.
  public var mountPath = "/jobs"
  /// How long attempts under way may go on after SIGTERM.
  public var drainLimit = Duration.seconds(7)
  /// When the process exits after SIGTERM whatever still runs: Cloud Run sends SIGKILL after 10 seconds
  /// (<https://cloud.google.com/run/docs/container-contract#instance-shutdown>).
  public var exitLimit = Duration.seconds(9)

  /// A configuration.
  ///
  /// - Parameters:
  ///   - host: the address to bind; nil for the safe choice.
  ///   - port: the port to bind.
  public init(host: String? = nil, port: Int = 8080) {
    self.host = host
    self.port = port
  }

  /// A configuration out of the environment's variables: `PORT`, as Cloud Run sets it, and `HOST`.
  ///
  /// - Parameter environment: the variables.
  /// - Throws: ``JobError`` `invalidField` where `PORT` is no port, or `HOST` neither an IP address nor a host name.
  public init(environment: [String: String]) throws(JobError) {
    self.init(host: environment["HOST"].flatMap { $0.isEmpty ? nil : $0 })
    if let host, !HostName.isNameOrAddress(host) {
      throw JobError(
        .invalidField, "HOST must be an IP address or a host name, without a scheme or a port: 127.0.0.1.",
        field: "HOST")
    }
    if let text = environment["PORT"], !text.isEmpty {
      guard let port = Int(text), (0...65_535).contains(port) else {
        throw JobError(.invalidField, "PORT must be a number from 0 to 65535.", field: "PORT")
      }
      self.port = port
    }
  }

  /// The address to bind under an authentication.
  ///
  /// - Parameter authentication: who may call.
  /// - Returns: an address.
  /// - Throws: ``JobError`` `permissionDenied` where the configured address would let strangers reach a handler that
  ///   trusts whoever can reach it.
  public func address(under authentication: Authentication) throws(JobError) -> String {
    guard let host else { return authentication.allowsRemotePeers ? "0.0.0.0" : "127.0.0.1" }
    guard authentication.allowsRemotePeers || host == "localhost" || Peer.address(host).isLoopback else {
      throw JobError(
        .permissionDenied,
        "Binding \(host) needs an authentication other than trustLoopback. Configure one, or bind 127.0.0.1.",
        field: "HOST")
    }
    return host
  }
}
#endif
