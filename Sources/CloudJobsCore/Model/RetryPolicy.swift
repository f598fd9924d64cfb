/// When a failed attempt is tried again, and when no more.
///
/// A run is given up when it has used `maxAttempts` **and** `minimumDuration` has passed since its first attempt: the
/// rule of Cloud Tasks (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>),
/// where a duration of zero sets no bound.
public struct RetryPolicy: Hashable, Sendable {
  /// How the delay grows from attempt to attempt; n counts the failed attempts from 1.
  public enum Backoff: Hashable, Sendable {
    /// Always the same delay.
    case fixed(Duration)
    /// n times the delay.
    case linear(Duration)
    /// The delay, doubled with each further attempt.
    case exponential(Duration)
    /// The delay, doubled `maxDoublings` times and then growing linearly, as Cloud Tasks and Cloud Scheduler do.
    case cloudTasks(Duration, maxDoublings: Int)
  }

  /// What part of the delay is drawn by chance, so that what failed together is not tried again together.
  public enum Jitter: String, Hashable, Sendable, CaseIterable {
    /// None for a fixed delay, and ``half`` for one that grows.
    case automatic
    /// None: the delay itself.
    case none
    /// From half of the delay to the whole.
    case half
    /// From nothing to the whole delay.
    case full
  }

  /// The attempts in all, the first included; at least 1.
  public var maxAttempts: Int
  /// How the delay grows.
  public var backoff: Backoff
  /// What part of the delay is drawn by chance.
  public var jitter: Jitter
  /// The longest delay.
  public var maxDelay: Duration
  /// How long a run is tried at least, even when its attempts are used up; zero for no such bound.
  public var minimumDuration: Duration

  /// A policy; attempts below 1 count as 1, and durations below zero as zero.
  ///
  /// - Parameters:
  ///   - maxAttempts: the attempts in all, the first included.
  ///   - backoff: how the delay grows.
  ///   - jitter: what part of the delay is drawn by chance.
  ///   - maxDelay: the longest delay.
  ///   - minimumDuration: how long a run is tried at least; zero for no such bound.
  public init(
    maxAttempts: Int, backoff: Backoff = .exponential(.seconds(10)), jitter: Jitter = .automatic,
    maxDelay: Duration = .hours(1), minimumDuration: Duration = .zero
  ) {
    self.maxAttempts = max(1, maxAttempts)
    self.backoff = backoff
    self.jitter = jitter
    self.maxDelay = max(.zero, maxDelay)
    self.minimumDuration = max(.zero, minimumDuration)
  }

  /// Three attempts, 10 and 20 seconds apart, less up to half by chance.
  public static let standard = RetryPolicy(maxAttempts: 3)
  /// One attempt.
  public static let never = RetryPolicy(maxAttempts: 1)

  /// The policy of a Cloud Tasks queue, without jitter.
  public static func cloudTasks(
    maxAttempts: Int = 100, maxRetryDuration: Duration = .zero, minBackoff: Duration = .milliseconds(100),
    maxBackoff: Duration = .hours(1), maxDoublings: Int = 16
  ) -> RetryPolicy {
    RetryPolicy(
      maxAttempts: maxAttempts, backoff: .cloudTasks(minBackoff, maxDoublings: maxDoublings), jitter: .none,
      maxDelay: maxBackoff, minimumDuration: maxRetryDuration)
  }

  /// The delay after the nth failed attempt, before jitter.
  ///
  /// - Parameter failures: the failed attempts so far, from 1.
  /// - Returns: zero to ``maxDelay``.
  public func delay(afterFailures failures: Int) -> Duration {
    let count = Int64(max(1, failures))
    let microseconds: Int64 =
      switch backoff {
      case .fixed(let delay): delay.microseconds
      case .linear(let delay): delay.microseconds.saturatingMultiplication(by: count)
      case .exponential(let delay): Self.doubled(delay.microseconds, times: count - 1)
      case .cloudTasks(let delay, let maxDoublings):
        Self.doubledThenLinear(delay.microseconds, count: count, doublings: Int64(min(max(0, maxDoublings), 62)))
      }
    return .microseconds(max(0, min(microseconds, maxDelay.microseconds)))
  }

  /// The delay after the nth failed attempt with its jitter.
  ///
  /// - Parameters:
  ///   - failures: the failed attempts so far, from 1.
  ///   - random: where the jitter is drawn from.
  /// - Returns: zero to ``maxDelay``.
  public func delay(afterFailures failures: Int, random: inout some RandomNumberGenerator) -> Duration {
    let whole = delay(afterFailures: failures).microseconds
    switch effectiveJitter {
    case .none: return .microseconds(whole)
    case .half, .automatic: return .microseconds(whole - Int64.random(in: 0...(whole / 2), using: &random))
    case .full: return .microseconds(Int64.random(in: 0...whole, using: &random))
    }
  }

  /// A fixed delay is what it says; those that grow spread out what failed together.
  private var effectiveJitter: Jitter {
    guard jitter == .automatic else { return jitter }
    return if case .fixed = backoff { .none } else { .half }
  }

  private static func doubledThenLinear(_ delay: Int64, count: Int64, doublings: Int64) -> Int64 {
    if count <= doublings + 1 { return doubled(delay, times: count - 1) }
    return doubled(delay, times: doublings).saturatingMultiplication(by: count - doublings)
  }

  private static func doubled(_ value: Int64, times: Int64) -> Int64 {
    times >= 62 ? (value > 0 ? .max : 0) : value.saturatingMultiplication(by: 1 << max(0, times))
  }
}
