#if HTTP
public import CloudJobsCore

/// The rules for a token's claims, as a pure function.
///
/// Names are compared byte by byte, because Swift's `==` treats some distinct strings as equal (U+212A and `K`).
///
/// Source: <https://cloud.google.com/run/docs/authenticating/service-to-service> and
/// <https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>.
public struct TokenPolicy: Hashable, Sendable {
  /// The tolerated difference between the clocks of the issuer and of this machine.
  public static let skew = Duration.seconds(60)
  /// The maximum lifetime of a token.
  public static let maximumLifetime = Duration.days(1)

  /// The accepted audiences; several if the service has several addresses.
  public var audiences: Set<String>
  /// The email addresses of the allowed service accounts.
  public var serviceAccounts: Set<String>
  /// The trusted issuers.
  public var issuers: Set<String>

  /// Creates a policy, by default for Google's tokens.
  ///
  /// - Parameters:
  ///   - audiences: at least one: the audience that the sender sets, usually the target's URL.
  ///   - serviceAccounts: at least one allowed account, such as `tasks@project.iam.gserviceaccount.com`.
  ///   - issuers: at least one.
  public init(
    audiences: Set<String>, serviceAccounts: Set<String>,
    issuers: Set<String> = ["https://accounts.google.com", "accounts.google.com"]
  ) {
    precondition(!audiences.isEmpty && !audiences.contains(""), "A token policy needs an audience.")
    precondition(!serviceAccounts.isEmpty && !serviceAccounts.contains(""), "A token policy needs a service account.")
    precondition(!issuers.isEmpty && !issuers.contains(""), "A token policy needs an issuer.")
    self.audiences = audiences
    self.serviceAccounts = serviceAccounts
    self.issuers = issuers
  }

  /// Checks the claims of a token whose signature has been verified.
  ///
  /// - Parameters:
  ///   - claims: the token's claims.
  ///   - now: the current time.
  /// - Returns: the token's identity.
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

/// The identity of an accepted token.
public struct TokenIdentity: Hashable, Sendable {
  /// The service account's email address.
  public var email: String
  /// The account's permanent numeric id; empty if the token has none.
  public var subject: String
  /// The audience.
  public var audience: String
  /// The time of issue.
  public var issuedAt: Timestamp
  /// The time of expiry.
  public var expiresAt: Timestamp
}

/// The issuer of accepted tokens, and the address of its keys.
public struct TokenIssuer: Hashable, Sendable {
  /// The accepted values of `iss`.
  public let names: Set<String>
  /// The URL of the keys, as a JWKS document.
  public let keysURL: String

  /// Google, the only issuer to trust in production.
  ///
  /// Source: <https://accounts.google.com/.well-known/openid-configuration>.
  public static let google = TokenIssuer(
    names: ["https://accounts.google.com", "accounts.google.com"],
    keysURL: "https://www.googleapis.com/oauth2/v3/certs")

  /// Returns an emulator as issuer.
  ///
  /// It issues tokens of any account to any caller, so it is for development and tests only.
  ///
  /// - Parameters:
  ///   - jwksURL: the URL of its keys, such as `http://127.0.0.1:8085/oauth2/v3/certs`.
  ///   - name: the `iss` of its tokens; nil for the origin of the URL.
  /// - Returns: the issuer.
  public static func emulator(jwksURL: String, name: String? = nil) -> TokenIssuer {
    TokenIssuer(names: [name ?? origin(of: jwksURL)], keysURL: jwksURL)
  }

  /// Returns the scheme, host and port of a URL.
  static func origin(of url: String) -> String {
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    return parts.count < 3 ? url : "\(parts[0])//\(parts[2])"
  }
}

/// The reason for rejecting a token, without any part of the token.
public struct TokenRejection: Error, Hashable, Sendable, CustomStringConvertible {
  /// A stable, lower-camel-case identifier for logs and metrics, such as `expired`; new ones may be added.
  public let reason: String
  /// What is wrong, and the remedy.
  public let message: String
  /// The reason and the message.
  public var description: String { "\(reason): \(message)" }

