#if Google
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// Signs the tokens of deliveries, and publishes its key as Google publishes its own.
///
/// Whoever reaches the emulator can have a token of any account: nothing in production may trust its key.
final class EmulatorIdentity: Sendable {
  private struct Held {
    var key: SigningKey
    var isKept: Bool
  }

  private let held = Mutex<Held?>(nil)
  private let issuer: String?
  private let origin: EmulatorOrigin

  /// An identity without a key.
  ///
  /// - Parameters:
  ///   - issuer: what tokens say as `iss`; nil for the emulator's own origin.
  ///   - origin: where the emulator is.
  init(issuer: String?, origin: EmulatorOrigin) {
    self.issuer = issuer
    self.origin = origin
  }

  /// Takes the key of a data folder, or a new one where there is no folder.
  ///
  /// - Throws: ``JobError`` where the folder's key can't be read or made.
  func takeKey(from folder: DataFolder?) throws(JobError) {
    let key = if let folder { try SigningKey.kept(in: folder) } else { try SigningKey() }
    held.withLock { $0 = Held(key: key, isKept: folder != nil) }
  }

  /// The value of a delivery's `Authorization` header; nil where there is no key, or it can't sign.
  func header(for authorization: TargetAuthorization, url: String, at now: Timestamp) -> String? {
    switch authorization.resolved(for: url) {
    case .oauth(let email, let scope): return "Bearer \(TokenClaims.opaque(email: email, scope: scope ?? ""))"
    case .oidc(let email, let audience):
      let claims = TokenClaims.openID(
        issuer: issuer ?? origin.value, audience: audience ?? url, email: email, at: now)
      return held.withLock { $0?.key }?.sign(claims).map { "Bearer \($0)" }
    }
  }

  /// The document at a path; nil where there is none.
  ///
  /// - Parameter path: `oauth2/v3/certs` or `.well-known/openid-configuration`, in parts.
  /// - Returns: the document, with the time that it may be kept for.
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
