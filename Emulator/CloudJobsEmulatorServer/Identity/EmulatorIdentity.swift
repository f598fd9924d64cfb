#if Google
import CloudJobsCore
import CloudJobsEmulator
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Signs the tokens of deliveries by a key made at start, and publishes that key as Google publishes its own.
///
/// Whoever reaches the emulator can have a token of any account: nothing in production may trust its key.
struct EmulatorIdentity: Sendable {
  private let key: _RSA.Signing.PrivateKey
  private let keyID: String
  private let keySet: JSONValue
  private let issuer: String?
  private let origin: EmulatorOrigin

  /// An identity with a new key.
  ///
  /// - Parameters:
  ///   - issuer: what tokens say as `iss`; nil for the emulator's own origin.
  ///   - origin: where the emulator is.
  /// - Throws: where the machine can't make a key.
  init(issuer: String?, origin: EmulatorOrigin) throws {
    key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    let numbers = try key.publicKey.getKeyPrimitives()
    keyID = TokenClaims.keyID(Array(key.publicKey.derRepresentation))
    keySet = [
      "keys": [
        [
          "kty": "RSA", "alg": "RS256", "use": "sig", "kid": .string(keyID),
          "n": .string(Self.base64URL(Array(numbers.modulus))),
          "e": .string(Self.base64URL(Array(numbers.publicExponent))),
        ]
      ]
    ]
    self.issuer = issuer
    self.origin = origin
  }

  /// The value of a delivery's `Authorization` header; nil where the key can't sign.
  func header(for authorization: TargetAuthorization, url: String, at now: Timestamp) -> String? {
    switch authorization.resolved(for: url) {
    case .oauth(let email, let scope): return "Bearer \(TokenClaims.opaque(email: email, scope: scope ?? ""))"
    case .oidc(let email, let audience):
      let claims = TokenClaims.openID(
        issuer: issuer ?? origin.value, audience: audience ?? url, email: email, at: now)
      return sign(claims).map { "Bearer \($0)" }
    }
  }

  /// The document at a path; nil where there is none.
  ///
  /// - Parameter path: `oauth2/v3/certs` or `.well-known/openid-configuration`, in parts.
  /// - Returns: the document.
  func document(at path: [String]) -> JSONValue? {
    switch path {
    case ["oauth2", "v3", "certs"]: keySet
    case [".well-known", "openid-configuration"]:
      TokenClaims.discovery(issuer: issuer ?? origin.value, origin: origin.value)
    default: nil
    }
  }

  private func sign(_ claims: JSONValue) -> String? {
    let header: JSONValue = ["alg": "RS256", "kid": .string(keyID), "typ": "JWT"]
    let input = "\(Self.base64URL(header.encoded)).\(Self.base64URL(claims.encoded))"
    guard let signature = try? key.signature(for: Data(input.utf8), padding: .insecurePKCS1v1_5) else { return nil }
    return "\(input).\(Self.base64URL(Array(signature.rawRepresentation)))"
  }

  private static func base64URL(_ bytes: [UInt8]) -> String {
    Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
#endif
