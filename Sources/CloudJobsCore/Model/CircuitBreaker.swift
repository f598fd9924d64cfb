/// A policy that stops a job whose runs keep failing.
///
/// The breaker opens after a number of consecutive failed runs (dead letters). While it is open, occurrences of
/// scheduled and periodic jobs are skipped, and runs of endpoint jobs wait. After the cooldown it is half-open: one run
/// is executed as a probe, and no other within a further cooldown. The probe's success closes the breaker, its failure
/// opens it again. A manual trigger passes an open breaker, as it passes every gate but `enabled`.
///
/// Source: M. Nygard, "Release It!", and <https://martinfowler.com/bliki/CircuitBreaker.html>.
public struct CircuitBreaker: Hashable, Sendable {
  /// The number of consecutive failed runs after which the breaker opens; 0 means never.
  public var threshold: Int
  /// The time for which the breaker stays open before a probe.
  public var cooldown: Duration

  /// Creates a breaker.
  ///
  /// - Parameters:
  ///   - threshold: the number of consecutive failed runs after which it opens; 0 means never.
  ///   - cooldown: the time for which it stays open before a probe.
  public init(threshold: Int = 5, cooldown: Duration = .seconds(60)) {
    self.threshold = max(0, threshold)
    self.cooldown = max(.zero, cooldown)
  }
}

extension CircuitBreaker {
  /// Creates a breaker from its form in a job document: an object with `threshold` and `cooldown`, both optional.
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "breaker.", field: "breaker")
    let standard = CircuitBreaker()
    self.init(
      threshold: try reader.int("threshold", 0...1_000_000) ?? standard.threshold,
      cooldown: try reader.span("cooldown", seconds: 1...31_622_400) ?? standard.cooldown)
    try reader.refuseOthers(than: ["threshold", "cooldown"], of: "a breaker")
  }

  /// The form in a job document.
  var field: JSONValue { ["threshold": .integer(Int64(threshold)), "cooldown": cooldown.field] }
}

extension JobState {
  /// Returns whether the breaker is half-open: its cooldown is over, and no run has succeeded since.
  func isHalfOpen(at now: Timestamp) -> Bool { breakerOpenUntil.map { $0 <= now } ?? false }

  /// Adds the claim of a probe to a change, if the breaker is half-open: no other run is a probe until another cooldown
  /// has passed.
  ///
  /// - Parameters:
  ///   - breaker: the job's breaker.
  ///   - now: the store's time.
  ///   - patch: the change, which must be committed under the version of the job's document that was read.
  /// - Returns: whether the run is a probe.
  @discardableResult
  package func claimProbe(_ breaker: CircuitBreaker?, at now: Timestamp, in patch: inout JobStatePatch) -> Bool {
    guard let breaker, breaker.threshold > 0, isHalfOpen(at: now) else { return false }
    patch.set(breakerOpenUntil: now + breaker.cooldown)
    return true
  }

  /// Adds the effect of a run's end to a change.
  ///
  /// - Parameters:
  ///   - conclusion: the conclusion of the run's attempt.
  ///   - failures: the number of consecutive failed runs after it.
  ///   - breaker: the job's breaker.
  ///   - now: the store's time.
  ///   - patch: the change.
  /// - Returns: whether the breaker's state changes.
  func concludeBreaker(
    after conclusion: Conclusion, failures: Int, _ breaker: CircuitBreaker?, at now: Timestamp,
    in patch: inout JobStatePatch
  ) -> Bool {
    switch conclusion {
    case .succeeded where breakerOpenUntil != nil:
      patch.set(breakerOpenUntil: nil)
      return true
    case .deadLetter:
      guard let breaker, breaker.threshold > 0, failures >= breaker.threshold else { return false }
      patch.set(breakerOpenUntil: now + breaker.cooldown)
      return true
    default: return false
    }
  }
}
