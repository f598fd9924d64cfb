/// The token that a target asks the service to attach.
public enum TargetAuthorization: Hashable, Sendable, Codable {
  /// An OpenID Connect token; an absent audience means the target's URL.
  case oidc(serviceAccountEmail: String, audience: String?)
  /// An OAuth token; an absent scope means `https://www.googleapis.com/auth/cloud-platform`.
  case oauth(serviceAccountEmail: String, scope: String?)

  /// The authorization with its defaults filled in for a target.
  public func resolved(for url: String) -> TargetAuthorization {
    switch self {
    case .oidc(let email, let audience): .oidc(serviceAccountEmail: email, audience: audience ?? url)
    case .oauth(let email, let scope):
      .oauth(serviceAccountEmail: email, scope: scope ?? "https://www.googleapis.com/auth/cloud-platform")
    }
  }
}
