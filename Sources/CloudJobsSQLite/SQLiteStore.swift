#if SQLite
public import CloudJobs
public import CloudJobsCore
import GRDB

/// A store in an SQLite file, which several processes of one machine may share.
///
/// A commit returns once it is on disk: the file is in WAL mode with `synchronous=FULL`
/// (<https://www.sqlite.org/pragma.html#pragma_synchronous>). Commits that wait at the same time share one write to
/// disk, but succeed or fail individually. Reads use a snapshot and never wait for commits.
///
/// The store's time is that of the clock. The time of the latest commit is kept in the file, so that no process that
/// shares it sees time go backwards. After commits under a clock that was far ahead, the time stands still until the
/// clock has caught up; to reset it, run `UPDATE store SET last_time = 0` while no process has the file open.
///
/// A new file is readable and writable only by its owner, because runs contain their inputs. An existing file keeps its
/// mode, so that an operator can share it with a group.
///
/// Network file systems are not supported (<https://www.sqlite.org/wal.html>). Requires SQLite 3.37 or later.
public final class SQLiteStore: PurgingStore, DueTimeStore, ClaimingStore {
  let pool: DatabasePool
  private let fileIdentity: SQLiteFile.FileIdentity
  let clock: MonotonicClock
  private let queue: CommitQueue
  private let ledgers = LedgerCache()

  /// Opens the file, or creates it if it does not exist.
  ///
  /// - Parameters:
  ///   - path: the file's path; its folder must exist. SQLite keeps two more files beside it, `…-wal` and `…-shm`.
  ///   - clock: the clock for the store's time.
  ///   - busyTimeout: the maximum wait for another process that writes.
  /// - Throws: ``/CloudJobs/StoreError`` `unavailable` if the file can't be opened, created or written, `invalid` if it
  ///   is not a database or was written by a later version of this program.
  public convenience init(
    path: String, clock: any JobClock = .system, busyTimeout: Duration = .seconds(5)
  ) throws(StoreError) {
    try self.init(path: path, clock: clock, busyTimeout: busyTimeout, groupLimit: CommitQueue.groupLimit)
  }

  /// Opens the file; an older schema is an error if it may not be migrated.
  package convenience init(path: String, migrates: Bool) throws(StoreError) {
    try self.init(
      path: path, clock: .system, busyTimeout: .seconds(5), groupLimit: CommitQueue.groupLimit, migrates: migrates)
  }

  /// Opens the file with a maximum number of commits per transaction.
  package init(
    path: String, clock: any JobClock, busyTimeout: Duration, groupLimit: Int, migrates: Bool = true
  ) throws(StoreError) {
    pool = try SQLiteFile.open(path, busyTimeout: busyTimeout, migrates: migrates)
    fileIdentity = try SQLiteFile.FileIdentity(path)
    self.clock = MonotonicClock(clock: clock)
    queue = CommitQueue(pool: pool, clock: self.clock, groupLimit: groupLimit, ledgers: ledgers)
  }

  /// The version of the schema that this program works on.
  package static var schemaVersion: Int { SQLiteSchema.latest }

  /// Returns the version of the SQLite library, such as `3.40.1`.
  package func libraryVersion() async throws(StoreError) -> String {
    try await read { database, _ in try String.fetchOne(database, sql: "SELECT sqlite_version()") ?? "" }
  }

