#if HTTP
public import CloudJobs
public import CloudJobsCore
import HTTPTypes

extension Authentication {
  /// Trusts callers whose OpenID Connect token Cloud Run's IAM has verified.
  ///
  /// **Only for a Cloud Run service that requires authentication.** Cloud Run then checks each token and puts
  /// `SIGNATURE_REMOVED_BY_GOOGLE` in the place of its signature; anywhere else a stranger can write such a token. The
  /// audience, the account, the issuer and the times are checked here as in the mode `oidc`; a token that still has a
  /// signature is refused, as nobody has checked it.
  ///
  /// Where `X-Serverless-Authorization` is sent, Cloud Run checks that field in place of `Authorization`, and so does
  /// this.
  ///
  /// Source: <https://cloud.google.com/run/docs/authenticating/service-to-service>.
  ///
  /// - Parameters:
  ///   - audience: what the sender sets as the token's audience: the service's URL, or a custom audience of it.
  ///   - serviceAccounts: the addresses of the accounts that may call, at least one.
  ///   - clock: the time.
  /// - Returns: the authentication.
  public static func cloudRunIAM(
    audience: String, serviceAccounts: Set<String>, clock: any JobClock = .system
  ) -> Authentication {
    let policy = TokenPolicy(audiences: [audience], serviceAccounts: serviceAccounts)
    return .custom { (request, _) throws(JobError) in
      do throws(TokenRejection) {
        _ = try Self.identity(ofCloudRun: request.headerFields, policy: policy, at: clock.now())
      } catch {
        throw JobError(error)
      }
    }
  }

  /// Whom a request that has passed Cloud Run's IAM speaks for.
  static func identity(
    ofCloudRun fields: HTTPFields, policy: TokenPolicy, at now: Timestamp
  ) throws(TokenRejection) -> TokenIdentity {
    let serverless = HTTPField.Name("X-Serverless-Authorization")
    let name = serverless.flatMap { fields.contains($0) ? $0 : nil } ?? .authorization
    let token = try CompactToken(Array(try BearerToken.find(in: name, of: fields).utf8))
    guard token.isSignatureRemoved else { throw .signatureNotRemoved }
    return try policy.check(token.claims, at: now)
  }
}

extension JobError {
  /// A refused token as an error: the reason stands in ``nativeCode``, and nothing of the token anywhere.
  init(_ rejection: TokenRejection) {
    self.init(.unauthenticated, rejection.message, nativeCode: "oidc \(rejection.reason)")
  }
}
#endif
