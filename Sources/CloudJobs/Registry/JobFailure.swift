/// A failure that says how it wants to be treated; any other error that a handler throws is retried by the policy.
public struct JobFailure: Error, Hashable, Sendable {
  /// What happened.
  public var message: String
  /// What kind of failure it is, for statistics and filters.
  public var kind: String
  /// Whether trying again is of no use.
  public var isPermanent: Bool
  /// When to try again, in place of the policy's delay.
  public var retryAfter: Duration?

  private init(_ message: String, kind: String, isPermanent: Bool, retryAfter: Duration?) {
    self.message = message
    self.kind = kind
    self.isPermanent = isPermanent
    self.retryAfter = retryAfter
  }

  /// A failure that no further attempt can mend: the run becomes a dead letter at once.
  public static func permanent(_ message: String, kind: String = "permanent") -> JobFailure {
    JobFailure(message, kind: kind, isPermanent: true, retryAfter: nil)
  }

  /// A failure after which the next attempt, if the policy allows one, waits for a given time.
  public static func retry(after delay: Duration, _ message: String, kind: String = "retry") -> JobFailure {
    JobFailure(message, kind: kind, isPermanent: false, retryAfter: delay)
  }

  /// A failure that the policy decides about.
  public static func failed(_ message: String, kind: String = "failure") -> JobFailure {
    JobFailure(message, kind: kind, isPermanent: false, retryAfter: nil)
  }
}
