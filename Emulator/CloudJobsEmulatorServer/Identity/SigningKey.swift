#if Google
import CloudJobsCore
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An RSA key that signs tokens, with the JWKS document that verifies them.
struct SigningKey: Sendable {
  /// The file of a data folder that has the key.
  static let fileName = "signing-key.pem"
  private let key: _RSA.Signing.PrivateKey
  /// The key's name in tokens and in the document.
  let id: String
  /// The JWKS document.
  let document: JSONValue

  /// A new key.
  ///
  /// - Throws: ``JobError`` where the machine can't make one.
  init() throws(JobError) {
    do {
      try self.init(_RSA.Signing.PrivateKey(keySize: .bits2048))
    } catch {
      throw JobError(.storeUnavailable, "No key to sign tokens with could be made: \(error). Start again.")
    }
  }

  /// A key from its PEM text.
  ///
  /// - Throws: what the text is refused with.
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
          "n": .string(Self.base64URL(Array(numbers.modulus))),
          "e": .string(Self.base64URL(Array(numbers.publicExponent))),
        ]
      ]
    ]
  }

  /// The key of a data folder, which is made where there is none.
  ///
  /// - Throws: ``JobError`` `invalidField` for a file that is no key, `storeUnavailable` where the folder fails.
  static func kept(in folder: some FolderFiles) throws(JobError) -> SigningKey {
    guard try folder.names().contains(fileName) else {
      let key = try SigningKey()
      try folder.create(fileName, Array(key.pem.utf8))
      return key
    }
    guard let key = try? SigningKey(pem: folder.contents(fileName)) else {
      throw JobError(
        .invalidField,
        "\(fileName) is no RSA private key of 2,048 bits or more in PEM form. Put the key back, or remove the file: "
          + "a new key is made, and verifiers that know the old one refuse its tokens until they fetch again.",
        field: "--data")
    }
    return key
  }

  /// The private key's PEM text.
  var pem: String { key.pemRepresentation + "\n" }

  /// A signed token; nil where the key can't sign.
  func sign(_ claims: JSONValue) -> String? {
    let header: JSONValue = ["alg": "RS256", "kid": .string(id), "typ": "JWT"]
    let input = "\(Self.base64URL(header.encoded)).\(Self.base64URL(claims.encoded))"
    guard let signature = try? key.signature(for: Data(input.utf8), padding: .insecurePKCS1v1_5) else { return nil }
    return "\(input).\(Self.base64URL(Array(signature.rawRepresentation)))"
  }

  private static func base64URL(_ bytes: [UInt8]) -> String {
    Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
#endif
