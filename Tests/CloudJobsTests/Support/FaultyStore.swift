import CloudJobs
import CloudJobsCore
import Synchronization

/// A store that counts what it is asked, and fails where a test tells it to.
final class FaultyStore: JobStore {
  struct Counts: Equatable {
    var reads = 0
    var queries = 0
    var readDocuments = 0
    var writtenDocuments = 0
    var commits = 0
  }

  private struct State {
    var counts = Counts()
    var faults: [Int: Fault] = [:]
    var isDown = false
    var beforeCommit: (@Sendable ([Write]) async -> Void)?
    var beforeRead: (@Sendable () async -> Void)?
  }

  let base: MemoryStore
  private let state = Mutex(State())

  init(_ base: MemoryStore) {
    self.base = base
  }

  var counts: Counts { state.withLock { $0.counts } }

  func reset() { state.withLock { $0 = State() } }

  /// Lets the nth commit from now on fail, from 1.
  func fail(commit number: Int, _ fault: Fault) {
    state.withLock { $0.faults[$0.counts.commits + number] = fault }
  }

  var isDown: Bool {
    get { state.withLock { $0.isDown } }
    set { state.withLock { $0.isDown = newValue } }
  }

  /// Calls a function with each commit before it takes place.
  func onCommit(_ call: (@Sendable ([Write]) async -> Void)?) { state.withLock { $0.beforeCommit = call } }

  /// Calls a function before each read.
  func onRead(_ call: (@Sendable () async -> Void)?) { state.withLock { $0.beforeRead = call } }

  private func count(_ change: (inout Counts) -> Void) throws(StoreError) {
    let isDown = state.withLock { state in
      change(&state.counts)
      return state.isDown
    }
    if isDown { throw Fault.unavailable.error }
  }

  private func counted<Record>(_ page: StorePage<Record>) throws(StoreError) -> StorePage<Record> {
    try count { $0.readDocuments += page.records.count }
    return page
  }

  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try count {
      $0.reads += 1
      $0.readDocuments += jobs.count + runs.count + ledgers.count
    }
    await state.withLock { $0.beforeRead }?()
    return try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
  }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try count { $0.queries += 1 }
    return try counted(await base.dueJobs(after: cursor, limit: limit))
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try count { $0.queries += 1 }
    return try counted(await base.wakingRuns(after: cursor, limit: limit))
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try count { $0.queries += 1 }
    return try counted(await base.jobs(after: cursor, limit: limit))
  }

  func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    try count { $0.queries += 1 }
    return try counted(await base.runs(matching: filter, after: cursor, limit: limit))
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

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    let (fault, call) = state.withLock { state in
      state.counts.commits += 1
      return (state.faults[state.counts.commits], state.beforeCommit)
    }
    try count { _ in }
    await call?(writes)
    if let fault, !fault.isApplied { throw fault.error }
    let time = try await base.commit(writes)
    try count { $0.writtenDocuments += writes.count }
    if let fault { throw fault.error }
    return time
  }
}
