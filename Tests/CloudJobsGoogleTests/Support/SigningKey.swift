#if Google
import CloudJobsCore
@testable import CloudJobsGoogle
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An RSA key for signing in tests.
struct SigningKey: Sendable {
  let id: String
  private let key: _RSA.Signing.PrivateKey

  /// The key that the issuer publishes in most tests.
  static let issuer = SigningKey("key-1")
  /// The issuer's next key.
  static let next = SigningKey("key-2")
  /// An attacker's key.
  static let stranger = SigningKey("key-1")

  init(_ id: String) {
    self.id = id
    do { key = try _RSA.Signing.PrivateKey(keySize: .bits2048) } catch { preconditionFailure("no key: \(error)") }
  }

  /// The key in PEM, as in a key file.
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

  /// Returns the signature of some text.
  func signature(_ text: String, padding: _RSA.Signing.Padding = .insecurePKCS1v1_5) -> [UInt8] {
    do {
      return Array(try key.signature(for: Data(text.utf8), padding: padding).rawRepresentation)
    } catch {
      preconditionFailure("no signature: \(error)")
    }
  }

  /// Returns whether a signature is this key's.
  func verifies(_ signature: [UInt8], of text: some StringProtocol) -> Bool {
    key.publicKey.isValidSignature(
      .init(rawRepresentation: Data(signature)), for: Data(text.utf8), padding: .insecurePKCS1v1_5)
  }

  /// Returns a JWKS document with some keys.
  static func document(_ keys: [SigningKey]) -> String {
    JSONValue.object(["keys": .array(keys.map(\.published))]).text
  }
}

/// The contents of credential files, as written by Google and gcloud.
enum KeyFile {
  /// Returns a service account's key file.
  static func serviceAccount(key: String = SigningKey.issuer.pem) -> JSONValue {
    [
      "type": "service_account", "project_id": "key-project", "private_key_id": "key-1",
      "private_key": .string(key), "client_email": "robot@p.iam.gserviceaccount.com", "client_id": "1",
      "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
      "universe_domain": "googleapis.com",
    ]
  }

  /// The file that gcloud writes for a user.
  static let authorizedUser: JSONValue = [
    "type": "authorized_user", "client_id": "id.apps.googleusercontent.com", "client_secret": "SECRET-client",
    "refresh_token": "SECRET-refresh", "quota_project_id": "quota-project", "account": "",
  ]
}

extension JSONValue {
  /// Returns the object with one member set.
  func with(_ name: String, _ value: JSONValue) -> JSONValue {
    var members = object ?? [:]
    members[name] = value
    return .object(members)
  }

  /// Returns the object without a member.
  func without(_ name: String) -> JSONValue {
    var members = object ?? [:]
    members[name] = nil
    return .object(members)
  }
}
#endif
