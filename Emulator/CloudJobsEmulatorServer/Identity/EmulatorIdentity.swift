#if Google
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Synchronization

/// The identity that signs the tokens of deliveries and publishes its key as Google does.
///
/// Anyone who can reach the emulator can obtain a token for any account: nothing in production may trust its key.
final class EmulatorIdentity: Sendable {
  private struct Held {
    var key: SigningKey
    var isKept: Bool
  }

  private let held = Mutex<Held?>(nil)
  private let issuer: String?
  private let origin: EmulatorOrigin

  /// Creates an identity without a key.
  ///
  /// - Parameters:
  ///   - issuer: the `iss` claim of tokens; nil for the emulator's own origin.
  ///   - origin: the emulator's origin.
  init(issuer: String?, origin: EmulatorOrigin) {
    self.issuer = issuer
    self.origin = origin
  }

  /// Loads the key of a data folder, or generates one without a folder.
  ///
  /// - Throws: ``JobError`` if the folder's key cannot be read or created.
  func takeKey(from folder: DataFolder?) throws(JobError) {
    let key = if let folder { try SigningKey.kept(in: folder) } else { try SigningKey() }
    held.withLock { $0 = Held(key: key, isKept: folder != nil) }
  }

  /// Returns the `Authorization` header of a delivery, or nil without a key or if signing fails.
  func header(for authorization: TargetAuthorization, url: String, at now: Timestamp) -> String? {
    switch authorization.resolved(for: url) {
    case .oauth(let email, let scope): return "Bearer \(TokenClaims.opaque(email: email, scope: scope ?? ""))"
    case .oidc(let email, let audience):
      let claims = TokenClaims.openID(
        issuer: issuer ?? origin.value, audience: audience ?? url, email: email, at: now)
      return held.withLock { $0?.key }?.sign(claims).map { "Bearer \($0)" }
    }
  }

  /// Returns the document at a path, or nil if there is none.
  ///
  /// - Parameter path: the parts of `oauth2/v3/certs` or `.well-known/openid-configuration`.
  /// - Returns: the document with its `Cache-Control` header.
  func document(at path: [String]) -> RESTResponse? {
    guard let held = held.withLock({ $0 }) else { return nil }
    let body: JSONValue
    switch path {
    case ["oauth2", "v3", "certs"]: body = held.key.document
    case [".well-known", "openid-configuration"]:
      body = TokenClaims.discovery(issuer: issuer ?? origin.value, origin: origin.value)
    default: return nil
    }
    return RESTResponse(body, headers: [TokenClaims.cacheControl(isKeyKept: held.isKept)])
  }
}
#endif
