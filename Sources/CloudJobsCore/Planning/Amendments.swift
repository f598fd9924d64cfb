/// Changes to a run by its operator or by another run, not by its own attempt. Each returns the record to commit under
/// the version that was read.

/// The plan for a request to cancel a run.
package enum CancellationPlan: Hashable, Sendable {
  /// Commit this run, which has ended before it began or after its attempt was lost.
  case cancel(Run)
  /// Commit this run, whose attempt is asked to stop.
  case request(Run)
  /// Change nothing: the run has ended.
  case ended(Run)
}

/// Decides how a run is cancelled.
///
/// A waiting run never starts. An attempt under way is asked to stop and keeps its lease until it does, because it may
/// still have effects.
///
/// - Parameters:
///   - run: the run.
///   - reason: the reason, in words.
///   - retention: the retention of the run's record.
///   - now: the store's time.
/// - Returns: the plan.
package func planCancellation(
  of run: Run, because reason: String, retention: Retention, now: Timestamp
) -> CancellationPlan {
  if run.status.isTerminal { return .ended(run) }
  var run = run
  if run.status == .running, let lease = run.lease, now < lease.expiresAt {
    if run.cancellation != nil { return .ended(run) }
    run.cancellation = reason
    run.amendments = run.amendments.successor
    return .request(run)
  }
  // It tells that somebody asked for it, and not the handler or a gate.
  run.cancellation = reason
  return .cancel(run.cancelled(because: reason, at: now, retention: retention))
}

/// Returns a waiting run with another start time.
///
/// - Parameters:
///   - run: the run.
///   - time: the earliest start of the next attempt.
///   - settings: the runtime's settings.
/// - Returns: the run, whose next task has a new name.
/// - Throws: ``JobError`` `busy` if an attempt is under way, `invalidField` if the run has ended.
package func planRescheduling(of run: Run, to time: Timestamp, settings: PlanSettings) throws(JobError) -> Run {
  switch run.status {
  case .scheduled, .pending:
    var waiting = run.waiting(until: time, why: run.reason, settings)
    waiting.awaiting = run.awaiting
    waiting.scheduledFor = run.attempt == 0 ? time : run.scheduledFor
    waiting.reenqueues = run.reenqueues.successor
    return waiting
  case .running:
    throw JobError(.busy, "An attempt of this run is under way. Cancel it, or wait for its end.", field: "runId")
  case .succeeded, .failed, .cancelled:
    throw JobError(
      .invalidField, "The run has ended as \(run.status.rawValue). Redrive it, or enqueue a new one.", field: "runId")
  }
}

/// Returns the new run that repeats a dead letter or a cancelled run.
///
/// Its id derives from the ended run's, so that a run is redriven once, however often that is requested. It resumes
/// from the latest checkpoint.
///
/// - Parameters:
///   - run: the ended run.
///   - policy: the job's policy.
///   - settings: the runtime's settings.
///   - now: the store's time.
/// - Returns: the new run, which waits for its first attempt.
/// - Throws: ``JobError`` `invalidField` if the run has not ended, or has succeeded.
package func planRedrive(
  of run: Run, policy: JobPolicy, settings: PlanSettings, now: Timestamp
) throws(JobError) -> Run {
  guard run.status == .failed || run.status == .cancelled else {
    throw JobError(
      .invalidField, "Only a failed or a cancelled run can be redriven. This one is \(run.status.rawValue).",
      field: "runId")
  }
  var new = Run(
    id: run.redriveID, job: run.job, trigger: .parent,
    input: run.input, maxAttempts: policy.retry.maxAttempts, scheduledFor: run.scheduledFor, notBefore: now,
    createdAt: now)
  new.parent = run.id
  new.correlationID = run.correlationID
  new.trace = run.trace
  new.checkpoint = run.checkpoint
  new.timeout = run.timeout
  new.limitAttempts(to: run.attemptLimit, under: policy)
  new.queue = run.queue
  new.priority = run.priority
  new.metadata = run.metadata
  // It gets their results, and waits for those that have not ended; that one failed is decided by the redrive.
  if !run.prerequisites.isEmpty { (new.prerequisites, new.failedPrerequisite) = (run.prerequisites, .tolerate) }
  new.wakeAt = now + settings.sweepDelay
  return new
}

extension Run {
  /// The id of the run that repeats this one.
  package var redriveID: RunID { Self.redriveID(of: id, job) }

  /// Whether the run repeats another one.
  var isRedrive: Bool { parent.map { id == Self.redriveID(of: $0, job) } ?? false }

  private static func redriveID(of run: RunID, _ job: JobID) -> RunID {
    RunID(job: job, occurrence: .key("redrive/\(run.rawValue)"))
  }

  /// Returns the run cancelled; a late result of an attempt that is still alive is refused.
  func cancelled(because reason: String, at now: Timestamp, retention: Retention) -> Run {
    var run = self
    run.fence = fence.successor
    run.amendments = amendments.successor
    run.reason = reason
    return run.ended(.cancelled, at: now, retention: retention)
  }

  /// Returns the run with the changes that others made to its stored record while its attempt was under way.
  package func adoptingAmendments(of stored: Run) -> Run {
    var run = self
    run.cancellation = stored.cancellation
    run.dependents = stored.dependents
    run.amendments = stored.amendments
    return run
  }
}
