public import CloudJobsCore
import Synchronization

extension LocalEmulator {
  /// Whether what happens is kept in a journal.
  public var isJournaled: Bool { shared.withLock { $0.journal != nil } }

  /// Goes on where a journal ends, and from now on writes into it; deliveries that were in flight are made again.
  ///
  /// - Parameters:
  ///   - recovery: the journal's snapshot and all records after it, applied.
  ///   - journal: the journal.
  public func resume(_ recovery: EmulatorRecovery, journal: any EmulatorJournal) {
    shared.withLock { shared in
      var recovery = recovery
      shared.journal = journal
      shared.offset = recovery.snapshot.offset
      shared.lastTime = max(shared.lastTime, recovery.snapshot.time)
      let now = time(&shared)
      if !recovery.isFresh {
        journal.append(JournalRecord(time: now, change: .event(.resumed)))
        recovery.resume(at: now)
      }
      shared.state = recovery.snapshot.state
      shared.open = recovery.snapshot.deliveries
      shared.outbox = shared.open.all
      shared.generation += 1
      for dispatch in shared.outbox {
        shared.trace.append([.dispatch(dispatch)], at: now)
      }
    }
    changes.notify()
  }

  /// Suspends until all that has happened so far is on record; at once where there is no journal.
  ///
  /// - Throws: ``JobError`` where the journal can't be written.
  public func makeDurable() async throws(JobError) {
    try await shared.withLock { $0.journal }?.flush()
  }

  /// Begins a new part of the journal where one is due.
  ///
  /// - Returns: the journal, which then has a snapshot to save; nil where none is due.
  func cutJournal() -> (any EmulatorJournal)? {
    shared.withLock { shared in
      guard let journal = shared.journal, journal.isSnapshotDue else { return nil }
      journal.cut(at: shared.snapshot)
      return journal
    }
  }
}
