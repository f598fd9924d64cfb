/// The values of a job's policy that neither its code nor its document sets, for all jobs of a runtime.
public struct JobDefaults: Hashable, Sendable {
  /// The time limit of one attempt.
  public var timeout = Duration.minutes(5)
  /// The retry policy for failed attempts.
  public var retry = RetryPolicy.standard
  /// The time for which a run's record is kept after the run has ended.
  public var retention = Retention.standard
  /// The queue of runs; nil means the service's own.
  public var queue: String?

  /// Creates the standard values: 5 minutes, 3 attempts, 90 days, and the service's own queue.
  public init() {}
}
