#if Google
import CloudJobsCore
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@testable import CloudJobsGoogle

/// An RSA key that tests sign with.
struct SigningKey: Sendable {
  let id: String
  private let key: _RSA.Signing.PrivateKey

  /// The key that the issuer publishes in most tests.
  static let issuer = SigningKey("key-1")
  /// The issuer's next key.
  static let next = SigningKey("key-2")
  /// A key of an attacker.
  static let stranger = SigningKey("key-1")

  init(_ id: String) {
    self.id = id
    do { key = try _RSA.Signing.PrivateKey(keySize: .bits2048) } catch { preconditionFailure("no key: \(error)") }
  }

  /// The key in PEM, as a key file has it.
  var pem: String { key.pkcs8PEMRepresentation }

  /// The public key in PEM.
  var publicPEM: String { key.publicKey.pemRepresentation }

  /// The key as a member of a JWKS document.
  var published: JSONValue {
    do {
      let numbers = try key.publicKey.getKeyPrimitives()
      return [
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": .string(id),
        "n": .string(Base64URL.encode(Array(numbers.modulus))),
        "e": .string(Base64URL.encode(Array(numbers.publicExponent))),
      ]
    } catch {
      preconditionFailure("no numbers: \(error)")
    }
  }

  /// The signature over some text.
  func signature(_ text: String, padding: _RSA.Signing.Padding = .insecurePKCS1v1_5) -> [UInt8] {
    do {
      return Array(try key.signature(for: Data(text.utf8), padding: padding).rawRepresentation)
    } catch {
      preconditionFailure("no signature: \(error)")
    }
  }

  /// Whether a signature is this key's.
  func verifies(_ signature: [UInt8], of text: some StringProtocol) -> Bool {
    key.publicKey.isValidSignature(
      .init(rawRepresentation: Data(signature)), for: Data(text.utf8), padding: .insecurePKCS1v1_5)
  }

  /// A JWKS document with some keys.
  static func document(_ keys: [SigningKey]) -> String {
    JSONValue.object(["keys": .array(keys.map(\.published))]).text
  }
}
#endif
