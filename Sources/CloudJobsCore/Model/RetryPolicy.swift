/// The number and timing of retries after failed attempts.
///
/// A run fails permanently when it has used `maxAttempts` **and** `minimumDuration` has passed since its first attempt,
/// the rule of Cloud Tasks
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>). A duration of zero
/// sets no bound.
public struct RetryPolicy: Hashable, Sendable {
  /// The growth of the delay from attempt to attempt; n is the number of failed attempts, from 1.
  public enum Backoff: Hashable, Sendable {
    /// The same delay each time.
    case fixed(Duration)
    /// n times the delay.
    case linear(Duration)
    /// The delay, multiplied after each further failure: doubled, unless the multiplier says otherwise.
    ///
    /// A multiplier below 1 counts as 1.
    case exponential(Duration, multiplier: Double = 2)
    /// A delay of its own after each failure; the last one repeats. An empty list means no delay.
    case delays([Duration])
    /// The delay, doubled `maxDoublings` times and then growing linearly, as in Cloud Tasks and Cloud Scheduler.
    case cloudTasks(Duration, maxDoublings: Int)
  }

  /// The random part of the delay, which spreads out retries of runs that failed together.
  public enum Jitter: String, Hashable, Sendable, CaseIterable {
    /// ``none`` for fixed and listed delays, and ``half`` for growing ones.
    case automatic
    /// No random part.
    case none
    /// A random delay from half of the delay to the whole delay.
    case half
    /// A random delay from zero to the whole delay.
    case full
  }

  /// The failures that are retried, by ``RunFailure/kind``.
  public enum RetriedFailures: Hashable, Sendable {
    /// All that the handler did not declare permanent.
    case all
    /// Those of some kinds.
    case only(Set<String>)
    /// Those of all but some kinds.
    case except(Set<String>)

    /// Returns whether a failure of a kind is retried.
    public func contains(_ kind: String) -> Bool {
      switch self {
      case .all: true
      case .only(let kinds): kinds.contains(kind)
      case .except(let kinds): !kinds.contains(kind)
      }
    }
  }

  /// The maximum number of attempts, including the first; at least 1.
  public var maxAttempts: Int
  /// The growth of the delay.
  public var backoff: Backoff
  /// The random part of the delay.
  public var jitter: Jitter
  /// The maximum delay.
  public var maxDelay: Duration
  /// The minimum time for which a run is retried even when its attempts are used up; zero for no such bound.
  public var minimumDuration: Duration
  /// The failures that are retried.
  public var retried: RetriedFailures

  /// Creates a policy; `maxAttempts` below 1 counts as 1, and negative durations count as zero.
  ///
  /// - Parameters:
  ///   - maxAttempts: the maximum number of attempts, including the first.
  ///   - backoff: the growth of the delay.
  ///   - jitter: the random part of the delay.
  ///   - maxDelay: the maximum delay.
  ///   - minimumDuration: the minimum time for which a run is retried; zero for no such bound.
  ///   - retried: the failures that are retried.
  public init(
    maxAttempts: Int, backoff: Backoff = .exponential(.seconds(10)), jitter: Jitter = .automatic,
    maxDelay: Duration = .seconds(3_600), minimumDuration: Duration = .zero, retried: RetriedFailures = .all
  ) {
    self.maxAttempts = max(1, maxAttempts)
    self.backoff = backoff
    self.jitter = jitter
    self.maxDelay = max(.zero, maxDelay)
    self.minimumDuration = max(.zero, minimumDuration)
    self.retried = retried
  }

  /// Three attempts, 10 and 20 seconds apart, with half jitter.
  public static let standard = RetryPolicy(maxAttempts: 3)
  /// One attempt, no retries.
  public static let never = RetryPolicy(maxAttempts: 1)

  /// Returns the policy of a Cloud Tasks queue, without jitter.
  public static func cloudTasks(
    maxAttempts: Int = 100, maxRetryDuration: Duration = .zero, minBackoff: Duration = .milliseconds(100),
    maxBackoff: Duration = .seconds(3_600), maxDoublings: Int = 16
  ) -> RetryPolicy {
    RetryPolicy(
      maxAttempts: maxAttempts, backoff: .cloudTasks(minBackoff, maxDoublings: maxDoublings), jitter: .none,
      maxDelay: maxBackoff, minimumDuration: maxRetryDuration)
  }

