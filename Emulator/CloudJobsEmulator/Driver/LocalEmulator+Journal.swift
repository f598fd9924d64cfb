public import CloudJobsCore
import Synchronization

extension LocalEmulator {
  /// Whether what happens is kept in a journal.
  public var isJournaled: Bool { shared.withLock { $0.journal != nil } }

  /// Goes on where a journal ends, and from now on writes into it; deliveries that were in flight are made again.
  ///
  /// - Parameters:
  ///   - recovery: all records of the journal, applied.
  ///   - journal: the journal.
  public func resume(_ recovery: EmulatorRecovery, journal: any EmulatorJournal) {
    shared.withLock { shared in
      var recovery = recovery
      shared.journal = journal
      shared.offset = recovery.offset
      shared.lastTime = max(shared.lastTime, recovery.time)
      let now = time(&shared)
      if recovery.count > 0 {
        journal.append(JournalRecord(time: now, change: .event(.resumed)))
        recovery.resume(at: now)
      }
      shared.state = recovery.state
      shared.outbox = recovery.outstanding
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
}
