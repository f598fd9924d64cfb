#if Google
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP
import HTTPTypes

extension Authentication {
  /// Trusts callers that bring an OpenID Connect token of Google for this service, verified here.
  ///
  /// This is what Cloud Tasks, Cloud Scheduler and Pub/Sub send when their target has an `oidcToken`. A refusal is
  /// ``JobError`` `unauthenticated` with the reason as its native code (`oidc expired`); where the issuer's keys can't
  /// be had it is `keysUnavailable`, so that the sender tries again.
  ///
  /// - Parameters:
  ///   - audience: what the sender sets as the token's audience; the target's URL where it sets none.
  ///   - serviceAccounts: the addresses of the accounts that may call, at least one.
  ///   - issuer: who signs: Google, or an emulator that is named explicitly.
  ///   - client: what fetches the issuer's keys.
  ///   - clock: the time.
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
#endif
