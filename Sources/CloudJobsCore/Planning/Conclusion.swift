/// The outcome of an attempt, as its handler returned it.
public enum Outcome: Hashable, Sendable {
  /// The handler succeeded.
  case succeeded(output: JSONText?)
  /// The handler asked for another attempt after a delay; this is no failure.
  case snoozed(Duration)
  /// The handler stopped at a checkpoint and asked for another attempt after a delay; this is no failure.
  case continued(after: Duration)
  /// The handler cancelled the run.
  case cancelled(reason: String)
  /// The handler failed.
  case failed(RunFailure, isPermanent: Bool, retryAfter: Duration?)
}

extension Outcome {
  /// Whether the outcome ends the run whatever the policy, so that a request to cancel it comes too late.
  var endsRun: Bool {
    switch self {
    case .succeeded, .cancelled, .failed(_, isPermanent: true, _): true
    case .snoozed, .continued, .failed: false
    }
  }

  /// Whether the outcome of a cancelled attempt may be due to the cancellation.
  ///
  /// A value that a handler returns after its cancellation is its result, and a permanent failure is deliberate; any
  /// other error may be the handler's way to stop early.
  package var mayResultFromCancellation: Bool {
    if case .failed(_, isPermanent: false, _) = self { true } else { false }
  }

  /// Whether the attempt exceeded its time limit.
  var isTimeout: Bool {
    if case .failed(let failure, _, _) = self { failure.kind == RunFailure.timeoutKind } else { false }
  }

  /// The failure of an attempt that exceeded its time limit.
  package static func timedOut(after limit: Duration) -> Outcome {
    .failed(
      RunFailure(
        kind: RunFailure.timeoutKind, message: "The attempt took longer than its time limit, \(limit)."),
      isPermanent: false, retryAfter: nil)
  }
}

/// The consequence of an outcome for the run.
public enum Conclusion: Hashable, Sendable {
  /// The run succeeded.
  case succeeded(output: JSONText?)
  /// The run waits for another attempt.
  case retry(at: Timestamp, RunFailure)
  /// The run waits for the caller to deliver it again.
  case retryByCaller(RunFailure)
  /// The run continues later; no failure is counted.
  case snoozed(until: Timestamp)
  /// The run continues from its checkpoint; no failure is counted.
  case continued(at: Timestamp)
  /// The run was interrupted by a shutdown and waits for the caller to deliver it again; no failure is counted.
  case interrupted(reason: String)
  /// The run ended without a result.
  case cancelled(reason: String)
  /// The run ended as a dead letter.
  case deadLetter(RunFailure, reason: String)
}

/// Decides the consequence of an outcome: total, and a function of its arguments alone.
///
/// - Parameters:
///   - outcome: the attempt's outcome.
///   - run: the run as claimed for the attempt.
///   - policy: the retry policy.
///   - owner: the party that delivers a failed attempt again.
///   - now: the store's time, or the best estimate of it.
///   - random: the source of jitter.
/// - Returns: the conclusion.
public func conclude(
  _ outcome: Outcome, run: Run, policy: RetryPolicy, owner: RetryOwner = .runtime, now: Timestamp,
  random: inout some RandomNumberGenerator
) -> Conclusion {
  switch outcome {
  case .succeeded(let output): return .succeeded(output: output)
  case .snoozed(let span): return .snoozed(until: now + max(.zero, span))
  case .continued(let span): return .continued(at: now + max(.zero, span))
  case .cancelled(let reason): return .cancelled(reason: reason)
  case .failed(let failure, let isPermanent, let retryAfter):
    if isPermanent { return .deadLetter(failure, reason: RunReason.Text.permanentFailure) }
    if !policy.retried.contains(failure.kind) {
      return .deadLetter(failure, reason: RunReason.Text.failureNotRetried(failure.kind))
    }
    var run = run
    run.failures = run.failures.successor
    if case .dead(let reason) = verdict(on: run, policy: policy, now: now) {
      return .deadLetter(failure, reason: reason)
    }
    if owner == .caller { return .retryByCaller(failure) }
    let delay = retryAfter.map { max(.zero, $0) } ?? policy.delay(afterFailures: run.failures, random: &random)
    return .retry(at: now + delay, failure)
  }
}

