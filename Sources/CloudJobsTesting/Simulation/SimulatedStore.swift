import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A store whose calls a simulation waits for, and lets fail: time does not move while a call is under way on another
/// thread.
struct SimulatedStore: PurgingStore {
  let base: any JobStore
  let executor: DeterministicExecutor
  let commits: CommitCounter
  let faults: SimulatedFaults
  let life: ProcessLife

  private func call<Result>(_ operation: () async throws(StoreError) -> Result) async throws(StoreError) -> Result {
    if life.hasEnded { throw StoreError(.unavailable, "The simulated process has ended.") }
    if faults.strikes(.store) { throw StoreError(.unavailable, "The simulation lets the store fail.") }
    return try await executor.outside(operation)
  }

  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try await call { () async throws(StoreError) in
      try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
    }
  }

  func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? { base.hasWaiters(in: id, asOf: time) }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await call { () async throws(StoreError) in try await base.dueJobs(after: cursor, limit: limit) }
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try await call { () async throws(StoreError) in try await base.wakingRuns(after: cursor, limit: limit) }
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await call { () async throws(StoreError) in try await base.jobs(after: cursor, limit: limit) }
  }

  func runs(
    matching filter: RunFilter, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<RunRecord> {
    try await call { () async throws(StoreError) in
      try await base.runs(matching: filter, after: cursor, limit: limit)
    }
  }

  func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    try await call { () async throws(StoreError) in try await base.journal(matching: filter, limit: limit) }
  }

  func ledgers(
    in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<LedgerRecord> {
    try await call { () async throws(StoreError) in
      try await base.ledgers(in: family, after: cursor, limit: limit)
    }
  }

  func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    try await call { () async throws(StoreError) in
      try await base.log(of: run, after: sequence, limit: limit)
    }
  }

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    commits.add()
    if faults.strikes(.commitConflict) { throw StoreError(.conflict, "The simulation lets the commit conflict.") }
    let time = try await call { () async throws(StoreError) in try await base.commit(writes) }
    if faults.strikes(.lostCommitResponse) {
      throw StoreError(.unknownOutcome, "The simulation lets the response to the commit get lost.")
    }
    return time
  }

  func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await call { () async throws(StoreError) in try await base.purgeExpired(limit: limit) }
  }

  func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await call { () async throws(StoreError) in try await base.purgeLogs(limit: limit) }
  }

  func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await call { () async throws(StoreError) in try await base.purgeLedgers(limit: limit) }
  }

  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    guard let base = base as? any PurgingStore else { return 0 }
    return try await call { () async throws(StoreError) in
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