  /// Reads from a snapshot, outside the caller's executor and regardless of cancellation.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database, Timestamp) throws -> Value
  ) async throws(StoreError) -> Value {
    try fileIdentity.check()
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      pool.asyncRead { [clock] access in
        do {
          let database = try access.get()
          let time = clock.advance(past: try LastCommit.lastTime(database))
          continuation.resume(returning: .success(try body(database, time)))
        } catch {
          continuation.resume(returning: .failure(StoreError(sqlite: error, during: .reading)))
        }
      }
    }
    return try result.get()
  }

  /// Makes changes in the queue's order, after checking that the file is still at its path.
  func change<Value: Sendable>(
    weight: Int, _ body: @escaping @Sendable (CommitTransaction) throws -> Value
  ) async throws(StoreError) -> Value {
    try fileIdentity.check()
    return try await queue.perform(weight: weight, body)
  }

  /// Commits all writes, or none, and returns once they are on disk.
  public func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try StoreLimits.check(writes)
    // The thread that writes is the narrowest place: documents are encoded before it.
    let documents = writes.map { write -> String? in
      if case .putRun(let run, _) = write { run.document } else { nil }
    }
    return try await change(weight: writes.count) { transaction in
      try transaction.apply(writes, documents: documents)
      return transaction.time
    }
  }

  /// Reads due runs, and commits what a function makes of them, in one transaction.
  public func claim(
    after cursor: StoreCursor?, limit: Int, reading jobs: [JobID],
    _ plan: @escaping @Sendable ([RunRecord], StoreReading) -> [[Write]]
  ) async throws(StoreError) -> RunClaims {
    try StoreLimits.check(jobs: jobs, runs: [], ledgers: [])
    return try await change(weight: StoreLimits.page(limit)) { transaction in
      let columns = "\(RunRecord.columns), wake_at, \(StoredRun.Key.columns)"
      let query = Self.wakingRuns(columns, after: cursor, limit: limit)
      let arguments = [transaction.time.microseconds] + ListQuery.arguments(after: cursor)
      let page = try query.page(transaction.database, transaction.time, arguments) { row in
        let record = RunRecord(row: row)
        if let record { transaction.note(StoredRun.Key(row: row, from: 6), of: record.id) }
        return record
      }
      var claims = RunClaims(time: page.time, runs: [], next: page.next)
      let reading = try Self.reading(transaction.database, page.time, jobs: jobs, runs: [])
      for (record, writes) in zip(page.records, plan(page.records, reading)) {
        var claim = RunClaims.Claim(record: record, outcome: nil)
        if !writes.isEmpty { claim.outcome = try transaction.outcome(of: writes) }
        claims.runs.append(claim)
      }
      return claims
    }
  }

  /// Returns whether any run waits, as this process left the ledger; another one may have changed it since.
  public func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? {
    ledgers[id].flatMap { $0.changedAt >= time ? $0.ledger.hasWaiters : nil }
  }

  /// Deletes expired runs.
  public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await change(weight: limit) { try $0.purgeRuns(limit: limit) }
  }

  /// Deletes expired log entries.
  public func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await change(weight: limit) { try $0.purgeLogs(limit: limit) }
  }

  /// Deletes expired ledgers.
  public func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await change(weight: limit) { try $0.purgeLedgers(limit: limit) }
  }

  /// Deletes journal entries, oldest first.
  public func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await change(weight: limit) { try $0.purgeJournal(before: time, limit: limit) }
  }

  /// Writes a document in its stored form, valid or not, as an operator's tool would.
  ///
  /// - Parameters:
  ///   - id: the document's id, without a NUL character.
  ///   - fields: the fields.
  /// - Throws: ``/CloudJobs/StoreError`` as ``commit(_:)`` does; `invalid` for an id with a NUL.
  public func importJob(id: String, fields: JSONValue) async throws(StoreError) {
    if id.utf8.contains(0) { throw StoreError(.invalid, "A document's id can't contain a NUL character. Rename it.") }
    try await change(weight: 1) { transaction in
      let exists = try transaction.job(id) != nil
      try transaction.putJob(id, StoredJob(fields: fields), exists: exists)
    }
  }

  /// Returns a document in its stored form, including unknown members.
  ///
  /// - Parameter id: the document's id.
  /// - Returns: the fields; nil if there is no such document.
  /// - Throws: ``/CloudJobs/StoreError`` `unavailable`, or `invalid` if the document is not JSON.
  public func exportJob(id: String) async throws(StoreError) -> JSONValue? {
    let job = try await read { database, _ in
      try Row.fetchOne(
        database.cachedStatement(sql: "SELECT configuration, state FROM jobs WHERE id = ?"), arguments: [id]
      ).map { StoredJob(configuration: $0[0], state: $0[1]) }
    }
    do throws(JobError) {
      return try job?.fields()
    } catch {
      throw StoreError(.invalid, "The document is not valid JSON. Import it again.", nativeCode: error.code.rawValue)
    }
  }
}

