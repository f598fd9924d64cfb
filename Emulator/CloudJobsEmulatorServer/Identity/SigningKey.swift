#if Google
import CloudJobsCore
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An RSA key that signs tokens, with the JWKS document for verifiers.
struct SigningKey: Sendable {
  /// The key's file in a data folder.
  static let fileName = "signing-key.pem"
  private let key: _RSA.Signing.PrivateKey
  /// The key ID in tokens and in the JWKS document.
  let id: String
  /// The JWKS document.
  let document: JSONValue

  /// Generates a key.
  ///
  /// - Throws: ``JobError`` if generation fails.
  init() throws(JobError) {
    do {
      try self.init(_RSA.Signing.PrivateKey(keySize: .bits2048))
    } catch {
      throw JobError(.storeUnavailable, "No signing key could be generated: \(error). Start the emulator again.")
    }
  }

  /// Creates a key from PEM text.
  ///
  /// - Throws: the parser's error for invalid text.
  init(pem: [UInt8]) throws {
    try self.init(_RSA.Signing.PrivateKey(pemRepresentation: String(decoding: pem, as: UTF8.self)))
  }

  private init(_ key: _RSA.Signing.PrivateKey) throws {
    self.key = key
    let numbers = try key.publicKey.getKeyPrimitives()
    id = TokenClaims.keyID(Array(key.publicKey.derRepresentation))
    document = [
      "keys": [
        [
          "kty": "RSA", "alg": "RS256", "use": "sig", "kid": .string(id),
          "n": .string(Base64URL.encode(Array(numbers.modulus))),
          "e": .string(Base64URL.encode(Array(numbers.publicExponent))),
        ]
      ]
    ]
  }

  /// Loads the key of a data folder, creating it if it does not exist.
  ///
  /// - Throws: ``JobError`` `invalidField` for an invalid key file, `storeUnavailable` if the folder fails.
  static func kept(in folder: some FolderFiles) throws(JobError) -> SigningKey {
    guard try folder.names().contains(fileName) else {
      let key = try SigningKey()
      try folder.create(fileName, Array(key.pem.utf8))
      return key
    }
    guard let key = try? SigningKey(pem: folder.contents(fileName)) else {
      throw JobError(
        .invalidField,
        "\(fileName) is not an RSA private key of at least 2,048 bits in PEM format. Restore the key, or remove the "
          + "file: a new key is then generated, and verifiers reject its tokens until they fetch the new key.",
        field: "--data")
    }
    return key
  }

  /// The private key's PEM text.
  var pem: String { key.pemRepresentation + "\n" }

  /// Returns a signed token, or nil if signing fails.
  func sign(_ claims: JSONValue) -> String? {
    let header: JSONValue = ["alg": "RS256", "kid": .string(id), "typ": "JWT"]
    let input = "\(Base64URL.encode(header.encoded)).\(Base64URL.encode(claims.encoded))"
    guard let signature = try? key.signature(for: Data(input.utf8), padding: .insecurePKCS1v1_5) else { return nil }
    return "\(input).\(Base64URL.encode(Array(signature.rawRepresentation)))"
  }
}
#endif
