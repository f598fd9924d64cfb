#if Google
import CloudJobsCore

/// The contents of credential files, as Google and gcloud write them.
enum KeyFile {
  /// A service account's key file.
  static func serviceAccount(key: String = SigningKey.issuer.pem) -> JSONValue {
    [
      "type": "service_account", "project_id": "key-project", "private_key_id": "key-1",
      "private_key": .string(key), "client_email": "robot@p.iam.gserviceaccount.com", "client_id": "1",
      "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
      "universe_domain": "googleapis.com",
    ]
  }

  /// What gcloud stores for a user.
  static let authorizedUser: JSONValue = [
    "type": "authorized_user", "client_id": "id.apps.googleusercontent.com", "client_secret": "SECRET-client",
    "refresh_token": "SECRET-refresh", "quota_project_id": "quota-project", "account": "",
  ]
}

extension JSONValue {
  /// The object with one member set.
  func with(_ name: String, _ value: JSONValue) -> JSONValue {
    var members = object ?? [:]
    members[name] = value
    return .object(members)
  }

  /// The object without a member.
  func without(_ name: String) -> JSONValue {
    var members = object ?? [:]
    members[name] = nil
    return .object(members)
  }
}
#endif
