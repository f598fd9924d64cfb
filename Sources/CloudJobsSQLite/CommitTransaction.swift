#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB
import Synchronization

/// A write transaction of the database, with the time and the versions of its commits.
final class CommitTransaction {
  let database: Database
  let time: Timestamp
  private var lastCommit: LastCommit
  private var ledgers: TransactionLedgers
  private var savedLedgers: [LedgerRecord] = []
  /// The keys of runs that the transaction has read and not changed.
  private var keys: [RunID: StoredRun.Key] = [:]

  init(_ database: Database, clock: MonotonicClock, ledgers: LedgerCache) throws {
    self.database = database
    self.ledgers = TransactionLedgers(ledgers)
    lastCommit = try LastCommit(database)
    time = clock.advance(past: lastCommit.lastTime)
  }

  /// Stores the changed ledgers, the latest version and the time; called last before the database commits.
  ///
  /// - Returns: the ledgers that the transaction has changed.
  func finish() throws -> [LedgerRecord] {
    savedLedgers += try ledgers.save(database)
    try lastCommit.save(database, time: time)
    return savedLedgers
  }

  /// Makes changes of a caller, which are rolled back if they fail, without the other commits of the transaction.
  ///
  /// SQLite itself rolls back the whole transaction after some errors, such as a full disk
  /// (<https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction>).
  ///
  /// - Parameter body: makes the changes; it may also change the store's tables.
  /// - Returns: the body's value or error.
  /// - Throws: `DatabaseError` if the whole transaction was rolled back.
  func callersChange<Value>(_ body: (Database) throws -> Value) throws -> Result<Value, any Error> {
    savedLedgers += try ledgers.save(database)
    ledgers.forget()
    keys = [:]
    try lastCommit.save(database, time: time)
    var result: Result<Value, any Error>?
    do {
      try database.inSavepoint {
        result = .success(try body(database))
        return .commit
      }
    } catch {
      result = .failure(error)
    }
    guard database.isInsideTransaction, let result else {
      if case .failure(let error as DatabaseError)? = result { throw error }
      throw DatabaseError(resultCode: .SQLITE_ABORT, message: "The changes ended the transaction.")
    }
    lastCommit = try LastCommit(database)
    lastCommit.noteChange()
    return result
  }

  /// Makes all changes, or none.
  ///
  /// - Parameter writes: the changes.
  /// - Returns: whether they were made.
  /// - Throws: the database's error.
  func outcome(of writes: [Write]) throws -> Result<Void, StoreError> {
    do {
      try StoreLimits.check(writes)
      try apply(writes)
      return .success(())
    } catch let error as StoreError {
      return .failure(error)
    }
  }

  /// Makes all changes; a ``StoreError`` is only thrown before the first of them.
  ///
  /// - Parameters:
  ///   - writes: the changes.
  ///   - documents: the documents of runs among them, as far as they are encoded already, in the same order.
  /// - Throws: ``StoreError``, `DatabaseError`.
  func apply(_ writes: [Write], documents: [String?] = []) throws {
    if try applyEndOfAttempt(writes, document: documents.first ?? nil) { return }
    let targets = try writes.map { write in
      let target = try target(of: write)
      guard
        write.precondition.holds(
          version: target.version, fence: target.fence, amendments: target.amendments)
      else {
        throw StoreError.conflict(on: write)
      }
      return target
    }
    for (index, write) in writes.enumerated() {
      try apply(write, targets[index], document: index < documents.count ? documents[index] : nil)
    }
  }

  /// Notes the key of a run that was read in the transaction.
  func note(_ key: StoredRun.Key, of run: RunID) { keys[run] = key }

  /// Makes the only change of a commit in one step, if an attempt makes it that holds its run.
  ///
  /// - Returns: whether it was made; otherwise its precondition may not hold.
  private func applyEndOfAttempt(_ writes: [Write], document: String?) throws -> Bool {
    guard writes.count == 1, case .putRun(let run, .attempt(let token, let amendments)) = writes[0] else {
      return false
    }
    keys[run.id] = nil
    return try StoredRun.update(
      run, heldBy: token, amendments, document: document ?? run.document, version: try lastCommit.nextVersion(),
      database)
  }

  private func key(of run: RunID) throws -> StoredRun.Key? {
    try keys[run] ?? StoredRun.Key.fetch(run, database)
  }

