/// How many connections a server keeps, and how long each may take.
package struct HTTPServerLimits: Hashable, Sendable {
  /// The connections that are served at once; more wait until one of them ends.
  package var maxConnections = 1_024
  /// How long the head of a connection's first request may take, and after a head its whole body, however steadily the
  /// bytes come.
  package var requestTimeout = Duration.seconds(30)
  /// How long a connection is kept that waits for its next request; that request's head is part of the time.
  package var idleTimeout = Duration.seconds(60)
  /// How long the client may go on sending after the answer to its last request, so that it reads the answer.
  package var lingerTimeout = Duration.seconds(2)
  /// How long a request that has not arrived yet is waited for once the server shuts down.
  package var shutdownGrace = Duration.milliseconds(500)

  /// The standard limits.
  package init() {}
}

/// Why the server itself answers a request, before anything is executed.
package enum HTTPRefusal: Hashable, Sendable, CaseIterable {
  /// An HTTP/1.1 request without a `Host` field.
  case missingHost
  /// A request with several `Host` fields.
  case severalHosts
  /// The body took longer than its time.
  case slowBody
  /// The server shuts down, and the request had not arrived yet.
  case shuttingDown

  /// The HTTP status.
  package var status: Int {
    switch self {
    // RFC 9112, section 3.2.
    case .missingHost, .severalHosts: 400
    case .slowBody: 408
    case .shuttingDown: 503
    }
  }

  /// What failed, and the remedy.
  package var message: String {
    switch self {
    case .missingHost: "The request has no Host field. Send one, as HTTP/1.1 demands."
    case .severalHosts: "The request has several Host fields. Send one."
    case .slowBody: "The body did not arrive in time. Send it again, faster."
    case .shuttingDown: "The server is shutting down. Send the request again."
    }
  }
}
