/// How an attempt came back.
public enum Outcome: Hashable, Sendable {
  /// It did its work.
  case succeeded(output: JSONText?)
  /// It asks to be called again later; this is no failure.
  case snoozed(Duration)
  /// It found that there is nothing to do, or that the run must not go on.
  case cancelled(reason: String)
  /// It failed.
  case failed(RunFailure, isPermanent: Bool, retryAfter: Duration?)
}

extension Outcome {
  /// Whether an attempt that was cancelled from outside may have come back so for no other reason.
  ///
  /// What a handler returns after its cancellation is what it means to return, and a failure that it calls permanent is
  /// no accident; any other error may be its way to end early.
  package var mayComeOfCancellation: Bool {
    if case .failed(_, isPermanent: false, _) = self { true } else { false }
  }

  /// The failure of an attempt that ran past its time limit.
  package static func timedOut(after limit: Duration) -> Outcome {
    .failed(
      RunFailure(kind: "timeout", message: "The attempt took longer than its time limit, \(limit)."),
      isPermanent: false, retryAfter: nil)
  }
}

/// What an outcome means for the run.
public enum Conclusion: Hashable, Sendable {
  /// The run has ended well.
  case succeeded(output: JSONText?)
  /// The run is tried again.
  case retry(at: Timestamp, RunFailure)
  /// The run goes on later.
  case snoozed(until: Timestamp)
  /// The run has ended without a result.
  case cancelled(reason: String)
  /// The run has ended as a dead letter.
  case dead(RunFailure, reason: String)
}

/// Decides what an outcome means: total, and a function of nothing but its arguments.
///
/// - Parameters:
///   - outcome: how the attempt came back.
///   - run: the run as claimed for the attempt.
///   - policy: when a failed attempt is tried again.
///   - now: the store's time, or the best estimate of it.
///   - random: where jitter is drawn from.
/// - Returns: the conclusion.
public func conclude(
  _ outcome: Outcome, run: Run, policy: RetryPolicy, now: Timestamp, random: inout some RandomNumberGenerator
) -> Conclusion {
  switch outcome {
  case .succeeded(let output): return .succeeded(output: output)
  case .snoozed(let span): return .snoozed(until: now + max(.zero, span))
  case .cancelled(let reason): return .cancelled(reason: reason)
  case .failed(let failure, let isPermanent, let retryAfter):
    if isPermanent { return .dead(failure, reason: "The failure is permanent.") }
    var run = run
    run.failures = run.failures.successor
    if case .dead(let reason) = verdict(on: run, policy: policy, now: now) { return .dead(failure, reason: reason) }
    let delay = retryAfter.map { max(.zero, $0) } ?? policy.delay(afterFailures: run.failures, random: &random)
    return .retry(at: now + delay, failure)
  }
}

/// Whether a run with its failures counted may go on.
enum RetryVerdict: Hashable {
  case goOn
  case dead(reason: String)
}

/// Given up only when the attempts **and** the minimum duration are used up.
func verdict(on run: Run, policy: RetryPolicy, now: Timestamp) -> RetryVerdict {
  guard run.failures >= policy.maxAttempts else { return .goOn }
  let elapsed = now - (run.startedAt ?? run.createdAt)
  if policy.minimumDuration > .zero, elapsed < policy.minimumDuration { return .goOn }
  return .dead(reason: "All \(policy.maxAttempts) attempts are used up.")
}

extension Run {
  /// The run after a conclusion.
  ///
  /// - Parameters:
  ///   - conclusion: what the attempt's outcome means.
  ///   - policy: the job's policy.
  ///   - settings: the runtime's spans.
  ///   - now: the store's time, or the best estimate of it.
  /// - Returns: the run, ended or waiting.
  public func concluded(
    _ conclusion: Conclusion, policy: JobPolicy, settings: PlanSettings, at now: Timestamp
  ) -> Run {
    var run = self
    run.handoffs = 0
    switch conclusion {
    case .succeeded(let output):
      run.output = output
      run.failure = nil
      return run.ended(.succeeded, at: now, retention: policy.retention)
    case .retry(let time, let failure):
      run.failures = failures.successor
      run.failure = failure
      return run.waiting(until: time, why: "Attempt \(attempt) failed; the next is due.", settings)
    case .snoozed(let time):
      return run.waiting(until: time, why: "Attempt \(attempt) asked to go on later.", settings)
    case .cancelled(let reason):
      run.reason = reason
      return run.ended(.cancelled, at: now, retention: policy.retention)
    case .dead(let failure, let reason):
      run.failures = failures.successor
      run.failure = failure
      run.reason = reason
      return run.ended(.failed, at: now, retention: policy.retention)
    }
  }
}
