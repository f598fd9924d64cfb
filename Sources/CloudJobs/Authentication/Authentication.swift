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
  /// A request that a proxy has passed on (`Forwarded`, `X-Forwarded-For`) is refused, as its origin is not known.
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

  func authenticate(_ request: HTTPRequest, peer: Peer) async throws(JobError) {
    switch mode {
    case .trustLoopback:
      let isForwarded = request.headerFields.contains { field in
        ["forwarded", "x-forwarded-for"].contains(field.name.canonicalName)
      }
      guard peer.isLoopback, !isForwarded else {
        throw JobError(
          .permissionDenied,
          "This handler trusts callers on its own machine only. Configure another authentication to call it from here.")
      }
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

  /// Compares in a time that depends on the length only.
  static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
  }
}
