#if HTTP
import CloudJobsCore

/// A token that authenticates calls for a while, and whose text never shows in a description.
struct AccessToken: Sendable {
  /// What stands behind `Bearer`.
  let value: String
  /// When it stops being good.
  let expiresAt: Timestamp

  /// A token from the answer of a token endpoint; nil where the answer has none that can stand in a header.
  ///
  /// Source: <https://www.rfc-editor.org/rfc/rfc6749#section-5.1>.
  ///
  /// - Parameters:
  ///   - answer: the JSON object of the answer.
  ///   - sentAt: when it was asked for, from which its life counts.
  init?(answer: JSONValue, sentAt: Timestamp) {
    guard let value = answer["access_token"]?.string, !value.isEmpty, value.utf8.count <= 16_384,
      value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let seconds = answer["expires_in"]?.integer, seconds > 0,
      answer["token_type"]?.string.map({ $0.lowercased() == "bearer" }) ?? true
    else { return nil }
    self.value = value
    expiresAt = sentAt + .seconds(min(seconds, 86_400))
  }
}

extension AccessToken: CustomStringConvertible, CustomReflectable {
  /// When it expires, and nothing of its text.
  var description: String { "access token until \(expiresAt)" }
  /// Nothing of its text either, so that a dump of what holds it shows none.
  var customMirror: Mirror { Mirror(self, children: ["expiresAt": expiresAt]) }
}
#endif