  init(_ reason: String, _ message: String) {
    self.reason = reason
    self.message = message
  }
}

/// The request's header field.
extension TokenRejection {
  static let tokenMissing = TokenRejection(
    "tokenMissing", "Send the header Authorization: Bearer with an OIDC token of an allowed service account.")
  static let headerRepeated = TokenRejection("headerRepeated", "Send one Authorization header, not several.")
  static let notBearer = TokenRejection(
    "notBearer", "The Authorization header does not have the form Bearer and token.")
}

/// The token's form (RFC 7515, <https://www.rfc-editor.org/rfc/rfc7515>).
extension TokenRejection {
  static let tooLong = TokenRejection("tooLong", "The token is longer than 8 KiB.")
  static let notThreeParts = TokenRejection("notThreeParts", "The token does not have three parts separated by dots.")
  static let headerTooLong = TokenRejection("headerTooLong", "The token's header is longer than 2 KiB.")
  static let headerEncoding = TokenRejection("headerEncoding", "The token's header is not Base64url.")
  static let claimsEncoding = TokenRejection("claimsEncoding", "The token's claims are not Base64url.")
  static let signatureEncoding = TokenRejection(
    "signatureEncoding", "The token's signature is not Base64url.")
  static let headerNotJSON = TokenRejection("headerNotJSON", "The token's header is not a JSON object.")
  static let claimsNotJSON = TokenRejection("claimsNotJSON", "The token's claims are not a JSON object.")
  static let typeWrong = TokenRejection("typeWrong", "The token's type is not JWT.")
  static let algorithmMissing = TokenRejection("algorithmMissing", "The token names no algorithm: sign it with RS256.")
  static let algorithmNone = TokenRejection("algorithmNone", "The token's algorithm is none: sign it with RS256.")
  static let algorithmWrong = TokenRejection(
    "algorithmWrong", "The token's algorithm is not RS256: sign it with RS256.")
  static let criticalHeader = TokenRejection(
    "criticalHeader", "The token's header requires unsupported extensions.")
  static let keyIDMissing = TokenRejection("keyIDMissing", "The token does not name its key.")
  static let keyIDInvalid = TokenRejection("keyIDInvalid", "The token's key id is not a short string.")
}

/// The signature.
extension TokenRejection {
  static let keyUnknown = TokenRejection("keyUnknown", "The token's issuer does not publish the key that it names.")
  static let signatureMissing = TokenRejection("signatureMissing", "The token has no signature.")
  static let signatureWrong = TokenRejection(
    "signatureWrong", "The token's signature does not match the key that it names.")
  static let signatureRemoved = TokenRejection(
    "signatureRemoved",
    "The token's signature was removed: behind Cloud Run's IAM use the mode cloudRunIAM, otherwise send it intact.")
  static let signatureNotRemoved = TokenRejection(
    "signatureNotRemoved",
    "The token has not passed Cloud Run's IAM: require authentication on the service, or use the mode oidc.")
}

/// The claims (<https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>).
extension TokenRejection {
  static let issuerMissing = TokenRejection("issuerMissing", "The token does not name its issuer.")
  static let issuerWrong = TokenRejection("issuerWrong", "The token's issuer is not trusted.")
  static let audienceMissing = TokenRejection("audienceMissing", "The token names no audience.")
  static let audienceNotText = TokenRejection("audienceNotText", "The token's audience is not a string.")
  static let audienceWrong = TokenRejection(
    "audienceWrong", "The token is for another audience: set the same audience at the sender and here.")
  static let emailMissing = TokenRejection("emailMissing", "The token has no email claim.")
  static let emailNotVerified = TokenRejection("emailNotVerified", "The token's email_verified is not true.")
  static let accountWrong = TokenRejection(
    "accountWrong", "The token's account may not call this handler: allow it in the authentication's serviceAccounts.")
  static let expiryMissing = TokenRejection("expiryMissing", "The token has no exp claim.")
  static let expiryInvalid = TokenRejection("expiryInvalid", "The token's exp is not a whole number of seconds.")
  static let expired = TokenRejection("expired", "The token has expired: send a fresh one.")
  static let issuedAtMissing = TokenRejection("issuedAtMissing", "The token has no iat claim.")
  static let issuedAtInvalid = TokenRejection("issuedAtInvalid", "The token's iat is not a whole number of seconds.")
  static let issuedInFuture = TokenRejection(
    "issuedInFuture", "The token was issued in the future: synchronize the clocks of the sender and of this machine.")
  static let lifetimeInvalid = TokenRejection(
    "lifetimeInvalid", "The token's lifetime is not between a second and a day: issue it for an hour.")
  static let notBeforeInvalid = TokenRejection("notBeforeInvalid", "The token's nbf is not a whole number of seconds.")
  static let notYetValid = TokenRejection("notYetValid", "The token is not valid yet: send it later.")
}
#endif
