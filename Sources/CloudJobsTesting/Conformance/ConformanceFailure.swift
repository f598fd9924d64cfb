import CloudJobsCore

/// What a store did in place of what it must do.
public struct ConformanceFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was looked at.
  public var subject: String
  /// What it must be.
  public var expected: String
  /// What it was.
  public var found: String

  /// A failure.
  public init(_ subject: String, expected: String, found: String) {
    self.subject = subject
    self.expected = expected
    self.found = found
  }

  /// All three as one sentence.
  public var description: String { "\(subject): expected \(expected), found \(found)" }
}

extension ConformanceFailure {
  /// The longest value that a failure shows; payloads in this suite may have a megabyte.
  private static let maximumText = 1_000

  /// Throws where two values differ.
  static func expect<Value: Equatable>(_ found: Value, _ expected: Value, _ subject: String) throws(ConformanceFailure)
  {
    if found != expected { throw ConformanceFailure(subject, expected: text(expected), found: text(found)) }
  }

  /// Throws where something does not hold.
  static func expect(_ holds: Bool, _ subject: String) throws(ConformanceFailure) {
    if !holds { throw ConformanceFailure(subject, expected: "true", found: "false") }
  }

  /// The value, or a failure where there is none.
  static func unwrap<Value>(_ value: Value?, _ subject: String) throws(ConformanceFailure) -> Value {
    guard let value else { throw ConformanceFailure(subject, expected: "a value", found: "none") }
    return value
  }

  private static func text(_ value: some Any) -> String {
    String(describing: value).cut(to: maximumText)
  }
}
