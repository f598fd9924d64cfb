import CloudJobsCore

/// The delays between attempts, which first double, then grow linearly, up to a maximum.
///
/// With 10 s, 300 s and 3 doublings: 10, 20, 40, 80, 160, 240, 300, 300, … seconds.
/// Source: `RetryConfig.maxDoublings`
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>).
package struct BackoffPolicy: Hashable, Sendable, Codable {
  /// The first delay.
  package var minimum: Duration
  /// The longest delay.
  package var maximum: Duration
  /// The number of doublings before the delay grows linearly.
  package var doublings: Int

  /// Creates a policy.
  package init(minimum: Duration, maximum: Duration, doublings: Int) {
    self.minimum = minimum
    self.maximum = maximum
    self.doublings = doublings
  }

  /// Returns the delay before a retry.
  ///
  /// - Parameter number: the number of the retry, from 1.
  /// - Returns: the time from the failure to the retry.
  package func delay(beforeRetry number: Int) -> Duration {
    let steps = max(1, number)
    let doubled = min(steps - 1, doublings)
    let factor = steps - doublings <= 1 ? 1 : Int64(steps - doublings)
    let base = minimum.microseconds.saturatingMultiplication(by: doubled < 62 ? 1 << Int64(doubled) : .max)
    return min(maximum, .microseconds(base.saturatingMultiplication(by: factor)))
  }
}
