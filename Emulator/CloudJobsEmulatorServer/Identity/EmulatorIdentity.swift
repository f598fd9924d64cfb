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

  /// A token that was made for a delivery.
  struct Issued: Sendable {
    /// The time.
    var time: Timestamp
    /// The URL of the delivery.
    var url: String
    /// The claims; for an OAuth token, the account and the scope.
    var claims: JSONValue
  }

  /// The number of tokens that are remembered.
  static let issuedLimit = 20

  private let held = Mutex<Held?>(nil)
  private let recent = Mutex<[Issued]>([])
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
    case .oauth(let email, let scope):
      remember(Issued(time: now, url: url, claims: ["email": .string(email), "scope": .string(scope ?? "")]))
      return "Bearer \(TokenClaims.opaque(email: email, scope: scope ?? ""))"
    case .oidc(let email, let audience):
      let claims = TokenClaims.openID(
        issuer: issuerName, audience: audience ?? url, email: email, at: now)
      remember(Issued(time: now, url: url, claims: claims))
      return sign(claims).map { "Bearer \($0)" }
    }
  }

  /// The `iss` claim of tokens.
  var issuerName: String { issuer ?? origin.value }

  /// The latest tokens of deliveries, newest first.
  var issued: [Issued] { recent.withLock { $0 }.reversed() }

  /// Returns a token as a delivery carries it; nil without a key or if signing fails.
  ///
  /// - Parameters:
  ///   - audience: the `aud` claim.
  ///   - email: the account.
  ///   - time: the time from which it is valid for an hour.
  /// - Returns: the token.
  func token(audience: String, email: String, at time: Timestamp) -> String? {
    sign(TokenClaims.openID(issuer: issuerName, audience: audience, email: email, at: time))
  }

  private func sign(_ claims: JSONValue) -> String? { held.withLock { $0?.key }?.sign(claims) }

  private func remember(_ issued: Issued) {
    recent.withLock { recent in
      if recent.count == Self.issuedLimit { recent.removeFirst() }
      recent.append(issued)
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
      body = TokenClaims.discovery(issuer: issuerName, origin: origin.value)
    default: return nil
    }
    return RESTResponse(body, headers: [TokenClaims.cacheControl(isKeyKept: held.isKept)])
  }
}
#endif
