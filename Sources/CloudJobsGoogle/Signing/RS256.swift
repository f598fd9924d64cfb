#if Google
import CloudJobsCore
import JWTKit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The one signature that is made and accepted: RSASSA-PKCS1-v1_5 with SHA-256, `RS256`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7518#section-3.3>. Keys shorter than 2,048 bits are refused.
struct RS256: Sendable {
  private let algorithm: any JWTAlgorithm

  /// What verifies by a public key; nil where the numbers are no usable key.
  ///
  /// - Parameters:
  ///   - modulus: the key's `n`, in Base 64 for URLs.
  ///   - exponent: the key's `e`, in the same form.
  init?(modulus: String, exponent: String) async {
    guard let key = try? Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent) else { return nil }
    await self.init(key)
  }

  /// What signs by a private key; nil where the text is no usable key in PEM.
  init?(privateKey pem: String) async {
    guard let key = try? Insecure.RSA.PrivateKey(pem: pem) else { return nil }
    await self.init(key)
  }

  private init?(_ key: some RSAKey) async {
    let keys = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256, kid: "key")
    guard let algorithm = try? await keys.getKey(for: "key") else { return nil }
    self.algorithm = algorithm
  }

  /// Whether a signature is this key's over some bytes.
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
