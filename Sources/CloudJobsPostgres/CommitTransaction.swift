#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// The documents of a transaction as they are under its locks, and what its commits change.
///
/// It decides everything about commits, and calls nothing: the statements that it needs and makes are values.
struct CommitTransaction {
  /// The columns of a stored run that a precondition depends on.
  private struct RunKey {
    var version: Int64
    var fence: Int64
    var amendments: Int64
  }

  /// The change of a document.
  private enum Change<Value> {
    case insert(Value)
    case update(Value)
    case delete
  }

  /// The version of a document that a commit of this transaction has changed: no precondition names it.
  private static let noVersion = Int64.min

  // The documents as the commits before have left them.
  private var runs: [RunID: RunKey] = [:]
  private var jobs: [String: StoredJob] = [:]
  private var ledgers: [LedgerID: LedgerRecord] = [:]
  // The documents that are stored, and their versions.
  private var storedRuns: Set<RunID> = []
  private var storedJobs: [String: Int64] = [:]
  private var changedRuns: [RunID: Change<Run>] = [:]
  private var changedJobs: [String: Change<StoredJob>] = [:]
  private var changedLedgers: Set<LedgerID> = []
  /// The jobs that are locked by their keys, stored or not.
  private var lockedJobs: Set<String> = []
  /// The ledgers that are locked by their keys, stored or not.
  private var lockedLedgers: Set<LedgerID> = []
  /// The versions of the stored ledgers.
  private var storedLedgers: [LedgerID: Version] = [:]
  private var journal: [PassJournalEntry] = []
  private var logs: [RunLogEntry] = []
  /// The time of the commits.
  private(set) var time = Timestamp.distantPast
  /// Whether other processes should look for due work.
  private(set) var makesWorkSooner = false

  /// Creates the transaction of no commits.
  init() {}

  // MARK: Locks

  /// The documents that commits depend on.
  struct Targets {
    fileprivate(set) var jobs: [String] = []
    fileprivate(set) var runs: [RunID] = []
    fileprivate(set) var ledgers: [LedgerID] = []

    /// Whether there are none.
    var isEmpty: Bool { jobs.isEmpty && runs.isEmpty && ledgers.isEmpty }

    /// Creates the targets of writes, each in the order of the ids.
    ///
    /// - Parameters:
    ///   - writes: the writes.
    ///   - locked: the runs that are locked already.
    init(of writes: some Sequence<Write>, locked: Set<RunID> = []) {
      var (jobs, runs, ledgers): (Set<String>, Set<RunID>, Set<LedgerID>) = ([], [], [])
      for write in writes {
        switch write {
        case .putRun(let run, _): runs.insert(run.id)
        case .deleteRun(let id, _): runs.insert(id)
        case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _):
          jobs.insert(id.rawValue)
        case .putLedger(let id, _, _), .changeLedger(let id, _): ledgers.insert(id)
        case .putJournal, .putLog: break
        }
      }
      self.jobs = jobs.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      self.runs = runs.subtracting(locked).sorted()
      self.ledgers = ledgers.sorted()
    }

