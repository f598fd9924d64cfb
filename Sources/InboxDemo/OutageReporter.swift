import CloudJobs
import CloudJobsCore
import Synchronization

/// A console reporter of outages: one line when a dependency fails, and one when it recovers.
final class OutageReporter: Sendable {
  /// A dependency of the demo.
  enum Component: Hashable {
    case reading
    case writing
    case emulator

    var failure: String {
      switch self {
      case .reading: "The store can't be read"
      case .writing: "The store can't be written"
      case .emulator: "The emulator fails"
      }
    }

    var recovery: String {
      switch self {
      case .reading: "The store can be read again"
      case .writing: "The store can be written again"
      case .emulator: "The emulator works again"
      }
    }
  }

  private let clock: any JobClock
  private let write: @Sendable (String) -> Void
  private let since = Mutex<[Component: Timestamp]>([:])

  /// Creates a reporter that writes to the console, or to a test's function.
  init(clock: any JobClock, write: @escaping @Sendable (String) -> Void = { Console.write($0) }) {
    self.clock = clock
    self.write = write
  }

  /// Records a failure.
  func failed(_ component: Component, _ reason: String) {
    let now = clock.now()
    let isNew = since.withLock { since in
      defer { since[component] = since[component] ?? now }
      return since[component] == nil
    }
    if isNew { write("! \(component.failure): \(Console.printable(reason)) Retrying until it works.") }
  }

  /// Records a success.
  func worked(_ component: Component) {
    guard let begin = since.withLock({ $0.removeValue(forKey: component) }) else { return }
    write("! \(component.recovery), after \((clock.now() - begin).components.seconds) s.")
  }
}

/// A store that reports its outages.
final class OutageReportingStore<Base: JobStore>: JobStore {
  private let base: Base
  private let outages: OutageReporter

  init(_ base: Base, _ outages: OutageReporter) {
    self.base = base
    self.outages = outages
  }

  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try await watch(.reading) { () async throws(StoreError) in
      try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
    }
  }

  func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? { base.hasWaiters(in: id, asOf: time) }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await watch(.reading) { () async throws(StoreError) in try await base.dueJobs(after: cursor, limit: limit) }
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try await watch(.reading) { () async throws(StoreError) in try await base.wakingRuns(after: cursor, limit: limit) }
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    try await watch(.reading) { () async throws(StoreError) in try await base.jobs(after: cursor, limit: limit) }
  }

  func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    try await watch(.reading) { () async throws(StoreError) in
      try await base.runs(matching: filter, after: cursor, limit: limit)
    }
  }

  func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    try await watch(.reading) { () async throws(StoreError) in try await base.journal(matching: filter, limit: limit) }
  }

  func ledgers(
    in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<LedgerRecord> {
    try await watch(.reading) { () async throws(StoreError) in
      try await base.ledgers(in: family, after: cursor, limit: limit)
    }
  }

  func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    try await watch(.reading) { () async throws(StoreError) in
      try await base.log(of: run, after: sequence, limit: limit)
    }
  }

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try await watch(.writing) { () async throws(StoreError) in try await base.commit(writes) }
  }

  private func watch<Result>(
    _ component: OutageReporter.Component, _ call: () async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    do throws(StoreError) {
      let result = try await call()
      outages.worked(component)
      return result
    } catch {
      switch error.code {
      case .unavailable, .unknownOutcome: outages.failed(component, error.message)
      // A conflict is a response of the store, and so is the refusal of a permit.
      case .conflict, .refused: outages.worked(component)
      case .invalid: break
      }
      throw error
    }
  }
}

extension OutageReportingStore: PurgingStore where Base: PurgingStore {
  func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    try await watch(.writing) { () async throws(StoreError) in try await base.purgeExpired(limit: limit) }
  }

  func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    try await watch(.writing) { () async throws(StoreError) in try await base.purgeLogs(limit: limit) }
  }

  func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    try await watch(.writing) { () async throws(StoreError) in try await base.purgeLedgers(limit: limit) }
  }

  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    try await watch(.writing) { () async throws(StoreError) in try await base.purgeJournal(before: time, limit: limit) }
  }
}

extension JobStore {
  /// Returns this store with its outages reported.
  func reportingOutages(to outages: OutageReporter) -> any JobStore { OutageReportingStore(self, outages) }
}
