#if HTTP
/// Why a token is not accepted, without anything of the token.
public struct TokenRejection: Error, Hashable, Sendable, CustomStringConvertible {
  /// A stable, lower-camel-case word for logs and metrics, such as `expired`; new ones may be added.
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

/// How the request carries the token.
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
  static let notThreeParts = TokenRejection("notThreeParts", "The token does not have three parts with dots between.")
  static let headerTooLong = TokenRejection("headerTooLong", "The token's header is longer than 2 KiB.")
  static let headerEncoding = TokenRejection("headerEncoding", "The token's header is not in Base 64 for URLs.")
  static let claimsEncoding = TokenRejection("claimsEncoding", "The token's claims are not in Base 64 for URLs.")
  static let signatureEncoding = TokenRejection(
    "signatureEncoding", "The token's signature is not in Base 64 for URLs.")
  static let headerNotJSON = TokenRejection("headerNotJSON", "The token's header is not one JSON object.")
  static let claimsNotJSON = TokenRejection("claimsNotJSON", "The token's claims are not one JSON object.")
  static let typeWrong = TokenRejection("typeWrong", "The token's type is something other than JWT.")
  static let algorithmMissing = TokenRejection("algorithmMissing", "The token names no algorithm; sign it by RS256.")
  static let algorithmNone = TokenRejection("algorithmNone", "The token claims to need no signature; sign it by RS256.")
  static let algorithmWrong = TokenRejection(
    "algorithmWrong", "The token names an algorithm other than RS256; sign it by RS256.")
  static let criticalHeader = TokenRejection(
    "criticalHeader", "The token's header demands extensions that are not known here.")
  static let keyIDMissing = TokenRejection("keyIDMissing", "The token does not name its key.")
  static let keyIDInvalid = TokenRejection("keyIDInvalid", "The token's key is not named by a short text.")
}

/// The signature.
extension TokenRejection {
  static let keyUnknown = TokenRejection("keyUnknown", "The token is signed by a key that its issuer does not publish.")
  static let signatureMissing = TokenRejection("signatureMissing", "The token has no signature.")
  static let signatureWrong = TokenRejection("signatureWrong", "The token's signature is not that of the key it names.")
  static let signatureRemoved = TokenRejection(
    "signatureRemoved",
    "The token's signature has been removed: behind Cloud Run's IAM use the mode cloudRunIAM, elsewhere send it whole.")
  static let signatureNotRemoved = TokenRejection(
    "signatureNotRemoved",
    "The token has not passed Cloud Run's IAM: require authentication on the service, or use the mode oidc.")
}

/// The claims (<https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>).
extension TokenRejection {
  static let issuerMissing = TokenRejection("issuerMissing", "The token does not name its issuer.")
  static let issuerWrong = TokenRejection("issuerWrong", "The token is from an issuer that is not trusted here.")
  static let audienceMissing = TokenRejection("audienceMissing", "The token names no audience.")
  static let audienceNotText = TokenRejection("audienceNotText", "The token's audience is not one text.")
  static let audienceWrong = TokenRejection(
    "audienceWrong", "The token is for another audience: set the same audience at the sender and here.")
  static let emailMissing = TokenRejection("emailMissing", "The token has no email claim.")
  static let emailNotVerified = TokenRejection("emailNotVerified", "The token's email_verified is not true.")
  static let accountWrong = TokenRejection(
    "accountWrong", "The token is of an account that may not call this handler: allow its service account here.")
  static let expiryMissing = TokenRejection("expiryMissing", "The token has no exp claim.")
  static let expiryInvalid = TokenRejection("expiryInvalid", "The token's exp is no whole number of seconds.")
  static let expired = TokenRejection("expired", "The token has expired: send a fresh one.")
  static let issuedAtMissing = TokenRejection("issuedAtMissing", "The token has no iat claim.")
  static let issuedAtInvalid = TokenRejection("issuedAtInvalid", "The token's iat is no whole number of seconds.")
  static let issuedInFuture = TokenRejection(
    "issuedInFuture", "The token is from the future: set the clocks of the sender and of this machine.")
  static let lifetimeInvalid = TokenRejection(
    "lifetimeInvalid", "The token's life is not between a second and a day: issue it for an hour.")
  static let notBeforeInvalid = TokenRejection("notBeforeInvalid", "The token's nbf is no whole number of seconds.")
  static let notYetValid = TokenRejection("notYetValid", "The token is not valid yet: send it later.")
}
#endif
