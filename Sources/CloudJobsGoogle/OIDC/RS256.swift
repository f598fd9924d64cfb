#if Google
import CloudJobsCore
import JWTKit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The only supported signature algorithm: RSASSA-PKCS1-v1_5 with SHA-256, `RS256`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7518#section-3.3>. Keys shorter than 2,048 bits are rejected.
struct RS256: Sendable {
  private let algorithm: any JWTAlgorithm

  /// Creates a verifier with a public key; nil if the numbers are not a usable key.
  ///
  /// - Parameters:
  ///   - modulus: the key's `n`, in Base64url.
  ///   - exponent: the key's `e`, in Base64url.
  init?(modulus: String, exponent: String) async {
    guard let key = try? Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent) else { return nil }
    await self.init(key)
  }

  /// Creates a signer with a private key; nil if the text is not a usable key in PEM.
  init?(privateKey pem: String) async {
    guard let key = try? Insecure.RSA.PrivateKey(pem: pem) else { return nil }
    await self.init(key)
  }

  private init?(_ key: some RSAKey) async {
    let keys = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256, kid: "key")
    guard let algorithm = try? await keys.getKey(for: "key") else { return nil }
    self.algorithm = algorithm
  }

  /// Returns whether a signature of some bytes is this key's.
  func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
    (try? algorithm.verify(signature, signs: bytes)) ?? false
  }

  /// Signs a token in compact form (<https://www.rfc-editor.org/rfc/rfc7515#section-7.1>); nil without a private key.
  func sign(header: JSONValue, claims: JSONValue) -> String? {
    let input = "\(Base64URL.encode(header.encoded)).\(Base64URL.encode(claims.encoded))"
    guard let signature = try? algorithm.sign(Array(input.utf8)) else { return nil }
    return "\(input).\(Base64URL.encode(signature))"
  }
}
#endif
