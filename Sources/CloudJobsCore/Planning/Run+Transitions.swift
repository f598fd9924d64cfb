extension Run {
  /// The run with a new attempt begun under a fresh lease.
  func claimed(by settings: PlanSettings, for job: ResolvedJob, at now: Timestamp) -> Run {
    var run = self
    run.status = .running
    run.attempt = attempt.successor
    run.fence = fence.successor
    run.maxAttempts = job.policy.retry.maxAttempts
    run.startedAt = startedAt ?? now
    run.reason = nil
    let end = now + job.leaseSpan(margin: settings.leaseMargin)
    run.lease = Lease(owner: settings.owner, token: run.fence, expiresAt: end)
    run.wakeAt = end
    return run
  }

  /// The run set to wait for a time.
  func waiting(until time: Timestamp, why reason: String?, _ settings: PlanSettings) -> Run {
    var run = self
    run.status = .scheduled
    run.lease = nil
    run.notBefore = time
    run.wakeAt = time + settings.sweepDelay
    run.reason = reason
    return run
  }

  /// The run ended for good.
  func ended(_ status: RunStatus, at now: Timestamp, retention: Duration) -> Run {
    var run = self
    run.status = status
    run.lease = nil
    run.wakeAt = nil
    run.finishedAt = now
    run.expireAt = now + retention
    return run
  }

  /// The run handed to the queue once more under another task name, because the earlier delivery never came.
  public func handedAgain(_ settings: PlanSettings, now: Timestamp) -> Run {
    var run = self
    run.handoffs = handoffs.successor
    run.wakeAt = max(now, notBefore) + settings.sweepDelay
    return run
  }

  /// The name of the task that delivers the next attempt: the same however often it is handed over, unless the sweep
  /// has found that it never came.
  public var nextTaskName: String {
    handoffs == 0 ? "\(id.rawValue)-\(attempt.successor)" : "\(id.rawValue)-\(attempt.successor)-\(handoffs)"
  }
}

extension Run {
  /// The run after its process or its queue is known to be gone.
  ///
  /// The old fencing token is worth nothing from here on, and the next delivery gets a name of its own. An attempt that
  /// ended with its process counts as failed only from the tenth time on.
  ///
  /// - Parameters:
  ///   - policy: the job's policy.
  ///   - settings: the runtime's spans.
  ///   - now: the store's time.
  ///   - cause: what ended the attempt.
  /// - Returns: the run as it waits for its next delivery, or as a dead letter.
  package func orphaned(
    policy: JobPolicy, settings: PlanSettings, at now: Timestamp, by cause: AttemptLoss = .processEnded
  ) -> Run {
    guard status == .running else { return handedAgain(settings, now: now) }
    var run = self
    run.fence = fence.successor
    run.losses = losses.successor
    let reason = cause.reason(attempt: attempt)
    if run.losses >= Self.maximumLosses {
      run.failures = failures.successor
      run.failure = RunFailure(kind: "processLost", message: reason)
      if case .dead(let why) = verdict(on: run, policy: policy.retry, now: now) {
        run.reason = why
        return run.ended(.failed, at: now, retention: policy.retention)
      }
    }
    run = run.concluded(.snoozed(until: now), policy: policy, settings: settings, at: now)
    run.reason = reason
    return run
  }
}

/// What ended an attempt that neither succeeded nor failed.
package enum AttemptLoss: Hashable, Sendable {
  /// Its process is known to be gone.
  case processEnded
  /// Its instance shut down, and cancelled it or left it behind.
  case instanceShutDown

  /// The sentence that a run carries as its reason.
  package func reason(attempt: Int) -> String {
    switch self {
    case .processEnded: "The process ended during attempt \(attempt)."
    case .instanceShutDown: "The instance shut down during attempt \(attempt)."
    }
  }
}
