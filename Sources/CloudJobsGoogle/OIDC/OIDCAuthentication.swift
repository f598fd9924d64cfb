#if Google
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP
import HTTPTypes

extension Authentication {
  /// Trusts callers with an OpenID Connect token that Google issued for this service, verified here.
  ///
  /// Cloud Tasks, Cloud Scheduler and Pub/Sub send such tokens if their target has an `oidcToken`. A rejected token
  /// results in ``/CloudJobsCore/JobError`` `unauthenticated` with the reason as native code (`oidc expired`),
  /// unavailable issuer keys in `keysUnavailable`, so that the sender retries.
  ///
  /// - Parameters:
  ///   - audience: the audience that the sender sets; the target's URL if it sets none.
  ///   - serviceAccounts: the email addresses of the allowed accounts, at least one.
  ///   - issuer: the trusted issuer: Google, or an emulator named explicitly.
  ///   - client: the HTTP client that fetches the issuer's keys.
  ///   - clock: the clock for token expiry.
  /// - Returns: the authentication.
  public static func oidc(
    audience: String, serviceAccounts: Set<String>, issuer: TokenIssuer = .google, client: any HTTPExchange,
    clock: any JobClock = .system
  ) -> Authentication {
    oidc(
      TokenVerifier(
        audiences: [audience], serviceAccounts: serviceAccounts, issuer: issuer, client: client, clock: clock))
  }

  /// Trusts callers whose OpenID Connect token a verifier accepts.
  public static func oidc(_ verifier: TokenVerifier) -> Authentication {
    .custom { (request, _) throws(JobError) in
      let token: String
      do throws(TokenRejection) {
        token = try BearerToken.find(in: .authorization, of: request.headerFields)
      } catch {
        throw JobError(error)
      }
      if case .failure(let rejection) = try await verifier.verify(token) { throw JobError(rejection) }
    }
  }
}

/// A verifier of the OpenID Connect tokens that Cloud Tasks, Cloud Scheduler and Pub/Sub send, for RS256 only.
///
/// Form, key, signature and claims are checked in this order; no claim is used before the signature is verified.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8725>, the best practices behind these rules.
public struct TokenVerifier: Sendable {
  private let policy: TokenPolicy
  private let keys: IssuerKeys
  private let clock: any JobClock

  /// Creates a verifier with an empty key cache; use one per process.
  ///
  /// - Parameters:
  ///   - audiences: the accepted audiences, at least one.
  ///   - serviceAccounts: the email addresses of the allowed accounts, at least one.
  ///   - issuer: the trusted issuer.
  ///   - client: the HTTP client that fetches the issuer's keys.
  ///   - clock: the clock for token expiry.
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
  /// - Parameter token: the token text after `Bearer`.
  /// - Returns: the token's identity, or the reason for rejecting it.
  /// - Throws: ``/CloudJobsCore/JobError`` `keysUnavailable` if the token can't be verified at present.
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
