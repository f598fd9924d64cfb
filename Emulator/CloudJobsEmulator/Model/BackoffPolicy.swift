import CloudJobsCore

/// The waiting times between attempts: doubling first, then linear, up to a maximum.
///
/// With 10 s, 300 s and 3 doublings: 10, 20, 40, 80, 160, 240, 300, 300, … seconds.
/// Source: `RetryConfig.maxDoublings`
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>).
public struct BackoffPolicy: Hashable, Sendable, Codable {
  /// The first waiting time.
  public var minimum: Duration
  /// The longest waiting time.
  public var maximum: Duration
  /// How often the waiting time doubles before it grows linearly.
  public var doublings: Int

  /// A policy from its three values.
  public init(minimum: Duration, maximum: Duration, doublings: Int) {
    self.minimum = minimum
    self.maximum = maximum
    self.doublings = doublings
  }

  /// The waiting time before a retry.
  ///
  /// - Parameter number: which retry, from 1.
  /// - Returns: the time from the failure to the retry.
  public func delay(beforeRetry number: Int) -> Duration {
    let steps = max(1, number)
    let doubled = min(steps - 1, doublings)
    let factor = steps - doublings <= 1 ? 1 : Int64(steps - doublings)
    let base = minimum.microseconds.saturatingMultiplication(by: doubled < 62 ? 1 << Int64(doubled) : .max)
    return min(maximum, .microseconds(base.saturatingMultiplication(by: factor)))
  }
}
