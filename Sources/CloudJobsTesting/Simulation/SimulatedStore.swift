import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A store whose calls a simulation waits for: time does not move while a call is under way on another thread.
struct SimulatedStore: PurgingStore {
  let base: any JobStore
  let executor: DeterministicExecutor
  let commits = CommitCounter()

  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try await executor.outside { () async throws(StoreError) in
      try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
    }
  }

  func knownLedger(_ id: LedgerID, asOf time: Timestamp) -> LedgerRecord? { base.knownLedger(id, asOf: time) }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await executor.outside { () async throws(StoreError) in try await base.dueJobs(after: cursor, limit: limit) }
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try await executor.outside { () async throws(StoreError) in try await base.wakingRuns(after: cursor, limit: limit) }
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await executor.outside { () async throws(StoreError) in try await base.jobs(after: cursor, limit: limit) }
  }

  func runs(
    matching filter: RunFilter, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<RunRecord> {
    try await executor.outside { () async throws(StoreError) in
      try await base.runs(matching: filter, after: cursor, limit: limit)
    }
  }

  func journal(until time: Timestamp, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    try await executor.outside { () async throws(StoreError) in try await base.journal(until: time, limit: limit) }
  }

  func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    try await executor.outside { () async throws(StoreError) in
      try await base.log(of: run, after: sequence, limit: limit)
    }
  }

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    commits.add()
    return try await executor.outside { () async throws(StoreError) in try await base.commit(writes) }
  }

  func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await executor.outside { () async throws(StoreError) in try await base.purgeExpired(limit: limit) }
  }

  func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await executor.outside { () async throws(StoreError) in try await base.purgeLogs(limit: limit) }
  }

  func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await executor.outside { () async throws(StoreError) in try await base.purgeLedgers(limit: limit) }
  }

  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await executor.outside { () async throws(StoreError) in
      try await base.purgeJournal(before: time, limit: limit)
    }
  }
}

/// The number of commits of a simulation.
final class CommitCounter: Sendable {
  private let total = Atomic(0)

  var count: Int { total.load(ordering: .relaxed) }

  func add() {
    total.add(1, ordering: .relaxed)
  }
}