extension SQLiteStore: RunPrefixStore {
  /// Returns the ids of runs with a prefix, in their order.
  package func runIDs(withPrefix prefix: String, limit: Int) async throws(StoreError) -> [RunID] {
    let ids = try await read { database, _ in
      // The digits end with f, which g follows.
      try String.fetchAll(
        database, sql: "SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        arguments: [prefix, prefix + "g", limit])
    }
    return ids.compactMap { try? RunID($0) }
  }
}

extension JobStore where Self == SQLiteStore {
  /// Returns a store in an SQLite file, which is created if it does not exist.
  ///
  /// - Parameter path: the file's path; its folder must exist.
  /// - Returns: a store with the system clock.
  /// - Throws: ``/CloudJobs/StoreError`` `unavailable` or `invalid`.
  public static func sqlite(path: String) throws(StoreError) -> SQLiteStore {
    try SQLiteStore(path: path)
  }
}

extension SQLiteStore {
  /// Reads documents by id, all at one point in time.
  public func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try StoreLimits.check(jobs: jobs, runs: runs, ledgers: ledgers)
    return try await read { try Self.reading($0, $1, jobs: jobs, runs: runs, ledgers: ledgers) }
  }

  /// Reads documents by id from a snapshot or a transaction.
  static func reading(
    _ database: Database, _ time: Timestamp, jobs: [JobID], runs: [RunID], ledgers: [LedgerID] = []
  ) throws -> StoreReading {
    var reading = StoreReading(time: time, jobs: [:], runs: [:])
    let job = try database.cachedStatement(sql: "SELECT \(JobRecord.columns) FROM jobs WHERE id = ?")
    for id in jobs { reading.jobs[id] = try Row.fetchOne(job, arguments: [id.rawValue]).map { JobRecord(row: $0) } }
    let run = try database.cachedStatement(sql: "SELECT \(RunRecord.columns) FROM runs WHERE id = ?")
    for id in ledgers { reading.ledgers[id] = try LedgerRecord.fetch(id, database) }
    for id in runs {
      reading.runs[id] = try Row.fetchOne(run, arguments: [id.rawValue]).flatMap { RunRecord(row: $0) }
    }
    return reading
  }