    /// Creates the target of a job's document.
    init(job: String) {
      jobs = [job]
    }
  }

  /// Returns the statements that lock and read documents.
  ///
  /// - Parameters:
  ///   - targets: the documents.
  ///   - statements: the statements of the schema.
  ///   - cache: the ledgers that need not be read again.
  /// - Returns: the statements, and the ledgers as known.
  static func locks(
    _ targets: Targets, _ statements: CommitStatements, _ cache: LedgerCache
  ) -> (statements: [Statement], known: [LedgerID: LedgerRecord]) {
    var known: [LedgerID: LedgerRecord] = [:]
    for id in targets.ledgers { known[id] = cache[id] }
    var locks: [Statement] = []
    if !targets.runs.isEmpty { locks.append(statements.lock(runs: targets.runs)) }
    if !targets.jobs.isEmpty {
      locks.append(statements.lock(jobs: targets.jobs))
      locks.append(statements.read(jobs: targets.jobs))
    }
    if !targets.ledgers.isEmpty {
      locks.append(statements.lock(ledgers: targets.ledgers))
      locks.append(statements.read(ledgers: targets.ledgers.map { ($0, known[$0]?.version) }))
    }
    return (locks, known)
  }

  /// Takes in the documents that were locked.
  ///
  /// A document that another transaction created between the lock and the reading is read, but not locked: then all are
  /// to be locked and read again. So is one whose key is missing, after ``missingKeys(_:_:)``.
  ///
  /// - Parameters:
  ///   - targets: the documents that were asked for.
  ///   - known: the ledgers as known before.
  ///   - results: the rows of the statements of ``locks(_:_:_:)``.
  ///   - time: the time under the locks.
  /// - Returns: whether all that exist are locked.
  mutating func take(
    _ targets: Targets, known: [LedgerID: LedgerRecord], _ results: some Sequence<QueryResult>, at time: Timestamp
  ) -> Bool {
    var results = results.makeIterator()
    advance(to: time)
    for id in targets.jobs { (jobs[id], storedJobs[id]) = (nil, nil) }
    for id in targets.ledgers { (ledgers[id], storedLedgers[id]) = (nil, nil) }
    if !targets.runs.isEmpty, let rows = results.next() {
      for row in 0..<rows.count {
        guard let id = rows.bytes(row, 0).flatMap({ RunID(bytes: $0) }) else { continue }
        takeRun(id, version: rows.int64(row, 1), fence: rows.int64(row, 2), amendments: rows.int64(row, 3))
      }
    }
    if !targets.jobs.isEmpty, let keys = results.next(), let rows = results.next() {
      lockedJobs.formUnion((0..<keys.count).compactMap { keys.text($0, 0) })
      for row in 0..<rows.count {
        let id = rows.text(row, 0) ?? ""
        jobs[id] = StoredJob(
          version: rows.int64(row, 1) ?? 0, configuration: rows.text(row, 2) ?? "", state: rows.text(row, 3))
        storedJobs[id] = rows.int64(row, 1)
      }
    }
    if !targets.ledgers.isEmpty, let keys = results.next(), let rows = results.next() {
      lockedLedgers.formUnion((0..<keys.count).compactMap { row in keys.text(row, 0).flatMap { try? LedgerID($0) } })
      for row in 0..<rows.count { takeLedger(rows, row, known) }
    }
    return unlockedJobs(targets).isEmpty && unlockedLedgers(targets).isEmpty
  }

  private func unlockedJobs(_ targets: Targets) -> [String] {
    targets.jobs.filter { jobs[$0] != nil && !lockedJobs.contains($0) }
  }

  private func unlockedLedgers(_ targets: Targets) -> [LedgerID] {
    targets.ledgers.filter { storedLedgers[$0] != nil && !lockedLedgers.contains($0) }
  }

  /// Returns the statements that add keys to the documents that are stored and not locked, unless they have keys.
  func missingKeys(_ targets: Targets, _ statements: CommitStatements) -> [Statement] {
    let (jobs, ledgers) = (unlockedJobs(targets), unlockedLedgers(targets))
    return (jobs.isEmpty ? [] : [statements.insert(keysOfJobs: jobs)])
      + (ledgers.isEmpty ? [] : [statements.insert(keysOfLedgers: ledgers)])
  }

  /// Notes the time under the locks.
  mutating func advance(to time: Timestamp) { self.time = max(self.time, time) }

  /// Takes in a run that was locked.
  mutating func takeRun(_ id: RunID, version: Int64?, fence: Int64?, amendments: Int64?) {
    runs[id] = RunKey(version: version ?? 0, fence: fence ?? 0, amendments: amendments ?? 0)
    storedRuns.insert(id)
  }

  private mutating func takeLedger(_ rows: QueryResult, _ row: Int, _ known: [LedgerID: LedgerRecord]) {
    guard let id = rows.text(row, 0).flatMap({ try? LedgerID($0) }) else { return }
    storedLedgers[id] = Version(rows.int64(row, 1) ?? 0)
    let changedAt = rows.int64(row, 2).map { Timestamp(microseconds: $0) } ?? .distantPast
    // An account never sees time go backwards, even if the server's clock does.
    time = max(time, changedAt)
    if let document = rows.bytes(row, 3) {
      ledgers[id] = LedgerRecord(
        id: id.rawValue, version: rows.int64(row, 1), changedAt: rows.int64(row, 2), document: document)
    } else {
      ledgers[id] = known[id]
    }
  }

  // MARK: Commits

  /// Applies a commit, if all its preconditions hold.
  ///
  /// - Parameter writes: the changes.
  /// - Throws: ``StoreError`` `conflict` or `refused`; then nothing of the commit is applied.
  mutating func apply(_ writes: [Write]) throws(StoreError) {
    var accounts: [LedgerID: LedgerRecord] = [:]
    for write in writes {
      if !holds(write) { throw .conflict(on: write) }
      guard case .changeLedger(let id, let change) = write else { continue }
      let record = ledgers[id]
      let ledger = try record.applying(change, at: time)
      accounts[id] = LedgerRecord(id: id, version: record?.version ?? Version(0), changedAt: time, ledger: ledger)
    }
    for write in writes { apply(write, accounts) }
    makesWorkSooner = makesWorkSooner || writes.contains { $0.makesWorkSooner }
  }

  private func holds(_ write: Write) -> Bool {
    let precondition = write.precondition
    switch write {
    case .putRun(let run, _): return holds(precondition, runs[run.id])
    case .deleteRun(let id, _): return holds(precondition, runs[id])
    case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _):
      let version = jobs[id.rawValue].map { Version($0.version) }
      return precondition.holds(version: version, fence: nil, amendments: nil)
    case .putLedger(let id, _, _), .changeLedger(let id, _):
      return precondition.holds(version: ledgers[id]?.version, fence: nil, amendments: nil)
    case .putJournal, .putLog: return true
    }
  }

  private func holds(_ precondition: Precondition, _ run: RunKey?) -> Bool {
    precondition.holds(version: run.map { Version($0.version) }, fence: run?.fence, amendments: run?.amendments)
  }

  private mutating func apply(_ write: Write, _ accounts: [LedgerID: LedgerRecord]) {
    switch write {
    case .putRun(let run, _):
      changedRuns[run.id] = storedRuns.contains(run.id) ? .update(run) : .insert(run)
      runs[run.id] = RunKey(version: Self.noVersion, fence: run.fence, amendments: run.amendments)
    case .deleteRun(let id, _):
      changedRuns[id] = storedRuns.contains(id) ? .delete : nil
      runs[id] = nil
    case .putConfiguration(let id, let configuration, _):
      put(StoredJob(jobs[id.rawValue], configuration: configuration), id.rawValue)
    case .patchState(let id, let patch, _): put(StoredJob(jobs[id.rawValue], patch: patch), id.rawValue)
    case .deleteJob(let id, _):
      changedJobs[id.rawValue] = storedJobs[id.rawValue] == nil ? nil : .delete
      jobs[id.rawValue] = nil
    case .putLedger(let id, let ledger, _):
      if ledger == nil, storedLedgers[id] == nil { return }
      changedLedgers.insert(id)
      ledgers[id] = ledger.map { LedgerRecord(id: id, version: Version(0), changedAt: time, ledger: $0) }
    case .changeLedger(let id, _):
      changedLedgers.insert(id)
      ledgers[id] = accounts[id]
    case .putJournal(let entry): journal.append(entry)
    case .putLog(let entry): logs.append(entry)
    }
  }

  /// Replaces a job's document, which is locked.
  mutating func put(_ job: StoredJob, _ id: String) {
    changedJobs[id] = storedJobs[id] == nil ? .insert(job) : .update(job)
    jobs[id] = job
    jobs[id]?.version = Self.noVersion
  }

  // MARK: Changes

  /// Whether there are no changes.
  var isUnchanged: Bool {
    changedRuns.isEmpty && changedJobs.isEmpty && changedLedgers.isEmpty && journal.isEmpty && logs.isEmpty
  }

  /// Returns the statements that make the changes; those of ledgers return ids and versions.
  func changes(_ statements: CommitStatements) -> [Statement] {
    var changes: [Statement] = []
    changes += jobChanges(statements)
    let runs = changedRuns.sorted { $0.key < $1.key }
    let newRuns = runs.compactMap { if case .insert(let run) = $0.value { run } else { nil } }
    let oldRuns = runs.compactMap { if case .update(let run) = $0.value { run } else { nil } }
    let goneRuns = runs.compactMap { id, change in if case .delete = change { id } else { nil } }
    if !newRuns.isEmpty { changes.append(statements.insert(newRuns, skipsExisting: false)) }
    if !oldRuns.isEmpty { changes.append(statements.update(oldRuns.map { ($0, Precondition.none) })) }
    if !goneRuns.isEmpty { changes.append(statements.delete(goneRuns)) }
    changes += ledgerChanges(statements)
    let journal = journal.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    if !journal.isEmpty { changes.append(statements.put(journal: journal)) }
    let logs = logs.sorted { ($0.run, $0.sequence) < ($1.run, $1.sequence) }
    if !logs.isEmpty { changes.append(statements.put(logs: logs)) }
    return changes
  }

  private func jobChanges(_ statements: CommitStatements) -> [Statement] {
    let jobs = changedJobs.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    let new = jobs.compactMap { id, change in if case .insert(let job) = change { (id: id, job: job) } else { nil } }
    let old = jobs.compactMap { id, change in if case .update(let job) = change { (id: id, job: job) } else { nil } }
    let gone = jobs.compactMap { id, change in if case .delete = change { id } else { nil } }
    var changes: [Statement] = []
    if !new.isEmpty {
      changes.append(statements.insert(jobs: new, keys: new.map(\.id).filter { !lockedJobs.contains($0) }))
    }
    if !old.isEmpty {
      changes.append(statements.update(jobs: old, old.compactMap { storedJobs[$0.id] }))
    }
    if !gone.isEmpty { changes.append(statements.delete(jobs: gone)) }
    return changes
  }

  private func ledgerChanges(_ statements: CommitStatements) -> [Statement] {
    let ids = changedLedgers.sorted()
    let kept = ids.compactMap { id in ledgers[id]?.ledger.map { (id: id, ledger: $0) } }
    let new = kept.filter { storedLedgers[$0.id] == nil }
    let old = kept.filter { storedLedgers[$0.id] != nil }
    let gone = ids.filter { ledgers[$0]?.ledger == nil && storedLedgers[$0] != nil }
    var changes: [Statement] = []
    if !new.isEmpty {
      let keys = new.map(\.id).filter { !lockedLedgers.contains($0) }
      changes.append(statements.insert(ledgers: new, keys: keys, at: time))
    }
    if !old.isEmpty {
      changes.append(statements.update(ledgers: old, old.compactMap { storedLedgers[$0.id] }, at: time))
    }
    if !gone.isEmpty { changes.append(statements.delete(ledgers: gone)) }
    return changes
  }

  /// Returns the changed ledgers as stored, for the cache.
  ///
  /// - Parameter results: the rows of all statements of ``changes(_:)``.
  /// - Returns: the ledgers with their new versions.
  func committedLedgers(_ results: [QueryResult]) -> [LedgerRecord] {
    results.filter { $0.columns == ["id", "version"] }.flatMap { rows in
      (0..<rows.count).compactMap { row in
        guard let id = rows.text(row, 0).flatMap({ try? LedgerID($0) }), let version = rows.int64(row, 1) else {
          return nil
        }
        return LedgerRecord(id: id, version: Version(version), changedAt: time, ledger: ledgers[id]?.ledger)
      }
    }
  }
}
#endif
