import CloudJobs
import CloudJobsCore
import Synchronization

/// A store in memory that loses the response to a claim.
final class LosingClaims: ClaimingStore, DueTimeStore {
  let base: MemoryStore
  private let faults: Mutex<[Fault]>

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - base: the store that it calls.
  ///   - faults: what goes wrong with the first claims that change something.
  init(_ base: MemoryStore, _ faults: [Fault]) {
    self.base = base
    self.faults = Mutex(faults)
  }

  /// The number of faults that have not happened yet.
  var faultsLeft: Int { faults.withLock { $0.count } }

  func claim(
    after cursor: StoreCursor?, limit: Int, reading jobs: [JobID],
    _ plan: @escaping @Sendable ([RunRecord], StoreReading) -> [[Write]]
  ) async throws(StoreError) -> RunClaims {
    let page = try await base.wakingRuns(after: cursor, limit: limit)
    let isChange = plan(page.records, try await base.read(jobs: jobs, runs: [])).contains { !$0.isEmpty }
    let fault = isChange ? faults.withLock { $0.isEmpty ? nil : $0.removeFirst() } : nil
    if let fault, !fault.isApplied { throw fault.error }
    let claims = try await base.claim(after: cursor, limit: limit, reading: jobs, plan)
    if let fault { throw fault.error }
    return claims
  }

  func dueTimes(within horizon: Duration) async throws(StoreError) -> DueTimes {
    try await base.dueTimes(within: horizon)
  }

  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
  }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await base.dueJobs(after: cursor, limit: limit)
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try await base.wakingRuns(after: cursor, limit: limit)
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await base.jobs(after: cursor, limit: limit)
  }

  func runs(
    matching filter: RunFilter, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<RunRecord> {
    try await base.runs(matching: filter, after: cursor, limit: limit)
  }

  func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    try await base.journal(matching: filter, limit: limit)
  }

  func ledgers(
    in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<LedgerRecord> {
    try await base.ledgers(in: family, after: cursor, limit: limit)
  }

  func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    try await base.log(of: run, after: sequence, limit: limit)
  }

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp { try await base.commit(writes) }
}
