#if HTTP
import CloudJobsCore

/// The content of a credential file: the identity and the billed project.
struct CredentialFile: Sendable {
  /// The supported kinds of credentials.
  enum Identity: Sendable {
    case serviceAccount(ServiceAccountKey)
    case authorizedUser(AuthorizedUser)
  }

  /// The identity.
  var identity: Identity
  /// The project that calls are billed to, if it is not the identity's own.
  var quotaProject: String?

  /// Google's token endpoint.
  ///
  /// Source: <https://developers.google.com/identity/protocols/oauth2/service-account>.
  static let googleTokenURL = "https://oauth2.googleapis.com/token"

  /// Parses a file's content.
  ///
  /// - Parameters:
  ///   - bytes: the content, JSON in UTF-8.
  ///   - place: the file's name in errors, such as `GOOGLE_APPLICATION_CREDENTIALS (/keys/k.json)`.
  /// - Throws: ``JobError`` `invalidCredentials`, with the place and the field but never a value.
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
        throw Self.fault(place, "has a private_key that is not PEM; download the key again")
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
        "has an unsupported type; use a file of type service_account or authorized_user, "
          + "or run where a metadata server issues tokens")
    }
  }

  /// Returns the token endpoint, which must use TLS or be on this machine.
  private static func tokenURL(_ reader: CredentialFields) throws(JobError) -> String {
    let url = try reader.optional("token_uri") ?? googleTokenURL
    let isLocal = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].contains { url.hasPrefix($0) }
    guard url.hasPrefix("https://") || isLocal else {
      throw fault(reader.place, "has a token_uri without https, to which no key is sent: correct it")
    }
    return url
  }

  static func fault(_ place: String, _ what: String) -> JobError {
    JobError(.invalidCredentials, "\(place) \(what).")
  }
}

/// A service account's key file; descriptions never contain the key.
struct ServiceAccountKey: Sendable {
  /// The account's email address.
  var email: String
  /// The id of the key.
  var keyID: String?
  /// The RSA private key in PEM.
  var privateKey: String
  /// The URL at which a signed grant is exchanged for a token.
  var tokenURL: String
  /// The account's project.
  var projectID: String?
}

extension ServiceAccountKey: CustomStringConvertible, CustomReflectable {
  /// The account, without the key.
  var description: String { "service account \(email)" }
  /// A mirror without the key.
  var customMirror: Mirror { Mirror(self, children: ["email": email]) }
}

/// The credentials that `gcloud auth application-default login` writes; descriptions never contain the secrets.
struct AuthorizedUser: Sendable {
  /// The id of the OAuth client.
  var clientID: String
  /// The OAuth client's secret.
  var clientSecret: String
  /// The refresh token.
  var refreshToken: String
  /// The URL of the token endpoint.
  var tokenURL: String
}

extension AuthorizedUser: CustomStringConvertible, CustomReflectable {
  /// A description without the secrets.
  var description: String { "authorized user" }
  /// A mirror without the secrets.
  var customMirror: Mirror { Mirror(self, children: []) }
}

/// A reader of a credential file's text fields, whose errors name the field and never its value.
struct CredentialFields {
  let members: [String: JSONValue]
  /// The file's name in errors.
  let place: String

  /// Returns a required field.
  func required(_ name: String) throws(JobError) -> String {
    guard let text = try optional(name) else {
      throw CredentialFile.fault(place, "lacks the field \(name); download the file again")
    }
    return text
  }

  /// Returns an optional field; an empty one counts as missing.
  func optional(_ name: String) throws(JobError) -> String? {
    switch members[name] {
    case nil, .null: return nil
    case .string(let text): return text.isEmpty ? nil : text
    default: throw CredentialFile.fault(place, "has a field \(name) that is not a string; download the file again")
    }
  }
}
#endif
