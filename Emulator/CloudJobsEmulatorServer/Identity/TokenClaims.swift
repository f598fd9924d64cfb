import CloudJobsCore
import CloudJobsEmulator

/// What stands in the tokens of deliveries and in the documents that verifiers read, as pure functions.
///
/// The claims are those of Google's own tokens (<https://cloud.google.com/docs/authentication/token-types#id>).
enum TokenClaims {
  /// How long a token is good.
  static let lifetime: Int64 = 3_600

  /// For how long the key's documents may be kept where the next start makes another key.
  static let fleetingLife: Int64 = 60
  /// The same where the key is kept in a folder; Google's own are good for some hours.
  static let keptLife: Int64 = 3_600

  /// The header that tells how long the key's documents may be kept, in the form of Google's own.
  static func cacheControl(isKeyKept: Bool) -> HeaderField {
    HeaderField("Cache-Control", "public, max-age=\(isKeyKept ? keptLife : fleetingLife), must-revalidate")
  }

  /// The claims of an OpenID Connect token.
  static func openID(issuer: String, audience: String, email: String, at now: Timestamp) -> JSONValue {
    let subject = JSONValue.string(subject(of: email))
    return [
      "iss": .string(issuer), "aud": .string(audience), "azp": subject, "sub": subject, "email": .string(email),
      "email_verified": true, "iat": .integer(now.seconds), "exp": .integer(now.seconds + lifetime),
    ]
  }

  /// An account's number: 21 digits, the same for the same address.
  static func subject(of email: String) -> String {
    let digits = String(UInt64(SHA256.hexDigest(of: email.utf8).prefix(16), radix: 16) ?? 0)
    return "1" + String(repeating: "0", count: 20 - digits.count) + digits
  }

  /// The name of a key by its bytes.
  static func keyID(_ bytes: [UInt8]) -> String { String(SHA256.hexDigest(of: bytes).prefix(40)) }

  /// An OAuth token, which has no meaning to anyone but looks like one.
  static func opaque(email: String, scope: String) -> String {
    "ya29.emulator-\(SHA256.hexDigest(of: "\(email) \(scope)".utf8))"
  }

  /// The discovery document (<https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata>).
  static func discovery(issuer: String, origin: String) -> JSONValue {
    [
      "issuer": .string(issuer), "jwks_uri": .string("\(origin)/oauth2/v3/certs"),
      "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
      "id_token_signing_alg_values_supported": ["RS256"],
      "claims_supported": ["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"],
    ]
  }
}
