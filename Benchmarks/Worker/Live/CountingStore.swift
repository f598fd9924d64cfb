#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import Synchronization

/// An SQLite store that counts the calls to it.
final class CountingStore: DueTimeStore, PurgingStore {
  let base: SQLiteStore
  private let state = Mutex<[String: Int]>([:])

  init(_ base: SQLiteStore) {
    self.base = base
  }

  var counts: [String: Int] { state.withLock { $0 } }

  func reset() { state.withLock { $0 = [:] } }

  private func count(_ name: String = #function) {
    state.withLock { $0[String(name.prefix { $0 != "(" }), default: 0] += 1 }
  }

  func dueTimes(within horizon: Duration) async throws(StoreError) -> DueTimes {
    count()
    return try await base.dueTimes(within: horizon)
  }

  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    count()
    return try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
  }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    count()
    return try await base.dueJobs(after: cursor, limit: limit)
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    count()
    return try await base.wakingRuns(after: cursor, limit: limit)
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    count()
    return try await base.jobs(after: cursor, limit: limit)
  }

  func runs(
    matching filter: RunFilter, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<RunRecord> {
    count()
    return try await base.runs(matching: filter, after: cursor, limit: limit)
  }

  func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    count()
    return try await base.journal(matching: filter, limit: limit)
  }

  func ledgers(
    in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<LedgerRecord> {
    count()
    return try await base.ledgers(in: family, after: cursor, limit: limit)
  }

  func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    count()
    return try await base.log(of: run, after: sequence, limit: limit)
  }

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    count()
    return try await base.commit(writes)
  }

  func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeExpired(limit: limit)
  }

  func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeLogs(limit: limit)
  }

  func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeLedgers(limit: limit)
  }

  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeJournal(before: time, limit: limit)
  }
}
#endif