/// An attempt's end: its conclusion, and the run's record to commit.
package struct ConcludedAttempt: Hashable, Sendable {
  /// The conclusion.
  package var conclusion: Conclusion
  /// The run after it.
  package var run: Run
  /// The reason why a shutdown interrupted the attempt, if one did.
  package var interruption: String?

  /// Concludes an attempt.
  ///
  /// - Parameters:
  ///   - outcome: the attempt's outcome.
  ///   - isShutdown: whether the attempt was cancelled because its instance shuts down. An outcome that may result from
  ///     that counts as no failure.
  ///   - run: the run as claimed for the attempt, with its latest checkpoint and progress.
  ///   - start: the checkpoint from which the attempt resumed. An attempt that exceeds its time limit after it has
  ///     saved another one continues from it, and counts as no failure.
  ///   - policy: the job's policy.
  ///   - settings: the runtime's settings.
  ///   - now: the store's time, or the best estimate of it.
  ///   - random: the source of jitter.
  package init(
    _ outcome: Outcome, isShutdown: Bool, run: Run, resumedFrom start: JSONText? = nil, policy: JobPolicy,
    settings: PlanSettings, at now: Timestamp, random: inout some RandomNumberGenerator
  ) {
    var outcome = outcome
    if outcome.isTimeout, run.checkpoint != nil, run.checkpoint != start { outcome = .continued(after: .zero) }
    if let reason = run.cancellation, !outcome.endsRun {
      conclusion = .cancelled(reason: reason)
      self.run = run.concluded(conclusion, policy: policy, settings: settings, at: now)
      return
    }
    guard isShutdown, outcome.mayResultFromCancellation else {
      conclusion = conclude(
        outcome, run: run, policy: policy.retry, owner: settings.retryOwner, now: now, random: &random)
      self.run = run.concluded(conclusion, policy: policy, settings: settings, at: now)
      return
    }
    let reason = AttemptLoss.instanceShutDown.reason(attempt: run.attempt)
    var run = run
    // An attempt that got on is not one of those that are lost over and over.
    if run.checkpoint != start { run.losses = 0 }
    let interrupted = run.interrupted(policy: policy, settings: settings, at: now, by: .instanceShutDown)
    (self.run, interruption) = (interrupted, reason)
    if interrupted.status.isTerminal {
      conclusion = .deadLetter(interrupted.failure ?? .leaseLost, reason: interrupted.reason ?? "")
    } else if settings.retryOwner == .caller {
      conclusion = .interrupted(reason: reason)
    } else {
      conclusion = .snoozed(until: now)
    }
  }
}

extension ConcludedAttempt {
  /// Concludes an attempt whose handler exceeded its time limit and ignored its cancellation.
  ///
  /// The attempt counts as failed, and its fencing token becomes invalid. As the handler may still have effects, the
  /// next attempt begins when the lease ends, and not before, unless the handler's process ends now.
  ///
  /// - Parameters:
  ///   - run: the run as claimed for the attempt, with its latest checkpoint.
  ///   - start: the checkpoint from which the attempt resumed.
  ///   - limit: the time limit.
  ///   - policy: the job's policy.
  ///   - settings: the runtime's settings.
  ///   - now: the store's time, or the best estimate of it.
  ///   - isProcessEnding: whether the process ends before anyone can claim the run.
  ///   - random: the source of jitter.
  package init(
    abandoning run: Run, resumedFrom start: JSONText?, after limit: Duration, policy: JobPolicy,
    settings: PlanSettings, at now: Timestamp, isProcessEnding: Bool, random: inout some RandomNumberGenerator
  ) {
    self.init(
      .timedOut(after: limit), isShutdown: false, run: run, resumedFrom: start, policy: policy, settings: settings,
      at: now, random: &random)
    self.run.fence = run.fence.successor
    guard !isProcessEnding, !self.run.status.isTerminal, let lease = run.lease, self.run.notBefore < lease.expiresAt
    else { return }
    self.run = self.run.waiting(until: lease.expiresAt, why: self.run.reason, settings)
    if case .retry(_, let failure) = conclusion { conclusion = .retry(at: lease.expiresAt, failure) }
  }
}

/// Whether a run whose latest failure is counted may be attempted again.
enum RetryVerdict: Hashable {
  case goOn
  case dead(reason: String)
}