  /// The stored record that a write changes.
  private enum StoredTarget {
    case run(StoredRun.Key?)
    case job(StoredJob?)
    /// The stored ledger, and what it becomes.
    case ledger(LedgerRecord?, Ledger?)
    case journal
    case log

    var version: Version? {
      switch self {
      case .run(let run): run.map { Version($0.version) }
      case .job(let job): job.map { Version($0.version) }
      case .ledger(let ledger, _): ledger?.version
      case .journal, .log: nil
      }
    }

    var fence: Int64? {
      if case .run(let run) = self { run?.fence } else { nil }
    }

    var amendments: Int64? {
      if case .run(let run) = self { run?.amendments } else { nil }
    }
  }

  private func target(of write: Write) throws -> StoredTarget {
    switch write {
    case .putRun(let run, _): .run(try key(of: run.id))
    case .deleteRun(let id, _): .run(try key(of: id))
    case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _):
      .job(try job(id.rawValue))
    case .putLedger(let id, let ledger, _): .ledger(try ledgers.record(id, database), ledger)
    case .changeLedger(let id, let change): try changed(id, by: change)
    case .putJournal: .journal
    case .putLog: .log
    }
  }

  private func changed(_ id: LedgerID, by change: LedgerChange) throws -> StoredTarget {
    let stored = try ledgers.record(id, database)
    return .ledger(stored, try stored.applying(change, at: time))
  }

  private func apply(_ write: Write, _ target: StoredTarget, document: String?) throws {
    switch (write, target) {
    case (.putRun(let run, _), .run(let key)):
      keys[run.id] = nil
      let document = document ?? run.document
      try StoredRun.put(run, document: document, version: try lastCommit.nextVersion(), over: key, database)
    case (.deleteRun(let id, _), .run(let key)):
      guard let key else { return }
      keys[id] = nil
      lastCommit.noteChange()
      try execute("DELETE FROM runs WHERE rowid = ?", [key.rowID])
    case (.putConfiguration(let id, let configuration, _), .job(let stored)):
      try putJob(id.rawValue, StoredJob(stored, configuration: configuration), exists: stored != nil)
    case (.patchState(let id, let patch, _), .job(let stored)):
      try putJob(id.rawValue, StoredJob(stored, patch: patch), exists: stored != nil)
    case (.deleteJob(let id, _), .job(let stored)):
      guard stored != nil else { return }
      lastCommit.noteChange()
      try execute("DELETE FROM jobs WHERE id = ?", [id.rawValue])
    case (.putLedger(let id, _, _), .ledger(_, let ledger)), (.changeLedger(let id, _), .ledger(_, let ledger)):
      try putLedger(id, ledger)
    case (.putJournal(let entry), _): try putJournal(entry)
    case (.putLog(let entry), _): try putLog(entry)
    default: preconditionFailure("A write has a target of another kind.")
    }
  }

  /// Returns a job's stored document.
  func job(_ id: String) throws -> StoredJob? {
    let statement = try database.cachedStatement(sql: "SELECT version, configuration, state FROM jobs WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id]).map { row in
      StoredJob(version: row[0], configuration: row[1], state: row[2])
    }
  }

  /// Writes a job's document.
  func putJob(_ id: String, _ job: StoredJob, exists: Bool) throws {
    let version = try lastCommit.nextVersion()
    let sql =
      exists
      ? "UPDATE jobs SET version = ?, configuration = ?, state = ?, next_run = ? WHERE id = ?"
      : "INSERT INTO jobs (version, configuration, state, next_run, id) VALUES (?, ?, ?, ?, ?)"
    try execute(sql, [version, job.configuration, job.state, job.nextRun?.microseconds, id])
  }

  private func putLedger(_ id: LedgerID, _ ledger: Ledger?) throws {
    lastCommit.noteChange()
    ledgers.put(id, ledger, version: ledger == nil ? 0 : try lastCommit.nextVersion(), at: time)
  }

  private func putJournal(_ entry: PassJournalEntry) throws {
    lastCommit.noteChange()
    try execute(
      """
      INSERT INTO journal (id, time, document) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET time = excluded.time, document = excluded.document
      """, [SQLiteText.value(entry.id), entry.time.microseconds, entry.fields.text])
  }

  private func putLog(_ entry: RunLogEntry) throws {
    lastCommit.noteChange()
    try execute(
      "INSERT OR REPLACE INTO run_log (run, sequence, expire_at, document) VALUES (?, ?, ?, ?)",
      [entry.run.rawValue, entry.sequence, entry.expireAt.microseconds, entry.fields.text])
  }

  /// Deletes expired log entries; returns their number.
  func purgeLogs(limit: Int) throws -> Int {
    try purge(
      """
      DELETE FROM run_log WHERE (run, sequence) IN (
        SELECT run, sequence FROM run_log WHERE expire_at <= ? ORDER BY expire_at LIMIT ?)
      """, time, limit)
  }

  /// Deletes expired runs; returns their number.
  func purgeRuns(limit: Int) throws -> Int {
    keys = [:]
    return try purge(
      """
      DELETE FROM runs WHERE rowid IN (
        SELECT rowid FROM runs WHERE expire_at <= ? ORDER BY expire_at LIMIT ?)
      """, time, limit)
  }

  /// Deletes expired ledgers; returns their number.
  func purgeLedgers(limit: Int) throws -> Int {
    savedLedgers += try ledgers.save(database)
    ledgers.forget()
    return try purge(
      """
      DELETE FROM ledgers WHERE id IN (
        SELECT id FROM ledgers WHERE expire_at <= ? ORDER BY expire_at, id LIMIT ?)
      """, time, limit)
  }

  /// Deletes old journal entries; returns their number.
  func purgeJournal(before time: Timestamp, limit: Int) throws -> Int {
    try purge(
      "DELETE FROM journal WHERE rowid IN (SELECT rowid FROM journal WHERE time < ? ORDER BY time, id LIMIT ?)", time,
      limit)
  }

  private func purge(_ sql: String, _ time: Timestamp, _ limit: Int) throws -> Int {
    try execute(sql, [time.microseconds, limit])
    if database.changesCount > 0 { lastCommit.noteChange() }
    return database.changesCount
  }

  private func execute(_ sql: String, _ arguments: StatementArguments) throws {
    try database.cachedStatement(sql: sql).execute(arguments: arguments)
  }
}

