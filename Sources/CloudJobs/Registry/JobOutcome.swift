/// How a handler ends an attempt that did not fail; failures are thrown.
public enum JobOutcome<Output: Sendable>: Sendable {
  /// The work is done, with its result.
  case done(Output)
  /// Call again after a while; this counts as no failure.
  case snooze(Duration)
  /// There is nothing to do, or the run must not go on.
  case cancel(reason: String)
}

/// The result of a job that has none.
public struct NoOutput: Codable, Hashable, Sendable {
  /// Nothing.
  public init() {}
}

/// The input of a job that takes none.
public struct NoInput: Codable, Hashable, Sendable {
  /// Nothing.
  public init() {}

  /// Takes any payload and ignores it.
  public init(from decoder: any Decoder) throws {}
}

extension JobOutcome where Output == NoOutput {
  /// The work is done.
  public static var done: JobOutcome<NoOutput> { .done(NoOutput()) }
}
