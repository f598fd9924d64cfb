/// Decides how the sweep recovers a run whose `wakeAt` has passed: its task or its attempt was lost.
///
/// - Parameters:
///   - run: the run.
///   - settings: the runtime's settings.
///   - now: the store's time.
/// - Returns: the plan, which the sweep performs without deciding anything itself.
package func planRecovery(of run: Run, settings: PlanSettings, now: Timestamp) -> RecoveryPlan {
  guard run.attempt < .max else {
    return .reject(JobError(.invalidField, "No number is left for another attempt.", field: "attempt"))
  }
  return settings.retryOwner == .runtime ? .reenqueue(run.reenqueued(settings, now: now)) : .deliver
}

/// The plan for a run whose task or attempt was lost.
package enum RecoveryPlan: Hashable, Sendable {
  /// Commit this run, and enqueue its next attempt under a new name.
  case reenqueue(Run)
  /// Deliver the next attempt here: no queue does.
  case deliver
  /// Leave the run alone.
  case reject(JobError)
}

extension RetryOwner {
  /// Whether every pass looks for waiting runs, because no queue delivers them; otherwise only housekeeping passes do,
  /// which look for lost tasks.
  package var isSweptByEveryPass: Bool { self != .runtime }
  /// Whether the runtime enqueues a task for each waiting run.
  package var takesTasks: Bool { self == .runtime }
}
