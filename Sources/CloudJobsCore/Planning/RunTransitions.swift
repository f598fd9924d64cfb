/// The transitions of a run's record. Each returns the record after it; the runtime commits it.
extension Run {
  /// Returns the run with a new attempt under a new lease.
  func claimed(by settings: PlanSettings, for job: ResolvedJob, at now: Timestamp) -> Run {
    var run = self
    run.status = .running
    run.attempt = attempt.successor
    run.fence = fence.successor
    run.maxAttempts = attemptLimit(under: job.policy.retry)
    run.attemptStartedAt = startedAt == nil ? nil : now
    run.startedAt = startedAt ?? now
    run.reason = nil
    run.awaiting = nil
    run.permits = job.limits.filter { $0.maxConcurrent != nil }.map(\.ledger)
    run.waitsFor = nil
    let length = timeLimit(under: job.policy) + settings.leaseMargin
    let end = now + (settings.leaseLimit.map { min($0, length) } ?? length)
    run.lease = Lease(owner: settings.owner, token: run.fence, expiresAt: end)
    run.wakeAt = end
    return run
  }

  /// Returns the number of failures at which the run is given up.
  func attemptLimit(under policy: RetryPolicy) -> Int { attemptLimit ?? policy.maxAttempts }

  /// Sets the number of failures at which the run is given up.
  ///
  /// - Parameters:
  ///   - count: the number that its request set; nil leaves it to the job.
  ///   - policy: the job's policy. The runs of a job that is not retryable have one attempt, whatever is requested.
  package mutating func limitAttempts(to count: Int?, under policy: JobPolicy) {
    guard let count, policy.descriptor?.isRetryable != false else { return }
    (attemptLimit, maxAttempts) = (count, count)
  }

  /// Returns the time limit of an attempt.
  package func timeLimit(under policy: JobPolicy) -> Duration { timeout ?? policy.timeout }

  /// Returns the run waiting until a time.
  func waiting(until time: Timestamp, why reason: String?, _ settings: PlanSettings) -> Run {
    var run = self
    run.status = .scheduled
    run.lease = nil
    run.notBefore = time
    run.wakeAt = time + settings.sweepDelay
    run.reason = reason
    run.waitsFor = nil
    return run
  }

  /// Returns the run waiting for a permit that was refused.
  func waiting(for refusal: LimitRefusal, _ settings: PlanSettings) -> Run {
    var run = waiting(until: refusal.retryAt, why: refusal.reason, settings)
    run.waitsFor = refusal.ledger
    // The attempt is not used up, so its task needs another name than the one that was just delivered.
    run.reenqueues = reenqueues.successor
    return run
  }

  /// Returns a claimed run as it waits for its attempt in another service.
  ///
  /// - Parameters:
  ///   - earlier: the run before the claim; nil if it is new.
  ///   - settings: the runtime's settings.
  ///   - now: the store's time.
  /// - Returns: the run, whose next task has a new name.
  func handedOver(from earlier: Run?, _ settings: PlanSettings, at now: Timestamp) -> Run {
    var run = waiting(until: now, why: RunReason.Text.handedOver, settings)
    run.attempt = earlier?.attempt ?? 0
    (run.startedAt, run.attemptStartedAt) = (earlier?.startedAt, earlier?.attemptStartedAt)
    if earlier != nil { run.reenqueues = reenqueues.successor }
    // A worker on the same store would otherwise find the run again immediately.
    run.wakeAt = now + max(settings.sweepDelay, .minutes(1))
    return run
  }

  /// Returns the run in a final status.
  func ended(_ status: RunStatus, at now: Timestamp, retention: Retention) -> Run {
    var run = self
    run.status = status
    run.lease = nil
    run.wakeAt = nil
    run.waitsFor = nil
    run.finishedAt = now
    run.expireAt = now + retention.span(for: status)
    run.awaiting = nil
    return run
  }

  /// Returns the run with a new name for its next task, for a task that never arrived.
  public func reenqueued(_ settings: PlanSettings, now: Timestamp) -> Run {
    var run = self
    run.reenqueues = reenqueues.successor
    run.wakeAt = max(now, notBefore) + settings.sweepDelay
    return run
  }

  /// The name of the task that delivers the next attempt: the same each time it is enqueued, until the task is found
  /// to be lost.
  public var nextTaskName: String {
    reenqueues == 0 ? "\(id.rawValue)-\(attempt.successor)" : "\(id.rawValue)-\(attempt.successor)-\(reenqueues)"
  }

  /// Returns the run after its attempt ended without a result: its process or its instance is gone.
  ///
  /// The old fencing token becomes invalid, and the next task gets a new name. A lost attempt counts as failed only
  /// from the ``maximumLosses``th on.
  ///
  /// - Parameters:
  ///   - policy: the job's policy.
  ///   - settings: the runtime's settings.
  ///   - now: the store's time.
  ///   - cause: the reason why the attempt ended.
  /// - Returns: the run waiting for its next delivery, or failed.
  package func interrupted(
    policy: JobPolicy, settings: PlanSettings, at now: Timestamp, by cause: AttemptLoss = .processEnded
  ) -> Run {
    guard status == .running else { return reenqueued(settings, now: now) }
    if let cancellation { return cancelled(because: cancellation, at: now, retention: policy.retention) }
    var run = self
    run.fence = fence.successor
    run.losses = losses.successor
    let reason = cause.reason(attempt: attempt)
    if run.losses >= Self.maximumLosses {
      run.failures = failures.successor
      run.failure = RunFailure(kind: RunFailure.processLostKind, message: reason)
      if case .dead(let why) = verdict(on: run, policy: policy.retry, now: now) {
        run.reason = why
        return run.ended(.failed, at: now, retention: policy.retention)
      }
    }
    return run.concluded(.interrupted(reason: reason), policy: policy, settings: settings, at: now)
  }

  /// Whether two readings of a run show the same step of its life.
  package func isSameStep(as other: Run) -> Bool {
    (id, status, attempt, fence, reenqueues) == (other.id, other.status, other.attempt, other.fence, other.reenqueues)
      && (lease, checkpoint, progress) == (other.lease, other.checkpoint, other.progress)
      && amendments == other.amendments
  }
}

/// The reason why an attempt ended without a result.
package enum AttemptLoss: Hashable, Sendable {
  /// Its process is known to be gone.
  case processEnded
  /// Its instance shut down, and cancelled the attempt or left it behind.
  case instanceShutDown
  /// Its process ends because the threads of its pool are blocked, by other attempts.
  case poolBlocked

  /// The sentence that the run carries as its reason.
  package func reason(attempt: Int) -> String {
    switch self {
    case .processEnded: "The process ended during attempt \(attempt)."
    case .poolBlocked: "The process ended during attempt \(attempt), because its threads were blocked."
    case .instanceShutDown: "The instance shut down during attempt \(attempt)."
    }
  }
}

extension FixedWidthInteger {
  /// The next number; the largest stays, so that no count read from a document can trap.
  package var successor: Self { self == .max ? self : self + 1 }
}
