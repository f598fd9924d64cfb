#if Server
public import CloudJobs
public import CloudJobsCore
import CloudJobsHTTPServer

/// Where and how a ``JobServer`` listens.
public struct JobServerConfiguration: Sendable {
  /// The port where neither the configuration nor the environment names one.
  public static let defaultPort = 8_080

  /// The address to bind; nil means the process's variable `HOST`, or, where that is missing, loopback where only
  /// loopback is trusted, and all addresses otherwise.
  public var host: String?
  /// The port to bind; 0 means any free one, nil the process's variable `PORT`, or 8080 where that is missing.
  public var port: Int?
  /// The path of the handler.
  public var mountPath = "/jobs"
  /// How the worker behaves that executes what comes due where the store on this machine is the queue; nil for none.
  public var worker: JobWorker.Options? = JobWorker.Options()
  /// How long attempts under way may go on after SIGTERM or a graceful shutdown, before they are cancelled.
  public var drainLimit = Duration.seconds(6)
  /// When the process exits after SIGTERM or SIGINT whatever still runs: Cloud Run sends SIGKILL after 10 seconds
  /// (<https://cloud.google.com/run/docs/container-contract#instance-shutdown>).
  public var exitLimit = Duration.seconds(9)
  /// How many connections are served at once; more wait until one of them ends.
  public var maxConnections = HTTPServerLimits().maxConnections
  /// How long a request's head may take in all, and after it the body.
  public var requestTimeout = HTTPServerLimits().requestTimeout
  /// How long a connection is kept open that waits for its next request.
  public var idleTimeout = HTTPServerLimits().idleTimeout

  /// A configuration.
  ///
  /// - Parameters:
  ///   - host: the address to bind; nil for the variable `HOST`, or the safe choice.
  ///   - port: the port to bind; nil for the variable `PORT`, or 8080.
  public init(host: String? = nil, port: Int? = nil) {
    self.host = host
    self.port = port
  }

  /// A configuration out of the environment's variables: `PORT`, as Cloud Run sets it, and `HOST`.
  ///
  /// - Parameter environment: the variables.
  /// - Throws: ``JobError`` `invalidField` where `PORT` is no port, or `HOST` neither an IP address nor a host name.
  public init(environment: [String: String]) throws(JobError) {
    self = try JobServerConfiguration().completed(by: environment)
  }

  /// The configuration with what it leaves open taken out of an environment's variables.
  package func completed(by environment: [String: String]) throws(JobError) -> Self {
    var configuration = self
    configuration.host = host ?? environment["HOST"].flatMap { $0.isEmpty ? nil : $0 }
    if let host = configuration.host, !HostName.isNameOrAddress(host) {
      throw JobError(
        .invalidField, "HOST must be an IP address or a host name, without a scheme or a port: 127.0.0.1.",
        field: "HOST")
    }
    if let port {
      guard (0...65_535).contains(port) else {
        throw JobError(.invalidField, "The port \(port) is none. Give a number from 0 to 65535.", field: "port")
      }
      return configuration
    }
    configuration.port = Self.defaultPort
    if let text = environment["PORT"], !text.isEmpty {
      guard let port = Int(text), (0...65_535).contains(port) else {
        throw JobError(.invalidField, "PORT must be a number from 0 to 65535.", field: "PORT")
      }
      configuration.port = port
    }
    return configuration
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

  var limits: HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.maxConnections = max(1, maxConnections)
    limits.requestTimeout = requestTimeout
    limits.idleTimeout = idleTimeout
    return limits
  }

  /// How long a process that must exit within ``exitLimit`` may wait for its attempts: cancelled handlers, leases and
  /// sockets need the last three seconds.
  package var processDrainLimit: Duration { min(drainLimit, max(.zero, exitLimit - .seconds(3))) }
}
#endif
