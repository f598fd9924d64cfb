#if HTTP
/// A service account's key file, whose key never shows in a description.
struct ServiceAccountKey: Sendable {
  /// The account's address.
  var email: String
  /// Which of the account's keys this is.
  var keyID: String?
  /// The RSA key in PEM.
  var privateKey: String
  /// Where a signed grant is exchanged for a token.
  var tokenURL: String
  /// The project that the account belongs to.
  var projectID: String?
}

extension ServiceAccountKey: CustomStringConvertible, CustomReflectable {
  /// The account, and nothing of the key.
  var description: String { "service account \(email)" }
  /// Nothing of the key either.
  var customMirror: Mirror { Mirror(self, children: ["email": email]) }
}
#endif