/// The latest version and time of the file's commits, from the one row of the table `store`.
///
/// Read after the transaction has the write lock, so that versions are unique across processes.
struct LastCommit {
  private(set) var lastVersion: Int64
  private(set) var lastTime: Timestamp
  private var isChanged = false

  init(_ database: Database) throws {
    let statement = try database.cachedStatement(sql: "SELECT last_version, last_time FROM store")
    guard let row = try Row.fetchOne(statement) else { throw Self.damage }
    lastVersion = row[0]
    lastTime = Timestamp(microseconds: row[1])
  }

  /// Returns the time of the latest commit.
  static func lastTime(_ database: Database) throws -> Timestamp {
    let statement = try database.cachedStatement(sql: "SELECT last_time FROM store")
    guard let microseconds = try Int64.fetchOne(statement) else { throw damage }
    return Timestamp(microseconds: microseconds)
  }

  /// Returns an unused version.
  ///
  /// - Throws: ``StoreError`` `invalid` if the file's last version has been edited to the largest number.
  mutating func nextVersion() throws(StoreError) -> Int64 {
    guard lastVersion < .max else {
      throw StoreError(
        .invalid, "The last_version in the file's table store is exhausted. Restore the file from a backup.")
    }
    lastVersion += 1
    isChanged = true
    return lastVersion
  }

  /// Records a change that leaves no version behind.
  mutating func noteChange() {
    isChanged = true
  }

  /// Updates the row if the commit changed anything.
  func save(_ database: Database, time: Timestamp) throws {
    guard isChanged else { return }
    try database.cachedStatement(sql: "UPDATE store SET last_version = ?, last_time = ?").execute(
      arguments: [lastVersion, time.microseconds])
  }

  private static let damage = StoreError(
    .invalid, "The file is damaged: its table store has no row. Restore it from a backup.")
}

/// The store's time in this process: a clock that never goes back.
final class MonotonicClock: Sendable {
  private let clock: any JobClock
  private let latest = Mutex(Timestamp.distantPast)

  init(clock: any JobClock) {
    self.clock = clock
  }

  /// Returns the current time, no earlier than any returned before or the stored one.
  func advance(past stored: Timestamp) -> Timestamp {
    let now = clock.now()
    return latest.withLock { latest in
      latest = max(latest, now, stored)
      return latest
    }
  }
}
#endif
