import CloudJobsCore
import CloudJobsEmulator

/// The contents of delivery tokens and of the documents for verifiers, as pure functions.
///
/// The claims are those of Google's own tokens (<https://cloud.google.com/docs/authentication/token-types#id>).
enum TokenClaims {
  /// Lifetime of a token, in seconds.
  static let lifetime: Int64 = 3_600

  /// Cache lifetime of the key's documents if the next start generates another key, in seconds.
  static let fleetingLife: Int64 = 60
  /// Cache lifetime if the key is stored in a folder, in seconds; Google's own is several hours.
  static let keptLife: Int64 = 3_600

  /// Returns the `Cache-Control` header of the key's documents, in Google's form.
  static func cacheControl(isKeyKept: Bool) -> HeaderField {
    HeaderField("Cache-Control", "public, max-age=\(isKeyKept ? keptLife : fleetingLife), must-revalidate")
  }

  /// Returns the claims of an OpenID Connect token.
  static func openID(issuer: String, audience: String, email: String, at now: Timestamp) -> JSONValue {
    let subject = JSONValue.string(subject(of: email))
    return [
      "iss": .string(issuer), "aud": .string(audience), "azp": subject, "sub": subject, "email": .string(email),
      "email_verified": true, "iat": .integer(now.seconds), "exp": .integer(now.seconds + lifetime),
    ]
  }

  /// Returns the number of an account: 21 digits, derived from its address.
  static func subject(of email: String) -> String {
    let digits = String(UInt64(SHA256.hexDigest(of: email.utf8).prefix(16), radix: 16) ?? 0)
    return "1" + String(repeating: "0", count: 20 - digits.count) + digits
  }

  /// Returns the key ID derived from a key's bytes.
  static func keyID(_ bytes: [UInt8]) -> String { String(SHA256.hexDigest(of: bytes).prefix(40)) }

  /// Returns an opaque text in the form of an OAuth token.
  static func opaque(email: String, scope: String) -> String {
    "ya29.emulator-\(SHA256.hexDigest(of: "\(email) \(scope)".utf8))"
  }

  /// Returns the discovery document (<https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata>).
  static func discovery(issuer: String, origin: String) -> JSONValue {
    [
      "issuer": .string(issuer), "jwks_uri": .string("\(origin)/oauth2/v3/certs"),
      "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
      "id_token_signing_alg_values_supported": ["RS256"],
      "claims_supported": ["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"],
    ]
  }
}