/// Returns the verdict on a run: it is given up only when the attempts **and** the minimum duration are used up.
func verdict(on run: Run, policy: RetryPolicy, now: Timestamp) -> RetryVerdict {
  let limit = run.attemptLimit(under: policy)
  guard run.failures >= limit else { return .goOn }
  let elapsed = now - (run.startedAt ?? run.createdAt)
  if policy.minimumDuration > .zero, elapsed < policy.minimumDuration { return .goOn }
  return .dead(reason: RunReason.Text.attemptsUsedUp(limit))
}

extension Run {
  /// Returns the run after a conclusion.
  ///
  /// - Parameters:
  ///   - conclusion: the conclusion of its attempt.
  ///   - policy: the job's policy.
  ///   - settings: the runtime's settings.
  ///   - now: the store's time, or the best estimate of it.
  /// - Returns: the run, ended or waiting.
  public func concluded(
    _ conclusion: Conclusion, policy: JobPolicy, settings: PlanSettings, at now: Timestamp
  ) -> Run {
    var run = self
    run.reenqueues = 0
    switch conclusion {
    case .succeeded(let output):
      run.output = output
      run.failure = nil
      return run.ended(.succeeded, at: now, retention: policy.retention)
    case .retry(let time, let failure):
      return run.failed(failure).keepingAttempt(.failed, failure, endedAt: now)
        .waiting(until: time, why: RunReason.Text.attemptFailed(attempt), settings)
    case .retryByCaller(let failure):
      return run.failed(failure).keepingAttempt(.failed, failure, endedAt: now)
        .waiting(until: now, why: RunReason.Text.attemptFailed(attempt), settings)
    case .snoozed(let time):
      return run.keepingAttempt(.snoozed, endedAt: now)
        .waiting(until: time, why: RunReason.Text.snoozed(attempt), settings)
    case .interrupted(let reason):
      return run.keepingAttempt(.interrupted, endedAt: now).waiting(until: now, why: reason, settings)
    case .continued(let time):
      run.continuations = continuations.successor
      return run.keepingAttempt(.continued, endedAt: now)
        .waiting(until: time, why: RunReason.Text.continued(attempt), settings)
    case .cancelled(let reason):
      run.reason = reason
      return run.ended(.cancelled, at: now, retention: policy.retention)
    case .deadLetter(let failure, let reason):
      run = run.failed(failure)
      run.reason = reason
      return run.ended(.failed, at: now, retention: policy.retention)
    }
  }

  private func failed(_ failure: RunFailure) -> Run {
    var run = self
    run.failures = failures.successor
    run.failure = failure
    return run
  }
}

extension RunFailure {
  /// The kind of the failure of an attempt that exceeded its time limit.
  static let timeoutKind = "timeout"

  /// The failure of an attempt whose lease expired.
  package static let leaseLost = RunFailure(
    kind: leaseLostKind, message: "The attempt did not come back before its lease ended.")
}

extension JobState {
  /// Returns the change to a job's state that a conclusion brings, or nil if it brings none.
  ///
  /// The state of an endpoint, which may run a thousand times a second, changes only when its status does.
  ///
  /// - Parameters:
  ///   - conclusion: the conclusion of the attempt.
  ///   - run: the run after it.
  ///   - kind: the kind of the job.
  ///   - breaker: the job's circuit breaker, which needs the failures of an endpoint too.
  ///   - duration: the duration of the attempt.
  /// - Returns: the change, or nil.
  public func patch(
    after conclusion: Conclusion, run: Run, kind: JobKind, breaker: CircuitBreaker? = nil, duration: Duration
  ) -> JobStatePatch? {
    let newStatus: JobStatus
    var newFailures = consecutiveFailures ?? 0
    switch conclusion {
    case .succeeded: (newStatus, newFailures) = (.success, 0)
    case .retry, .retryByCaller: newStatus = .failure
    case .deadLetter: (newStatus, newFailures) = (.failure, newFailures.successor)
    case .snoozed, .continued, .interrupted, .cancelled: return nil
    }
    var patch = JobStatePatch()
    let now = run.finishedAt ?? run.createdAt
    let changesBreaker = concludeBreaker(after: conclusion, failures: newFailures, breaker, at: now, in: &patch)
    let changesCount = breaker != nil && newFailures != consecutiveFailures ?? 0
    if kind == .endpoint, !changesBreaker, !changesCount, newStatus == status || !run.status.isTerminal { return nil }
    patch.set(status: newStatus)
    patch.set(consecutiveFailures: newFailures)
    patch.set(retries: run.failures)
    patch.set(lastDuration: duration)
    return patch
  }
}
