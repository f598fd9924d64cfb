package import CloudJobs
package import CloudJobsCore
import Synchronization

/// The operations of a store that Firestore would bill.
package struct BilledOperations: Hashable, Sendable {
  /// The documents read, missing ones included; one for a query that finds nothing.
  package var reads = 0
  /// The documents written.
  package var writes = 0
  /// The documents deleted.
  package var deletes = 0

  /// Creates a count of zero.
  package init() {}
}

/// A store that counts what its calls would cost on Firestore, by the calls that the store for Firestore makes.
///
/// A test compares it with the count of the emulated Firestore.
package final class BilledStore: PurgingStore {
  fileprivate struct State {
    var counts = BilledOperations()
    var newRuns = 0
    /// The ledgers and the fencing tokens that this process knows, so that no read is needed.
    var ledgers: Set<LedgerID> = []
    var fences: [RunID: Int64] = [:]
  }

  private let base: any JobStore
  private let state = Mutex(State())

  /// Creates a store that counts the calls to another one.
  package init(_ base: any JobStore) {
    self.base = base
  }

  /// The operations so far.
  package var counts: BilledOperations { state.withLock { $0.counts } }

  /// The number of runs that were created.
  package var newRuns: Int { state.withLock { $0.newRuns } }

  private func count(_ change: (inout BilledOperations) -> Void) { state.withLock { change(&$0.counts) } }

  /// Counts a page of a query, which asks for one record more than it returns.
  private func counted<Record>(_ page: StorePage<Record>) -> StorePage<Record> {
    count { $0.reads += max(1, page.records.count + (page.next == nil ? 0 : 1)) }
    return page
  }

  package func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    state.withLock { state in
      state.counts.reads += Set(jobs).count + Set(runs).count + Set(ledgers).count
      state.ledgers.formUnion(ledgers)
    }
    return try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
  }

  package func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? {
    state.withLock { $0.ledgers.contains(id) } ? base.hasWaiters(in: id, asOf: time) : nil
  }

  package func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    counted(try await base.dueJobs(after: cursor, limit: limit))
  }

  package func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    counted(try await base.wakingRuns(after: cursor, limit: limit))
  }

  package func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    counted(try await base.jobs(after: cursor, limit: limit))
  }

  package func runs(
    matching filter: RunFilter, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<RunRecord> {
    counted(try await base.runs(matching: filter, after: cursor, limit: limit))
  }

  package func ledgers(
    in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<LedgerRecord> {
    counted(try await base.ledgers(in: family, after: cursor, limit: limit))
  }

  package func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    let entries = try await base.journal(matching: filter, limit: limit)
    count { $0.reads += max(1, entries.count) }
    return entries
  }

  package func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    let entries = try await base.log(of: run, after: sequence, limit: limit)
    count { $0.reads += max(1, entries.count) }
    return entries
  }

  // MARK: Commits

  package func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    let changed = Set(writes.compactMap { write in if case .changeLedger(let id, _) = write { id } else { nil } })
    let tokens = writes.compactMap(\.fencingToken)
    let wasKnown = state.withLock { state in
      let isKnown = changed.isSubset(of: state.ledgers)
      if !isKnown { state.counts.reads += changed.count }
      let areKnown = tokens.allSatisfy { state.fences[$0.run] == $0.fence }
      if !areKnown { state.counts.reads += tokens.count }
      state.ledgers.formUnion(changed)
      return isKnown
    }
    do throws(StoreError) {
      let time = try await base.commit(writes)
      state.withLock { state in
        for write in writes { state.apply(write) }
      }
      return time
    } catch {
      // A refusal and a conflict hold only for what was read for them.
      if error.code == .refused, wasKnown { count { $0.reads += changed.count } }
      if error.code == .conflict, !(changed.isEmpty && tokens.isEmpty) {
        count { $0.reads += changed.count + tokens.count }
      }
      throw error
    }
  }

  // MARK: Purges

  package func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    let found = try await purge { store throws(StoreError) in try await store.purgeExpired(limit: limit) }
    // The records of effects are looked for when all runs are done.
    if found < StoreLimits.page(limit) { count { $0.reads += 1 } }
    return found
  }

  package func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    try await purge { store throws(StoreError) in try await store.purgeLogs(limit: limit) }
  }

  package func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    try await purge { store throws(StoreError) in try await store.purgeLedgers(limit: limit) }
  }

  package func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    try await purge { store throws(StoreError) in try await store.purgeJournal(before: time, limit: limit) }
  }

  private func purge(
    _ purge: (any PurgingStore) async throws(StoreError) -> Int
  ) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    let found = try await purge(base)
    count { counts in
      counts.reads += max(1, found)
      counts.deletes += found
    }
    return found
  }
}

extension BilledStore.State {
  fileprivate mutating func apply(_ write: Write) {
    switch write {
    case .deleteRun, .deleteJob, .putLedger(_, nil, _): counts.deletes += 1
    case .putRun(let run, _):
      counts.writes += 1
      if write.precondition == .absent { newRuns += 1 }
      fences[run.id] = run.status.isTerminal ? nil : run.fence
    case .putConfiguration, .patchState, .putLedger, .changeLedger, .putJournal, .putLog: counts.writes += 1
    }
  }
}

extension Write {
  /// The run whose fencing token the write requires, and the token.
  fileprivate var fencingToken: (run: RunID, fence: Int64)? {
    guard case .putRun(let run, _) = self else { return nil }
    switch precondition {
    case .fence(let token), .attempt(let token, _): return (run.id, token)
    case .none, .absent, .version: return nil
    }
  }
}
