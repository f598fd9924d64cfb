import CloudJobsCore

extension CloudTasks {
  /// When a failed task is tried again, and when it is given up.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>.
  public struct RetryConfig: Hashable, Sendable, Codable {
    /// Attempts in all, the first one included; -1 for no limit.
    public var maxAttempts: Int
    /// How long to try, from the first attempt; zero for no limit.
    public var maxRetryDuration: Duration
    /// The waiting times.
    public var backoff: BackoffPolicy

    /// A configuration; nil (and zero, except for the duration) means the default: 100 attempts, 0 s, 0.1 s to 3,600 s,
    /// 16 doublings.
    public init(
      maxAttempts: Int? = nil, maxRetryDuration: Duration? = nil, minBackoff: Duration? = nil,
      maxBackoff: Duration? = nil, maxDoublings: Int? = nil
    ) {
      self.maxAttempts = maxAttempts.flatMap { $0 == 0 ? nil : $0 } ?? 100
      self.maxRetryDuration = maxRetryDuration ?? .zero
      backoff = BackoffPolicy(
        minimum: minBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .milliseconds(100),
        maximum: maxBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .seconds(3_600),
        doublings: maxDoublings.flatMap { $0 == 0 ? nil : $0 } ?? 16)
    }

    /// Why a task that failed is given up now, or nil where it is tried again.
    ///
    /// Both limits must be reached. A limit that is switched off does not count, and with neither a task is tried until
    /// its retention ends.
    ///
    /// - Parameters:
    ///   - attempts: how many attempts were dispatched.
    ///   - elapsed: the time since the first of them was dispatched.
    /// - Returns: the limits that decide, in words.
    public func reasonToGiveUp(attempts: Int, elapsed: Duration) -> String? {
      let hasDuration = maxRetryDuration > .zero
      guard maxAttempts != -1 || hasDuration else { return nil }
      guard maxAttempts == -1 || attempts >= maxAttempts else { return nil }
      guard !hasDuration || elapsed >= maxRetryDuration else { return nil }
      var limits: [String] = []
      if maxAttempts != -1 { limits.append("maxAttempts \(maxAttempts)") }
      if hasDuration { limits.append("maxRetryDuration \(maxRetryDuration)") }
      return limits.joined(separator: " and ") + " reached"
    }

    func validate() throws(ServiceFault) {
      guard maxAttempts >= -1 else {
        throw .invalidArgument("RetryConfig.maxAttempts must be greater or equal to -1.")
      }
      guard maxRetryDuration >= .zero else {
        throw .invalidArgument("RetryConfig.maxRetryDuration cannot be negative.")
      }
      guard backoff.minimum >= .zero else { throw .invalidArgument("RetryConfig.minBackoff cannot be negative.") }
      guard backoff.maximum >= .zero else { throw .invalidArgument("RetryConfig.maxBackoff cannot be negative.") }
      guard backoff.doublings >= 0 else { throw .invalidArgument("RetryConfig.maxDoublings cannot be negative.") }
      guard backoff.minimum <= backoff.maximum else {
        throw .invalidArgument("RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.")
      }
    }
  }
}
