#if HTTP
public import CloudJobsCore

/// What a token's claims must say: a pure rule over values.
///
/// Names are compared byte by byte, since Swift's `==` takes some different texts for equal (U+212A for `K`).
///
/// Source: <https://cloud.google.com/run/docs/authenticating/service-to-service> and
/// <https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>.
public struct TokenPolicy: Hashable, Sendable {
  /// How far the clocks of the issuer and of this machine may differ.
  public static let skew = Duration.seconds(60)
  /// The longest life that a token may have.
  public static let maximumLifetime = Duration.days(1)

  /// The audiences that are accepted; more than one where the service has several addresses.
  public var audiences: Set<String>
  /// The addresses of the service accounts that may call.
  public var serviceAccounts: Set<String>
  /// The issuers that are trusted.
  public var issuers: Set<String>

  /// A policy; by default for tokens of Google.
  ///
  /// - Parameters:
  ///   - audiences: at least one: what the sender sets as the token's audience, usually the target's URL.
  ///   - serviceAccounts: at least one: who may call, such as `tasks@project.iam.gserviceaccount.com`.
  ///   - issuers: at least one.
  public init(
    audiences: Set<String>, serviceAccounts: Set<String>,
    issuers: Set<String> = ["https://accounts.google.com", "accounts.google.com"]
  ) {
    precondition(!audiences.isEmpty && !audiences.contains(""), "A token's audience must be checked: name one.")
    precondition(!serviceAccounts.isEmpty && !serviceAccounts.contains(""), "Name the accounts that may call.")
    precondition(!issuers.isEmpty && !issuers.contains(""), "Name the issuers that are trusted.")
    self.audiences = audiences
    self.serviceAccounts = serviceAccounts
    self.issuers = issuers
  }

  /// Checks claims whose signature has been checked.
  ///
  /// - Parameters:
  ///   - claims: the token's claims.
  ///   - now: the time.
  /// - Returns: whom the token speaks for.
  /// - Throws: the first ``TokenRejection`` that applies, in the order issuer, audience, time, account.
  public func check(_ claims: [String: JSONValue], at now: Timestamp) throws(TokenRejection) -> TokenIdentity {
    guard let issuer = claims["iss"]?.string else { throw .issuerMissing }
    guard Self.contains(issuers, issuer) else { throw .issuerWrong }
    guard let audience = claims["aud"], !audience.isNull else { throw .audienceMissing }
    guard let audience = audience.string else { throw .audienceNotText }
    guard Self.contains(audiences, audience) else { throw .audienceWrong }
    let (issuedAt, expiresAt) = try Self.life(claims, at: now)
    guard let email = claims["email"]?.string, !email.isEmpty else { throw .emailMissing }
    guard claims["email_verified"] == .bool(true) else { throw .emailNotVerified }
    guard Self.contains(serviceAccounts, email) else { throw .accountWrong }
    return TokenIdentity(
      email: email, subject: claims["sub"]?.string ?? "", audience: audience, issuedAt: issuedAt,
      expiresAt: expiresAt)
  }

  private static func life(
    _ claims: [String: JSONValue], at now: Timestamp
  ) throws(TokenRejection) -> (issuedAt: Timestamp, expiresAt: Timestamp) {
    guard let expiry = claims["exp"], !expiry.isNull else { throw .expiryMissing }
    guard let expiresAt = time(expiry) else { throw .expiryInvalid }
    guard let issue = claims["iat"], !issue.isNull else { throw .issuedAtMissing }
    guard let issuedAt = time(issue) else { throw .issuedAtInvalid }
    guard now < expiresAt + skew else { throw .expired }
    guard issuedAt <= now + skew else { throw .issuedInFuture }
    guard issuedAt < expiresAt, expiresAt - issuedAt <= maximumLifetime else { throw .lifetimeInvalid }
    if let start = claims["nbf"], !start.isNull {
      guard let notBefore = time(start) else { throw .notBeforeInvalid }
      guard notBefore <= now + skew else { throw .notYetValid }
    }
    return (issuedAt, expiresAt)
  }

  private static func time(_ value: JSONValue) -> Timestamp? {
    value.integer.flatMap { $0 >= 0 ? Timestamp(seconds: $0) : nil }
  }

  private static func contains(_ texts: Set<String>, _ text: String) -> Bool {
    texts.contains { $0.utf8.elementsEqual(text.utf8) }
  }
}
#endif
