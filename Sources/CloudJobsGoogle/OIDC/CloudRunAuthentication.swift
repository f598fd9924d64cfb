#if HTTP
public import CloudJobs
public import CloudJobsCore
import HTTPTypes

extension Authentication {
  /// Trusts callers whose OpenID Connect token was verified by Cloud Run's IAM.
  ///
  /// **Only for a Cloud Run service that requires authentication.** Cloud Run verifies each token and replaces its
  /// signature with `SIGNATURE_REMOVED_BY_GOOGLE`; anywhere else, anyone can forge such a token. Audience, account,
  /// issuer and times are checked here as in the mode `oidc`. A token that still has a signature is rejected, because
  /// it was not verified.
  ///
  /// If the request has `X-Serverless-Authorization`, Cloud Run verifies that field instead of `Authorization`, and so
  /// does this mode.
  ///
  /// Source: <https://cloud.google.com/run/docs/authenticating/service-to-service>.
  ///
  /// - Parameters:
  ///   - audience: the audience that the sender sets: the service's URL, or one of its custom audiences.
  ///   - serviceAccounts: the email addresses of the allowed accounts, at least one.
  ///   - clock: the clock for token expiry.
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

  /// Returns the identity of a request that has passed Cloud Run's IAM.
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
  /// Creates the error for a rejected token: the reason is its ``nativeCode``, and nothing of the token is included.
  init(_ rejection: TokenRejection) {
    self.init(.unauthenticated, rejection.message, nativeCode: "oidc \(rejection.reason)")
  }
}

/// The bearer token of a request (<https://www.rfc-editor.org/rfc/rfc6750#section-2.1>).
enum BearerToken {
  /// Returns the token in a header field.
  ///
  /// - Parameters:
  ///   - name: the field.
  ///   - fields: the request's header fields.
  /// - Returns: the token.
  /// - Throws: ``TokenRejection`` `tokenMissing`, `headerRepeated` or `notBearer`.
  static func find(in name: HTTPField.Name, of fields: HTTPFields) throws(TokenRejection) -> String {
    let values = fields[values: name]
    guard let value = values.first else { throw .tokenMissing }
    guard values.count == 1 else { throw .headerRepeated }
    // The field of an empty token has lost its trailing space, because surrounding whitespace is not significant.
    if value.lowercased().utf8.elementsEqual("bearer".utf8) { throw .tokenMissing }
    let token = value.dropFirst(7)
    guard value.prefix(7).utf8.count == 7, value.prefix(7).lowercased().utf8.elementsEqual("bearer ".utf8) else {
      throw .notBearer
    }
    guard !token.isEmpty else { throw .tokenMissing }
    return String(token)
  }
}
#endif
