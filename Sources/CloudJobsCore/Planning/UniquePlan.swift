/// Decides what a request with a unique key does: total, and a function of its input alone.
///
/// - Parameter input: the request's run and everything that was read for it.
/// - Returns: the plan, which the runtime commits under the version of the key's ledger.
package func planUnique(_ input: UniqueInput) -> UniquePlan {
  guard let holder = input.holder, input.counts(holder) else { return create(input, cancelled: nil) }
  guard let existing = input.existing, existing.status == .scheduled || existing.status == .pending else {
    return .keep(holder.run)
  }
  switch input.uniqueness.onConflict {
  case .drop: return .keep(holder.run)
  case .replace:
    var replaced = existing
    replaced.reason = RunReason.Text.replaced(by: input.run.id)
    return create(input, cancelled: replaced.ended(.cancelled, at: input.now, retention: input.retention))
  case .keepLater:
    var later = existing
    later.input = input.run.input
    if input.run.notBefore > existing.notBefore {
      later = later.waiting(
        until: input.run.notBefore, why: "A later request with the same unique key moved the start.", input.settings)
      later.scheduledFor = input.run.scheduledFor
      // The attempt is not used up, so its task needs another name than the one that is enqueued for the earlier time.
      later.reenqueues = existing.reenqueues.successor
    }
    return .update(later)
  }
}

/// The plan for a request with a unique key.
package enum UniquePlan: Hashable, Sendable {
  /// Create the run, make it the key's holder, and commit the cancelled one that it replaces.
  case create(Run, UniqueLedger, cancelled: Run?)
  /// Commit this run, which waits already, with the request's input and start.
  case update(Run)
  /// Create nothing: this run holds the key.
  case keep(RunID)
}

/// Everything that the plan of a request with a unique key depends on.
package struct UniqueInput: Sendable {
  /// The uniqueness that the request asks for.
  package var uniqueness: Uniqueness
  /// The run that the request would create.
  package var run: Run
  /// The key's holder, if there is one.
  package var holder: UniqueLedger?
  /// The holder's run; nil if its record is deleted.
  package var existing: Run?
  /// The retention of a cancelled run's record.
  package var retention: Retention
  /// The store's time.
  package var now: Timestamp
  /// The runtime's settings.
  package var settings: PlanSettings

  /// Creates an input.
  package init(
    _ uniqueness: Uniqueness, run: Run, holder: UniqueLedger?, existing: Run?, retention: Retention, now: Timestamp,
    settings: PlanSettings
  ) {
    self.uniqueness = uniqueness
    self.run = run
    self.holder = holder
    self.existing = existing
    self.retention = retention
    self.now = now
    self.settings = settings
  }

  /// Returns whether the holder's run counts.
  fileprivate func counts(_ holder: UniqueLedger) -> Bool {
    if let window = uniqueness.window, now >= holder.createdAt + window { return false }
    if let existing { return uniqueness.states.contains(existing.status) }
    // The record is deleted, so the run has ended; the ledger still knows when it was created.
    return uniqueness.window != nil && uniqueness.states.contains { $0.isTerminal }
  }
}

private func create(_ input: UniqueInput, cancelled: Run?) -> UniquePlan {
  let start = max(input.now, input.run.notBefore)
  let ledger = UniqueLedger(
    run: input.run.id, createdAt: input.run.createdAt,
    expireAt: start + max(input.uniqueness.window ?? .zero, UniqueLedger.retention))
  return .create(input.run, ledger, cancelled: cancelled)
}
