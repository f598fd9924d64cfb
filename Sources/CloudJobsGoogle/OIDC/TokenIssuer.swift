#if HTTP
/// Who signs the tokens that are accepted, and where its keys are published.
public struct TokenIssuer: Hashable, Sendable {
  /// The names that a token may give as `iss`.
  public let names: Set<String>
  /// The address of the keys, as a JWKS document.
  public let keysURL: String

  /// Google, the one issuer to trust in production.
  ///
  /// Source: <https://accounts.google.com/.well-known/openid-configuration>.
  public static let google = TokenIssuer(
    names: ["https://accounts.google.com", "accounts.google.com"],
    keysURL: "https://www.googleapis.com/oauth2/v3/certs")

  /// An emulator: whoever reaches it can have a token of any account, so it is for development and tests only.
  ///
  /// - Parameters:
  ///   - jwksURL: where it publishes its keys, such as `http://127.0.0.1:8085/oauth2/v3/certs`.
  ///   - name: what its tokens say as `iss`; nil for the origin of the URL.
  /// - Returns: the issuer.
  public static func emulator(jwksURL: String, name: String? = nil) -> TokenIssuer {
    TokenIssuer(names: [name ?? origin(of: jwksURL)], keysURL: jwksURL)
  }

  /// Scheme, host and port of a URL.
  static func origin(of url: String) -> String {
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    return parts.count < 3 ? url : "\(parts[0])//\(parts[2])"
  }
}
#endif
