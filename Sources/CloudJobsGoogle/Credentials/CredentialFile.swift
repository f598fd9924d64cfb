#if HTTP
import CloudJobsCore

/// A credential file's content: who is to be authenticated, and which project pays.
struct CredentialFile: Sendable {
  /// The two kinds that are understood.
  enum Identity: Sendable {
    case serviceAccount(ServiceAccountKey)
    case authorizedUser(AuthorizedUser)
  }

  /// Who.
  var identity: Identity
  /// The project that calls are counted against, where it is not the identity's own.
  var quotaProject: String?

  /// Google's endpoint for exchanging grants.
  ///
  /// Source: <https://developers.google.com/identity/protocols/oauth2/service-account>.
  static let googleTokenURL = "https://oauth2.googleapis.com/token"

  /// Reads a file's content.
  ///
  /// - Parameters:
  ///   - bytes: the content: JSON in UTF-8.
  ///   - place: what to call the file in an error, such as `GOOGLE_APPLICATION_CREDENTIALS (/keys/k.json)`.
  /// - Throws: ``JobError`` `invalidCredentials`, which names the place and the field, and never a value.
  init(parsing bytes: [UInt8], from place: String) throws(JobError) {
    let limits = JSONLimits(bytes: CredentialEnvironment.maximumFileBytes, depth: 8)
    guard let value = try? JSONValue(parsing: bytes, limits: limits), let members = value.object else {
      throw Self.fault(place, "is not a JSON object; download the file again")
    }
    let reader = CredentialFields(members: members, place: place)
    quotaProject = try reader.optional("quota_project_id")
    switch try reader.required("type") {
    case "service_account":
      let key = try reader.required("private_key")
      guard key.contains("-----BEGIN ") else {
        throw Self.fault(place, "has a private_key that is no PEM text; download the key again")
      }
      identity = .serviceAccount(
        ServiceAccountKey(
          email: try reader.required("client_email"), keyID: try reader.optional("private_key_id"), privateKey: key,
          tokenURL: try Self.tokenURL(reader), projectID: try reader.optional("project_id")))
    case "authorized_user":
      identity = .authorizedUser(
        AuthorizedUser(
          clientID: try reader.required("client_id"), clientSecret: try reader.required("client_secret"),
          refreshToken: try reader.required("refresh_token"), tokenURL: try Self.tokenURL(reader)))
    default:
      throw Self.fault(
        place,
        "has a type other than service_account and authorized_user; use a file of one of these, "
          + "or run where a metadata server gives tokens")
    }
  }

  /// The endpoint for tokens: over TLS, or on this machine.
  private static func tokenURL(_ reader: CredentialFields) throws(JobError) -> String {
    let url = try reader.optional("token_uri") ?? googleTokenURL
    let isLocal = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].contains { url.hasPrefix($0) }
    guard url.hasPrefix("https://") || isLocal else {
      throw fault(reader.place, "has a token_uri without https; a key is not sent there: correct it")
    }
    return url
  }

  static func fault(_ place: String, _ what: String) -> JobError {
    JobError(.invalidCredentials, "\(place) \(what).")
  }
}
#endif
