import CloudJobsCore

extension CloudScheduler {
  /// When a failed execution is tried again, and when it is given up.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#RetryConfig>.
  public struct RetryConfig: Hashable, Sendable, Codable {
    /// How often to try again, 0 to 5.
    public var retryCount: Int
    /// How long to try, from the first attempt; zero for no limit.
    public var maxRetryDuration: Duration
    /// The waiting times.
    public var backoff: BackoffPolicy

    /// A configuration; nil (and zero, except for the first two) means the default: no retry, 0 s, 5 s to 1 h,
    /// 5 doublings.
    public init(
      retryCount: Int? = nil, maxRetryDuration: Duration? = nil, minBackoff: Duration? = nil,
      maxBackoff: Duration? = nil, maxDoublings: Int? = nil
    ) {
      self.retryCount = retryCount ?? 0
      self.maxRetryDuration = maxRetryDuration ?? .zero
      backoff = BackoffPolicy(
        minimum: minBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .seconds(5),
        maximum: maxBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .seconds(3_600),
        doublings: maxDoublings.flatMap { $0 == 0 ? nil : $0 } ?? 5)
    }

    /// Why an execution that failed is given up now, or nil where it is tried again: both limits must be reached.
    ///
    /// - Parameters:
    ///   - attempts: how many attempts the execution has made.
    ///   - elapsed: the time since the first of them.
    /// - Returns: the limits that decide, in words.
    public func reasonToGiveUp(attempts: Int, elapsed: Duration) -> String? {
      guard attempts > retryCount else { return nil }
      guard maxRetryDuration <= .zero || elapsed >= maxRetryDuration else { return nil }
      let duration = maxRetryDuration > .zero ? " and maxRetryDuration \(maxRetryDuration)" : ""
      return "retryCount \(retryCount)\(duration) reached"
    }

    func validate() throws(ServiceFault) {
      guard (0...5).contains(retryCount) else {
        throw .invalidArgument("RetryConfig.retryCount must be between 0 and 5.")
      }
      guard maxRetryDuration >= .zero else {
        throw .invalidArgument("RetryConfig.maxRetryDuration cannot be negative.")
      }
      guard backoff.minimum >= .zero, backoff.maximum >= .zero else {
        throw .invalidArgument("RetryConfig.minBackoffDuration and maxBackoffDuration cannot be negative.")
      }
      guard backoff.doublings >= 0 else { throw .invalidArgument("RetryConfig.maxDoublings cannot be negative.") }
      guard backoff.minimum <= backoff.maximum else {
        throw .invalidArgument(
          "RetryConfig.minBackoffDuration must be less than or equal to RetryConfig.maxBackoffDuration.")
      }
    }
  }
}
