/// Why an attempt failed, as it is kept with the run.
public struct RunFailure: Hashable, Sendable {
  /// What kind: the error's type, or `timeout`, `leaseLost`, `invalidInput`.
  public var kind: String
  /// What happened, as the handler told it.
  public var message: String

  /// The longest message that is kept, in characters.
  public static let maximumMessage = 2_000

  /// A failure; a longer message is cut.
  public init(kind: String, message: String) {
    self.kind = kind
    self.message = message.count > Self.maximumMessage ? String(message.prefix(Self.maximumMessage)) + "…" : message
  }
}
