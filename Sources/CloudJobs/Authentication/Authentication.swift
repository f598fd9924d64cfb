public import CloudJobsCore
public import HTTPTypes

/// The authentication of the handler's callers.
///
/// There is no default: each program states which callers it trusts.
public struct Authentication: Sendable {
  private enum Mode {
    case trustLoopback
    case sharedSecret([UInt8])
    case custom(@Sendable (HTTPRequest, Peer) async throws(JobError) -> Void)
  }

  private let mode: Mode

  /// Trusts callers on this machine only: for development, tests and sidecars.
  ///
  /// On every route, it refuses with `permissionDenied`: a request from another machine or an unknown peer; a request
  /// that a proxy forwarded (`Forwarded`, `X-Forwarded-…`, `Via` and the like), as its caller is unknown; and the
  /// request of a web page, recognised by `Origin`, `Referer` and `Sec-Fetch-Site`, or by a `Host` that is no loopback
  /// name (DNS rebinding). A page of the handler's own origin may call it.
  public static let trustLoopback = Authentication(mode: .trustLoopback)

  /// Trusts callers that send `Authorization: Bearer` with a secret.
  ///
  /// - Parameter secret: a secret of at least 16 bytes.
  /// - Returns: the authentication.
  public static func sharedSecret(_ secret: String) -> Authentication {
    precondition(secret.utf8.count >= 16, "A shared secret needs at least 16 bytes.")
    return Authentication(mode: .sharedSecret(Array(secret.utf8)))
  }

  /// Trusts callers by a rule of the program.
  ///
  /// - Parameter check: throws ``/CloudJobsCore/JobError`` `unauthenticated` or `permissionDenied` for a caller that is
  ///   not trusted.
  /// - Returns: the authentication.
  public static func custom(_ check: @escaping @Sendable (HTTPRequest, Peer) async throws(JobError) -> Void)
    -> Authentication
  {
    Authentication(mode: .custom(check))
  }

  /// Whether a server may listen on addresses other than loopback.
  public var allowsRemotePeers: Bool {
    if case .trustLoopback = mode { false } else { true }
  }

  /// Authenticates the caller of a route other than the health route.
  func authenticate(_ request: HTTPRequest, peer: Peer) async throws(JobError) {
    switch mode {
    case .trustLoopback: try Self.checkLocal(request, peer: peer)
    case .sharedSecret(let secret):
      guard let field = request.headerFields[.authorization], field.prefix(7).lowercased() == "bearer " else {
        throw JobError(.unauthenticated, "Send the header Authorization: Bearer with the shared secret.")
      }
      guard Self.areEqual(Array(field.dropFirst(7).utf8), secret) else {
        throw JobError(.unauthenticated, "The bearer token is not the shared secret of this handler.")
      }
    case .custom(let check): try await check(request, peer)
    }
  }

  /// Authenticates a health probe, which carries no credentials: only ``trustLoopback`` refuses some.
  func authenticateProbe(_ request: HTTPRequest, peer: Peer) throws(JobError) {
    if case .trustLoopback = mode { try Self.checkLocal(request, peer: peer) }
  }

  /// Checks that a program or the own page of this machine made a request, as ``trustLoopback`` does.
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - peer: the other end of the connection.
  ///   - alternative: the alternative to calling from this machine, for the error: "configure …".
  /// - Throws: ``JobError`` `permissionDenied`.
  package static func checkLocal(
    _ request: HTTPRequest, peer: Peer, alternative: String = "configure another authentication"
  ) throws(JobError) {
    let local = LocalCallerRule.Request(
      method: request.method.rawValue, scheme: request.scheme, authority: request.authority,
      fields: request.headerFields.map { (name: $0.name.rawName, value: $0.value) }, peer: peer.forLocalCallers)
    if let reason = LocalCallerRule(alternative: alternative).refusal(of: local) {
      throw JobError(.permissionDenied, reason)
    }
  }

  /// Compares bytes in a time that depends only on their number.
  package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
  }
}

/// The other end of a connection, as far as the server knows it.
public enum Peer: Hashable, Sendable {
  /// The same process.
  case inProcess
  /// An IP address, in its text form.
  case address(String)
  /// A socket without an IP address, such as a Unix domain socket.
  case local
  /// Unknown.
  case unknown

  /// Whether the other end is certainly on this machine.
  public var isLoopback: Bool {
    switch self {
    case .inProcess, .local: true
    case .address(let text): IPAddress(text)?.isLoopback ?? false
    case .unknown: false
    }
  }

  /// The peer as ``/CloudJobsCore/LocalCallerRule`` takes it.
  var forLocalCallers: LocalCallerRule.Peer {
    switch self {
    case .inProcess, .local: .withoutAddress
    case .address(let text): .address(text)
    case .unknown: .unknown
    }
  }
}
