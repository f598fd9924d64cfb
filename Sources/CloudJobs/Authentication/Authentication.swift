public import CloudJobsCore
public import HTTPTypes

/// Who may call the handler.
///
/// There is no default: each program says what it trusts.
public struct Authentication: Sendable {
  private enum Mode {
    case trustLoopback
    case sharedSecret([UInt8])
    case custom(@Sendable (HTTPRequest, Peer) async throws(JobError) -> Void)
  }

  private let mode: Mode

  /// Trusts callers on this machine, and nobody else: for development, tests and sidecars.
  ///
  /// Refused, on every route and with `permissionDenied`: a request from another machine or an unknown peer; one that a
  /// proxy has passed on (`Forwarded`, `X-Forwarded-…`, `Via` and their kin), as its caller is not known; and one that
  /// a web page made, which `Origin`, `Referer` and `Sec-Fetch-Site` tell, or a `Host` that is no loopback name (DNS
  /// rebinding). A page that the handler's own origin serves may call it.
  public static let trustLoopback = Authentication(mode: .trustLoopback)

  /// Trusts callers that send `Authorization: Bearer` with a secret.
  ///
  /// - Parameter secret: at least 16 bytes of text that only both sides know.
  /// - Returns: the authentication.
  public static func sharedSecret(_ secret: String) -> Authentication {
    precondition(secret.utf8.count >= 16, "A shared secret needs at least 16 bytes.")
    return Authentication(mode: .sharedSecret(Array(secret.utf8)))
  }

  /// Trusts callers by a rule of the program's own.
  ///
  /// - Parameter check: throws ``JobError`` `unauthenticated` or `permissionDenied` for a caller that is not trusted.
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

  /// Checks a caller of a route that tells or changes something.
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

  /// Checks a caller of a route that health probes use, which carry no credentials: only trust in loopback bars some.
  func authenticateProbe(_ request: HTTPRequest, peer: Peer) throws(JobError) {
    if case .trustLoopback = mode { try Self.checkLocal(request, peer: peer) }
  }

  private static let localCallers = LocalCallerRule(alternative: "configure another authentication")

  private static func checkLocal(_ request: HTTPRequest, peer: Peer) throws(JobError) {
    let local = LocalCallerRule.Request(
      method: request.method.rawValue, scheme: request.scheme, authority: request.authority,
      fields: request.headerFields.map { (name: $0.name.rawName, value: $0.value) }, peer: peer.forLocalCallers)
    if let reason = localCallers.refusal(of: local) { throw JobError(.permissionDenied, reason) }
  }

  /// Compares in a time that depends on the length only.
  static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
  }
}
