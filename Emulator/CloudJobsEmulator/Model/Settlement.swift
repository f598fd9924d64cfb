public import CloudJobsCore

/// What became of a task or a job's execution when an attempt, or its life, ended.
public struct Settlement: Hashable, Sendable {
  /// What follows.
  public enum Verdict: Hashable, Sendable {
    /// Done.
    case succeeded
    /// Another attempt comes at a time.
    case retry(at: Timestamp)
    /// Given up; with the rule that decided.
    case abandoned(String)
    /// The answer came too late to matter; with what happened before.
    case ignored(String)
  }

  /// The attempt, or nil where the subject ended without one.
  public var id: DispatchID?
  /// The full name of the task or job.
  public var subject: String
  /// How many attempts have been dispatched.
  public var attempt: Int
  /// How the attempt ended, or nil where there was none.
  public var outcome: DispatchOutcome?
  /// What follows.
  public var verdict: Verdict
}

extension Settlement: CustomStringConvertible {
  /// The settlement in one line.
  public var description: String {
    let result = outcome.map { "\($0)" } ?? "no attempt"
    return switch verdict {
    case .succeeded: "\(subject) attempt \(attempt): \(result), done"
    case .retry(let time): "\(subject) attempt \(attempt): \(result), retry at \(time)"
    case .abandoned(let rule): "\(subject) attempt \(attempt): \(result), given up: \(rule)"
    case .ignored(let why): "\(subject) attempt \(attempt): \(result), ignored: \(why)"
    }
  }
}
