#if Google
public import CloudJobsCore
public import CloudJobsHTTP

/// Verifies OpenID Connect tokens that Cloud Tasks, Cloud Scheduler and Pub/Sub send: RS256 and nothing else.
///
/// The order is form, key, signature, claims; nothing of a token is believed before its signature.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8725> for the pitfalls that the rules answer.
public struct TokenVerifier: Sendable {
  private let policy: TokenPolicy
  private let keys: IssuerKeys
  private let clock: any JobClock

  /// A verifier with an empty cache of keys; keep one for the process.
  ///
  /// - Parameters:
  ///   - audiences: the audiences that are accepted, at least one.
  ///   - serviceAccounts: the addresses of the accounts that may call, at least one.
  ///   - issuer: who signs.
  ///   - client: what fetches the issuer's keys.
  ///   - clock: the time.
  public init(
    audiences: Set<String>, serviceAccounts: Set<String>, issuer: TokenIssuer = .google, client: any HTTPExchange,
    clock: any JobClock = .system
  ) {
    policy = TokenPolicy(audiences: audiences, serviceAccounts: serviceAccounts, issuers: issuer.names)
    keys = IssuerKeys(url: issuer.keysURL, client: client, clock: clock)
    self.clock = clock
  }

  /// Verifies a token.
  ///
  /// - Parameter token: the token as it stands behind `Bearer`.
  /// - Returns: whom it speaks for, or why it is not accepted.
  /// - Throws: ``JobError`` `keysUnavailable` where it can't be checked at present: neither accepted nor refused.
  public func verify(_ token: String) async throws(JobError) -> Result<TokenIdentity, TokenRejection> {
    let parts: CompactToken
    let signature: [UInt8]
    do throws(TokenRejection) {
      parts = try CompactToken(Array(token.utf8))
      signature = try parts.signature()
    } catch {
      return .failure(error)
    }
    guard let key = try await keys.key(parts.keyID) else { return .failure(.keyUnknown) }
    guard key.isSignature(signature, of: parts.signingInput) else { return .failure(.signatureWrong) }
    let now = clock.now()
    return Result { () throws(TokenRejection) in try policy.check(parts.claims, at: now) }
  }
}
#endif
