#if HTTP
/// What `gcloud auth application-default login` stores; its secrets never show in a description.
struct AuthorizedUser: Sendable {
  /// The OAuth client that the user has allowed.
  var clientID: String
  /// That client's secret.
  var clientSecret: String
  /// What new tokens are asked for with.
  var refreshToken: String
  /// Where.
  var tokenURL: String
}

extension AuthorizedUser: CustomStringConvertible, CustomReflectable {
  /// Nothing of the secrets.
  var description: String { "authorized user" }
  /// Nothing of the secrets either.
  var customMirror: Mirror { Mirror(self, children: []) }
}
#endif