  /// Returns the delay after the nth failed attempt, without jitter.
  ///
  /// - Parameter failures: the number of failed attempts, from 1.
  /// - Returns: zero to ``maxDelay``.
  public func delay(afterFailures failures: Int) -> Duration {
    let count = Int64(max(1, failures))
    let microseconds: Int64 =
      switch backoff {
      case .fixed(let delay): delay.microseconds
      case .linear(let delay): delay.microseconds.saturatingMultiplication(by: count)
      case .exponential(let delay, 2): Self.doubled(delay.microseconds, times: count - 1)
      case .exponential(let delay, let factor): Self.multiplied(delay.microseconds, by: factor, times: count - 1)
      case .delays(let delays): delays.isEmpty ? 0 : delays[Int(min(count, Int64(delays.count))) - 1].microseconds
      case .cloudTasks(let delay, let maxDoublings):
        Self.doubledThenLinear(delay.microseconds, count: count, doublings: Int64(min(max(0, maxDoublings), 62)))
      }
    return .microseconds(max(0, min(microseconds, maxDelay.microseconds)))
  }

  /// Returns the delay after the nth failed attempt, with jitter.
  ///
  /// - Parameters:
  ///   - failures: the number of failed attempts, from 1.
  ///   - random: the source of randomness.
  /// - Returns: zero to ``maxDelay``.
  public func delay(afterFailures failures: Int, random: inout some RandomNumberGenerator) -> Duration {
    let whole = delay(afterFailures: failures).microseconds
    switch effectiveJitter {
    case .none: return .microseconds(whole)
    case .half, .automatic: return .microseconds(whole - Int64.random(in: 0...(whole / 2), using: &random))
    case .full: return .microseconds(Int64.random(in: 0...whole, using: &random))
    }
  }

  /// The jitter with `automatic` resolved: growing delays spread out runs that failed together, others stay exact.
  private var effectiveJitter: Jitter {
    guard jitter == .automatic else { return jitter }
    switch backoff {
    case .fixed, .delays: return .none
    case .linear, .exponential, .cloudTasks: return .half
    }
  }

  private static func doubledThenLinear(_ delay: Int64, count: Int64, doublings: Int64) -> Int64 {
    if count <= doublings + 1 { return doubled(delay, times: count - 1) }
    return doubled(delay, times: doublings).saturatingMultiplication(by: count - doublings)
  }

  private static func multiplied(_ value: Int64, by factor: Double, times: Int64) -> Int64 {
    var result = Double(max(0, value))
    // After so many steps, a result that still fits grows by less than a part in a million at each.
    for _ in 0..<min(times, 1_000_000) where result > 0 {
      let next = result * max(1, factor.isNaN ? 1 : factor)
      if next >= 0x1p63 { return .max }
      if next == result { break }
      result = next
    }
    return Int64(result.rounded())
  }

  private static func doubled(_ value: Int64, times: Int64) -> Int64 {
    times >= 62 ? (value > 0 ? .max : 0) : value.saturatingMultiplication(by: 1 << max(0, times))
  }
}

/// Exponential delays between retries of a call, with half jitter, and at least as long as the service requests.
package struct RetryDelays: Sendable {
  /// The maximum delay that a call waits for at a service's request.
  package static let longestAsked = Duration.seconds(10)
  private var delay: Duration
  private let longest: Duration

  /// Creates a sequence of delays.
  ///
  /// - Parameters:
  ///   - first: the first delay.
  ///   - longest: the maximum delay.
  package init(first: Duration, longest: Duration = .minutes(1)) {
    delay = first
    self.longest = longest
  }

  /// Returns the next delay.
  ///
  /// - Parameter random: the source of randomness.
  /// - Returns: the delay.
  package mutating func next(random: inout some RandomNumberGenerator) -> Duration {
    let most = delay.microseconds
    delay = min(.microseconds(most.saturatingMultiplication(by: 2)), longest)
    return .microseconds(most - .random(in: 0...max(0, most / 2), using: &random))
  }

  /// Returns the next delay, taking a service's request into account.
  ///
  /// - Parameters:
  ///   - asked: the delay that the service requests, if any (``RetryAfter``).
  ///   - random: the source of randomness.
  /// - Returns: the delay, or nil if the service requests more than ``longestAsked`` and the call should fail.
  package mutating func next(asked: Duration?, random: inout some RandomNumberGenerator) -> Duration? {
    let asked = asked ?? .zero
    return asked > Self.longestAsked ? nil : max(next(random: &random), asked)
  }
}

/// A parser for the Retry-After header: seconds, or an HTTP date.
///
/// Source: RFC 9110, section 10.2.3 (<https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>).
package enum RetryAfter {
  /// Returns the delay from now that a header requests, or nil if it is absent or invalid.
  package static func span(_ value: String?, at now: Timestamp) -> Duration? {
    guard let value else { return nil }
    if let seconds = Int64(value), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
    let parts = value.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, parts[5] == "GMT", parts[1].utf8.count == 2,
      let month = months.firstIndex(of: String(parts[2]))
    else { return nil }
    let number = month + 1
    let text = "\(parts[3])-\(number < 10 ? "0" : "")\(number)-\(parts[1])T\(parts[4])Z"
    return Timestamp(rfc3339: text).map { max(.zero, $0 - now) }
  }
}