  /// Returns a page of the jobs whose `state.nextRun` has come.
  public func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let query = ListQuery(
      "SELECT \(JobRecord.columns), next_run FROM jobs", keyColumn: 5, limit: limit,
      conditions: ["next_run <= ?"] + (cursor == nil ? [] : ["(next_run, id) > (?, ?)"]), order: "next_run, id")
    return try await read { database, time in
      try query.page(database, time, [time.microseconds] + ListQuery.arguments(after: cursor)) { JobRecord(row: $0) }
    }
  }

  /// Returns a page of the runs whose `wakeAt` has come.
  public func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    let query = Self.wakingRuns("\(RunRecord.columns), wake_at", after: cursor, limit: limit)
    return try await read { database, time in
      try query.page(database, time, [time.microseconds] + ListQuery.arguments(after: cursor)) { RunRecord(row: $0) }
    }
  }

  private static func wakingRuns(_ columns: String, after cursor: StoreCursor?, limit: Int) -> ListQuery {
    ListQuery(
      "SELECT \(columns) FROM runs", keyColumn: 5, limit: limit,
      conditions: ["wake_at <= ?"] + (cursor == nil ? [] : ["(wake_at, id) > (?, ?)"]), order: "wake_at, id")
  }

  /// Returns the times at which jobs and runs come due, from four look-ups at the ends of two indexes.
  public func dueTimes(within horizon: Duration) async throws(StoreError) -> DueTimes {
    try await read { database, time in
      let statement = try database.cachedStatement(
        sql: """
          SELECT (SELECT min(next_run) FROM jobs WHERE next_run IS NOT NULL),
            (SELECT min(wake_at) FROM runs WHERE wake_at IS NOT NULL),
            (SELECT min(next_run) FROM jobs WHERE next_run > ?1), (SELECT min(wake_at) FROM runs WHERE wake_at > ?1)
          """)
      let row = try Row.fetchOne(statement, arguments: [time.microseconds])
      let times = (0..<4).map { column in row.flatMap { $0[column] as Int64? }.map { Timestamp(microseconds: $0) } }
      return DueTimes(
        time: time, earliestJob: times[0], earliestRun: times[1], next: times[2...].compactMap { $0 }.min())
    }
  }

  /// Returns a page of job documents, by id.
  public func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let query = ListQuery(
      "SELECT \(JobRecord.columns), 0 FROM jobs", keyColumn: 5, limit: limit,
      conditions: cursor == nil ? [] : ["id > ?"], order: "id")
    return try await read { database, time in
      try query.page(database, time, cursor.map { [SQLiteText.value($0.id)] } ?? []) { JobRecord(row: $0) }
    }
  }

  /// Returns a page of the runs that match a filter, latest first.
  public func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    let query = RunQuery.make(filter, after: cursor, limit: limit)
    return try await read { database, time in
      guard let query else { return StorePage(records: [], next: nil, time: time) }
      return try query.list.page(database, time, query.arguments) { RunRecord(row: $0) }
    }
  }

  /// Returns a page of the ledgers of a family, by their ids.
  public func ledgers(in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<LedgerRecord>
  {
    let query = ListQuery(
      "SELECT id, version, changed_at, document, 0 FROM ledgers", keyColumn: 4, limit: limit,
      conditions: [cursor == nil ? "id >= ?" : "id > ?", "id < ?"], order: "id")
    return try await read { database, time in
      try query.page(database, time, [cursor?.id ?? family.prefix, family.end]) { row in
        LedgerRecord(row: row)
      }
    }
  }

  /// Returns a run's log, oldest entry first; unreadable entries edited by hand are left out.
  public func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    let limit = StoreLimits.page(limit)
    return try await read { database, _ in
      let statement = try database.cachedStatement(
        sql: "SELECT document FROM run_log WHERE run = ? AND sequence > ? ORDER BY sequence LIMIT ?")
      let arguments: StatementArguments = [run.rawValue, sequence ?? .min, limit]
      return try String.fetchAll(statement, arguments: arguments).compactMap { text in
        guard let fields = try? JSONValue(parsing: Array(text.utf8), limits: .service) else { return nil }
        return try? RunLogEntry(fields: fields)
      }
    }
  }

  /// Returns journal entries, latest or earliest first; unreadable entries edited by hand are left out.
  public func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    let limit = StoreLimits.page(limit)
    return try await read { database, _ in
      let order = filter.isAscending ? "ASC" : "DESC"
      let statement = try database.cachedStatement(
        sql: """
          SELECT id, document FROM journal WHERE time BETWEEN ? AND ? AND (?3 IS NULL OR instr(document, ?3))
          ORDER BY time \(order), id \(order) LIMIT ?4
          """)
      let arguments: StatementArguments = [
        filter.from?.microseconds ?? .min, filter.until?.microseconds ?? .max, filter.textOfLine, limit,
      ]
      return try Row.fetchAll(statement, arguments: arguments).compactMap { row in
        guard let id = SQLiteText.text(row[0]),
          let fields = try? JSONValue(parsing: Array((row[1] as String).utf8), limits: .service)
        else { return nil }
        return try? PassJournalEntry(id: id, fields: fields)
      }
    }
  }
}
#endif
