/// The writes by which runs take permits, wait for them and give them back.
extension Run {
  /// Returns the changes of ledgers that belong to the claim of the run: it takes a permit of each limit.
  ///
  /// - Parameter limits: the limits of its job.
  /// - Returns: the changes; none if there are no limits.
  package func permitClaims(_ limits: [JobLimit]) -> [Write] {
    guard let lease else { return [] }
    return limits.map { .changeLedger($0.ledger, .take(LimitPermit(id, until: lease.expiresAt, $0))) }
  }

  /// Returns the changes of ledgers that belong to the wait of the run: it waits in one, and leaves the one before.
  ///
  /// - Parameters:
  ///   - limits: the limits of its job.
  ///   - before: the ledger for which it waited; nil for none.
  /// - Returns: the changes, or nothing.
  package func enlistment(_ limits: [JobLimit], before: LedgerID? = nil) -> [Write] {
    var writes: [Write] = []
    // What was reserved for it there is room for another.
    if let before, before != waitsFor { writes.append(.changeLedger(before, .dismiss([id]))) }
    guard let limit = limits.first(where: { $0.ledger == waitsFor }) else { return writes }
    return writes + [.changeLedger(limit.ledger, .enlist(LimitPermit(id, until: notBefore, limit, priority: priority)))]
  }

  /// Returns the writes that commit the end of the run's attempt, and give its permits back.
  ///
  /// - Parameter precondition: the precondition of the run's write.
  /// - Returns: the writes, that of the run first.
  package func writesGivingPermitsBack(_ precondition: Precondition) -> [Write] {
    var run = self
    run.permits = []
    return [.putRun(run, precondition)] + permits.map { .changeLedger($0, .give([id])) }
  }

  /// Returns the run with its next attempt at once, because there is room in the limit that it waits for.
  ///
  /// - Parameters:
  ///   - settings: the runtime's settings.
  ///   - now: the store's time.
  /// - Returns: the run, still waiting.
  package func woken(_ settings: PlanSettings, at now: Timestamp) -> Run {
    var run = self
    run.notBefore = now
    return run.reenqueued(settings, now: now)
  }
}

extension [(Run, Version)] {
  /// The writes that commit runs under their versions, and give back the permits that their attempts held.
  package var writesGivingPermitsBack: [Write] {
    var writes = [Write]()
    var given = [LedgerID: [RunID]]()
    for (var run, version) in self {
      for id in run.permits { given[id, default: []].append(run.id) }
      run.permits = []
      writes.append(.putRun(run, .version(version)))
    }
    return writes + given.sorted { $0.key < $1.key }.map { .changeLedger($0.key, .give($0.value)) }
  }
}

/// Decides which runs are woken after a permit was given back: as many as fit, those that wait longest first.
///
/// - Parameters:
///   - ledger: the ledger of the limit.
///   - waiters: the first runs that wait by the ledger, apart from those for which it keeps a permit.
///   - runs: these runs as stored; absent if they are deleted or invalid.
///   - room: the number of permits that the limit leaves.
///   - now: the store's time.
/// - Returns: the runs to wake, those that no longer wait for this limit, and the number of permits that will be taken:
///   by the woken runs, and by those whose time has just come anyway.
package func planWaking(
  _ ledger: LedgerID, waiters: [RunID], runs: [RunID: Run], room: Int, now: Timestamp
) -> (woken: [RunID], dismissed: [RunID], taken: Int) {
  var (woken, dismissed, taken) = ([RunID](), [RunID](), 0)
  for id in waiters where taken < room {
    // Its claim has removed it from the ledger; it may wait again by now.
    if runs[id]?.status == .running { continue }
    guard let run = runs[id], !run.status.isTerminal, run.waitsFor == ledger else {
      dismissed.append(id)
      continue
    }
    // One whose time has come is on its way to one of the permits, unless its delivery was lost.
    if now < run.notBefore || run.notBefore + LimitLedger.firstRetry <= now { woken.append(id) }
    taken += 1
  }
  return (woken, dismissed, taken)
}
