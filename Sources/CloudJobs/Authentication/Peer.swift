import CloudJobsCore

/// Where a request came from, as far as the server knows.
public enum Peer: Hashable, Sendable {
  /// Out of the same process.
  case inProcess
  /// From an IP address, in its text form.
  case address(String)
  /// From a socket without an IP address, such as a Unix domain socket.
  case local
  /// Not known.
  case unknown

  /// Whether the request can only have come from this machine.
  public var isLoopback: Bool {
    switch self {
    case .inProcess, .local: true
    case .address(let text): IPAddress(text)?.isLoopback ?? false
    case .unknown: false
    }
  }

  /// The peer as the rule for local callers takes it.
  var forLocalCallers: LocalCallerRule.Peer {
    switch self {
    case .inProcess, .local: .withoutAddress
    case .address(let text): .address(text)
    case .unknown: .unknown
    }
  }
}
