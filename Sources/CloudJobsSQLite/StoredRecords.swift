#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

extension JobRecord {
  /// The columns of a record.
  static let columns = "id, version, configuration, state, next_run"

  /// Creates the record of a row with ``columns``.
  init(row: Row) {
    let (id, version): (String, Version) = (row[0], Version(row[1]))
    let stored = StoredJob(configuration: row[2], state: row[3])
    do throws(JobError) {
      self.init(id: id, version: version, fields: try stored.fields())
    } catch {
      self.init(
        id: id, version: version, document: .failure(error),
        nextRun: (row[4] as Int64?).map { Timestamp(microseconds: $0) })
    }
  }
}

extension LedgerRecord {
  /// Returns a stored ledger; nil if there is none.
  ///
  /// - Parameters:
  ///   - id: the ledger's id.
  ///   - database: the database.
  ///   - known: the ledger as it was once stored.
  /// - Returns: the ledger; the known one if it has not changed since.
  /// - Throws: `DatabaseError`.
  static func fetch(
    _ id: LedgerID, _ database: Database, unlessUnchangedSince known: LedgerRecord? = nil
  ) throws -> LedgerRecord? {
    if let known {
      let statement = try database.cachedStatement(sql: "SELECT version, changed_at FROM ledgers WHERE id = ?")
      guard let row = try Row.fetchOne(statement, arguments: [id.rawValue]) else { return nil }
      if Version(row[0]) == known.version, Timestamp(microseconds: row[1]) == known.changedAt { return known }
    }
    let statement = try database.cachedStatement(
      sql: "SELECT id, version, changed_at, document FROM ledgers WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).flatMap { LedgerRecord(row: $0) }
  }

  /// Creates a record from a row of `id, version, changed_at, document`; nil if its id is not one of a ledger.
  init?(row: Row) {
    guard let id = try? LedgerID(row[0]) else { return nil }
    let document = Array((row[3] as String).utf8)
    let fields = try? JSONValue(parsing: document, limits: JSONLimits(bytes: .max, depth: 512))
    self.init(id: id, version: Version(row[1]), changedAt: Timestamp(microseconds: row[2]), fields: fields ?? .null)
  }

  /// Writes the record of a ledger.
  func save(_ ledger: Ledger, _ database: Database) throws {
    // The time of expiry rarely changes: without it, SQLite need not rewrite its index.
    let update = try database.cachedStatement(
      sql: "UPDATE ledgers SET version = ?, changed_at = ?, document = ? WHERE id = ? AND expire_at = ?")
    let text = ledger.fields.text
    try update.execute(
      arguments: [version.rawValue, changedAt.microseconds, text, id.rawValue, ledger.expireAt.microseconds])
    if database.changesCount > 0 { return }
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO ledgers (id, version, changed_at, expire_at, document) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, changed_at = excluded.changed_at,
          expire_at = excluded.expire_at, document = excluded.document
        """)
    try statement.execute(
      arguments: [
        id.rawValue, version.rawValue, changedAt.microseconds, ledger.expireAt.microseconds, text,
      ])
  }
}

/// The stored form of a run: a JSON document, the columns of lists, and the payloads byte for byte.
enum StoredRun {
  /// The columns of a stored run that a commit needs.
  struct Key {
    let rowID: Int64
    let version: Int64
    let fence: Int64
    let amendments: Int64
    let job: String
    let createdAt: Int64
    let correlationID: DatabaseValue

    /// The columns of a key.
    static let columns = "rowid, version, fence, amendments, job, created_at, correlation_id"

    /// Creates the key of a row with ``columns`` from an index on.
    init(row: Row, from index: Int = 0) {
      (rowID, version, fence) = (row[index], row[index + 1], row[index + 2])
      (amendments, job, createdAt) = (row[index + 3], row[index + 4], row[index + 5])
      correlationID = row[index + 6]
    }

    /// Returns the key of a run; nil if there is none.
    static func fetch(_ id: RunID, _ database: Database) throws -> Key? {
      let statement = try database.cachedStatement(sql: "SELECT \(columns) FROM runs WHERE id = ?")
      return try Row.fetchOne(statement, arguments: [id.rawValue]).map { Key(row: $0) }
    }
  }

  private static let insert = """
    INSERT INTO runs (version, status, queue, wake_at, expire_at, fence, amendments, document, input, output, job,
      created_at, correlation_id, id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """

  private static let update = """
    UPDATE runs SET version = ?, status = ?, queue = ?, wake_at = ?, expire_at = ?, fence = ?, amendments = ?,
      document = ?, input = ?, output = ?, job = ?, created_at = ?, correlation_id = ?
    WHERE rowid = ?
    """

  /// The update without rarely changing columns, so that SQLite need not rewrite their indexes.
  private static let leanUpdate = """
    UPDATE runs SET version = ?, status = ?, queue = ?, wake_at = ?, expire_at = ?, fence = ?, amendments = ?,
      document = ?, input = ?, output = ?
    WHERE rowid = ?
    """

  /// The update by an attempt that holds the run, which finds it by its precondition.
  private static let attemptUpdate = """
    UPDATE runs SET version = ?, status = ?, queue = ?, wake_at = ?, expire_at = ?, fence = ?, amendments = ?,
      document = ?, input = ?, output = ?
    WHERE id = ? AND fence = ? AND amendments = ? AND job = ? AND created_at = ? AND correlation_id IS ?
    """

  /// Updates a run that an attempt holds, if nothing else than the attempt has changed it.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - token: the fencing token of the attempt.
  ///   - amendments: the number of amendments that the attempt knows.
  ///   - document: its ``Run/document``.
  ///   - version: its version.
  ///   - database: the database.
  /// - Returns: whether it was updated.
  /// - Throws: `DatabaseError`.
  static func update(
    _ run: Run, heldBy token: Int64, _ amendments: Int64, document: String, version: Int64, _ database: Database
  ) throws -> Bool {
    let values =
      changingValues(run, document, version)
      + [
        run.id.rawValue, token, amendments, run.job.rawValue, run.createdAt.microseconds,
        run.correlationID.map { SQLiteText.value($0) } ?? DatabaseValue.null,
      ] as [(any DatabaseValueConvertible)?]
    try database.cachedStatement(sql: attemptUpdate).execute(arguments: StatementArguments(values))
    return database.changesCount == 1
  }

  private static func changingValues(
    _ run: Run, _ document: String, _ version: Int64
  ) -> [(any DatabaseValueConvertible)?] {
    [
      version, run.status.rawValue, run.queue.map { SQLiteText.value($0) } ?? DatabaseValue.null,
      run.wakeAt?.microseconds, run.expireAt?.microseconds, run.fence,
      run.amendments, document, run.input.map(\.description), run.output.map(\.description),
    ]
  }

  /// Inserts a run or updates the stored one.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - document: its ``Run/document``.
  ///   - version: its version.
  ///   - key: the columns of the stored run; nil if there is none.
  ///   - database: the database.
  /// - Throws: `DatabaseError`.
  static func put(_ run: Run, document: String, version: Int64, over key: Key?, _ database: Database) throws {
    let correlationID = run.correlationID.map { SQLiteText.value($0) } ?? .null
    var values = changingValues(run, document, version)
    let isLean =
      key.map {
        $0.job == run.job.rawValue && $0.createdAt == run.createdAt.microseconds && $0.correlationID == correlationID
      } ?? false
    if !isLean {
      values += [run.job.rawValue, run.createdAt.microseconds, correlationID] as [(any DatabaseValueConvertible)?]
    }
    values.append(key.map { $0.rowID } ?? run.id.rawValue)
    let sql = isLean ? leanUpdate : key == nil ? insert : update
    try database.cachedStatement(sql: sql).execute(arguments: StatementArguments(values))
  }
}

extension RunRecord {
  /// The columns of a record.
  static let columns = "id, version, document, input, output"

  /// Creates the record of a row with ``columns``; nil if its id is not a run id.
  init?(row: Row) {
    guard let id = try? RunID(row[0] as String) else { return nil }
    let version = Version(row[1])
    do throws(JobError) {
      var run = try Run(id: id, document: Array((row[2] as String).utf8))
      run.input = (row[3] as String?).map { JSONText(trusted: Array($0.utf8)) }
      run.output = (row[4] as String?).map { JSONText(trusted: Array($0.utf8)) }
      self.init(id: id, version: version, run: .success(run))
    } catch {
      self.init(id: id, version: version, run: .failure(error))
    }
  }
}
#endif
