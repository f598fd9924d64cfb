#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// The statements that write many documents at once.
struct CommitStatements: Sendable {
  private let schema: String

  /// Creates the statements for the tables of a schema.
  init(_ schema: SchemaName) {
    self.schema = schema.sql
  }

  private var nextVersion: String { "nextval('\(schema).versions')" }

  /// Returns the condition of a join whose rows an index finds by a value.
  ///
  /// For the plain `=` the planner may prefer to read the whole index, in its order: it counts the rows that live, and
  /// does not see the dead ones.
  ///
  /// - Parameters:
  ///   - column: the column of the index.
  ///   - value: the value.
  /// - Returns: a condition that has no order.
  static func byIndex(_ column: String, _ value: String) -> String { "\(column) = ANY (ARRAY[\(value)])" }

  // MARK: Runs

  /// Inserts runs.
  ///
  /// - Parameters:
  ///   - runs: the runs, in the order of their ids.
  ///   - skipsExisting: whether runs that exist are left alone; otherwise they fail the statement.
  /// - Returns: a statement that returns the ids of the inserted runs.
  func insert(_ runs: [Run], skipsExisting: Bool) -> Statement {
    let columns = StoredRuns.columns.joined(separator: ", ")
    let conflict = skipsExisting ? "ON CONFLICT (id) DO NOTHING RETURNING id" : "RETURNING id"
    let sql = """
      INSERT INTO \(schema).runs (\(columns), version)
      SELECT \(columns), \(nextVersion) FROM \(StoredRuns.rows()) \(conflict)
      """
    return Statement(sql) { StoredRuns(runs).append(to: &$0) }
  }

  /// Inserts a run unless it exists, with parameters as texts.
  func insertText(_ run: Run) -> PostgresStatement {
    func number(_ time: Timestamp?) -> String? { time.map { String($0.microseconds) } }
    func hex(_ bytes: [UInt8]?) -> String? { bytes.flatMap { PostgresValue(bytes: $0).text } }
    let values: [(column: String, type: String, value: String?)] = [
      ("id", "bytea", hex(run.id.bytes)), ("created_at", "bigint", number(run.createdAt)),
      ("wake_at", "bigint", number(run.wakeAt)), ("expire_at", "bigint", number(run.expireAt)),
      ("fence", "bigint", String(run.fence)), ("amendments", "bigint", String(run.amendments)),
      ("status", "text", run.status.rawValue), ("job", "text", run.job.rawValue),
      ("correlation_id", "bytea", hex(run.correlationID.map { Array($0.utf8) })),
      ("document", "text", run.document), ("input", "bytea", hex(run.input?.bytes)),
      ("output", "bytea", hex(run.output?.bytes)), ("queue", "bytea", hex(run.queue.map { Array($0.utf8) })),
    ]
    let columns = values.map(\.column).joined(separator: ", ")
    let places = values.enumerated().map { "$\($0.offset + 1)::text::\($0.element.type)" }.joined(separator: ", ")
    return PostgresStatement(
      """
      INSERT INTO \(schema).runs (\(columns), version) VALUES (\(places), \(nextVersion))
      ON CONFLICT (id) DO NOTHING
      """, values.map(\.value))
  }

  /// Replaces runs whose precondition holds.
  ///
  /// - Parameter runs: the runs with their preconditions, in the order of their ids; none is ``Precondition/absent``.
  /// - Returns: a statement that returns the ids of the replaced runs.
  func update(_ runs: [(run: Run, precondition: Precondition)]) -> Statement {
    // An input that has not changed keeps its place outside the row.
    let assignments = StoredRuns.columns.dropFirst().map { column in
      column == "input"
        ? "input = CASE WHEN old.input = new.input THEN old.input ELSE new.input END" : "\(column) = new.\(column)"
    }
    let sql = """
      UPDATE \(schema).runs AS old SET version = \(nextVersion), \(assignments.joined(separator: ", "))
      FROM \(StoredRuns.rows(and: ["kind", "expected", "known"]))
      WHERE \(Self.byIndex("old.id", "new.id"))
        AND CASE new.kind WHEN 0 THEN true WHEN 1 THEN old.version = new.expected
        WHEN 2 THEN old.fence = new.expected ELSE old.fence = new.expected AND old.amendments = new.known END
      RETURNING old.id
      """
    return Statement(sql) { parameters in
      StoredRuns(runs.map(\.run)).append(to: &parameters)
      let conditions = runs.map { Self.condition($0.precondition) }
      parameters.append(conditions.map { Int64($0.kind) })
      parameters.append(conditions.map(\.expected))
      parameters.append(conditions.map(\.known))
    }
  }

  private static func condition(_ precondition: Precondition) -> (kind: Int, expected: Int64?, known: Int64?) {
    switch precondition {
    case .none, .absent: (0, nil, nil)
    case .version(let version): (1, version.rawValue, nil)
    case .fence(let token): (2, token, nil)
    case .attempt(let token, let amendments): (3, token, amendments)
    }
  }

  /// Deletes runs.
  func delete(_ runs: [RunID]) -> Statement {
    Statement("DELETE FROM \(schema).runs WHERE id = ANY ($1)") { $0.append(runs.map(\.bytes)) }
  }

  // MARK: Locks

  // Every transaction locks runs before jobs, jobs before ledgers, and each of them by id, so that two of them can't
  // wait for each other. If they do all the same, because one inserts what another is about to insert, then PostgreSQL
  // fails one of them after a second, and the group is executed again.

  /// Locks job documents, which are read by a statement of its own then.
  func lock(jobs: [String]) -> Statement { lock(keys: jobs, of: "job_keys") }

  /// Reads job documents that are locked; the columns are the id, version, configuration and state.
  ///
  /// It locks their rows too, which an operator may edit by SQL.
  func read(jobs: [String]) -> Statement {
    Statement(
      """
      SELECT job.id, job.version, job.configuration, job.state FROM unnest($1::text[]) AS known (name)
      CROSS JOIN LATERAL (\(Self.latest("jobs", of: "known.name", in: schema)) FOR UPDATE) AS job
      """
    ) { $0.append(jobs) }
  }

  /// Locks runs; the columns are the id, version, fence and amendments.
  func lock(runs: [RunID]) -> Statement {
    Statement(
      "SELECT id, version, fence, amendments FROM \(schema).runs WHERE id = ANY ($1) ORDER BY id FOR UPDATE"
    ) { $0.append(runs.map(\.bytes)) }
  }

  /// Locks ledgers, which are read by a statement of its own then.
  func lock(ledgers: [LedgerID]) -> Statement { lock(keys: ledgers.map(\.rawValue), of: "ledger_keys") }

  /// Adds the keys of documents that have none, because another program has inserted them.
  func insert(keysOfJobs jobs: [String]) -> Statement { insert(keys: jobs, into: "job_keys") }

  /// Adds the keys of ledgers that have none.
  func insert(keysOfLedgers ledgers: [LedgerID]) -> Statement {
    insert(keys: ledgers.map(\.rawValue), into: "ledger_keys")
  }

  private func insert(keys: [String], into table: String) -> Statement {
    Statement("INSERT INTO \(schema).\(table) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING") {
      $0.append(keys)
    }
  }

  private func lock(keys: [String], of table: String) -> Statement {
    Statement("SELECT id FROM \(schema).\(table) WHERE id = ANY ($1) ORDER BY id FOR UPDATE") { $0.append(keys) }
  }

  /// Returns the SQL that finds the only version of a job's document or of a ledger.
  ///
  /// The only one is the latest one, and so the first entry of its index, before those of versions that an old snapshot
  /// keeps.
  ///
  /// - Parameters:
  ///   - table: the table.
  ///   - id: the SQL of the id.
  ///   - schema: the schema of the table.
  /// - Returns: a query for one row.
  static func latest(_ table: String, of id: String, in schema: String) -> String {
    "SELECT * FROM \(schema).\(table) WHERE \(table).id = \(id) ORDER BY version DESC LIMIT 1"
  }

  /// Reads ledgers that are locked; the columns are the id, version, time of change, and the document unless it is
  /// known at that version.
  func read(ledgers: [(id: LedgerID, known: Version?)]) -> Statement {
    Statement(
      """
      SELECT old.id, old.version, old.changed_at, CASE WHEN old.version = new.known THEN NULL ELSE old.document END
      FROM unnest($1::text[], $2::int8[]) AS new (id, known)
      CROSS JOIN LATERAL (\(Self.latest("ledgers", of: "new.id", in: schema))) AS old
      """
    ) {
      $0.append(ledgers.map(\.id.rawValue))
      $0.append(ledgers.map { $0.known?.rawValue })
    }
  }

  // MARK: Jobs, ledgers, journal and logs

  /// Inserts job documents.
  ///
  /// - Parameters:
  ///   - jobs: the documents.
  ///   - keys: the ids of those that could not be locked, because they had no key.
  /// - Returns: the statement; it fails if another transaction has inserted one of the keys meanwhile.
  func insert(jobs: [(id: String, job: StoredJob)], keys: [String]) -> Statement {
    Statement(
      """
      WITH keys AS (INSERT INTO \(schema).job_keys SELECT * FROM unnest($5::text[]))
      INSERT INTO \(schema).jobs (id, configuration, state, next_run, version)
      SELECT id, configuration, state, next_run, \(nextVersion)
      FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[]) AS new (id, configuration, state, next_run)
      """
    ) {
      Self.append(jobs, to: &$0)
      $0.append(keys)
    }
  }

  /// Replaces job documents that are locked.
  ///
  /// - Parameters:
  ///   - jobs: the documents.
  ///   - versions: their versions as read, in the same order.
  /// - Returns: the statement.
  func update(jobs: [(id: String, job: StoredJob)], _ versions: [Int64]) -> Statement {
    Statement(
      """
      UPDATE \(schema).jobs AS old SET version = \(nextVersion), configuration = new.configuration,
        state = new.state, next_run = new.next_run
      FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[])
        AS new (id, configuration, state, next_run, version)
      WHERE \(Self.byIndex("old.id", "new.id")) AND old.version = new.version
      """
    ) {
      Self.append(jobs, to: &$0)
      $0.append(versions)
    }
  }

  private static func append(_ jobs: [(id: String, job: StoredJob)], to parameters: inout Parameters) {
    parameters.append(jobs.map(\.id))
    parameters.append(jobs.map(\.job.configuration))
    parameters.append(jobs.map(\.job.state))
    parameters.append(jobs.map { $0.job.nextRun?.microseconds })
  }

  /// Deletes job documents that are locked.
  func delete(jobs: [String]) -> Statement { delete(jobs, from: "jobs", keys: "job_keys") }

  /// Inserts ledgers; returns their ids and versions.
  ///
  /// - Parameters:
  ///   - ledgers: the ledgers.
  ///   - keys: those of them that could not be locked, because they had no key.
  ///   - time: the time of the change.
  /// - Returns: the statement; it fails if another transaction has inserted one of the keys meanwhile.
  func insert(ledgers: [(id: LedgerID, ledger: Ledger)], keys: [LedgerID], at time: Timestamp) -> Statement {
    let sql = """
      WITH keys AS (INSERT INTO \(schema).ledger_keys SELECT * FROM unnest($5::text[]))
      INSERT INTO \(schema).ledgers (id, expire_at, document, changed_at, version)
      SELECT id, expire_at, document, $4::int8, \(nextVersion)
      FROM unnest($1::text[], $2::int8[], $3::text[]) AS new (id, expire_at, document) RETURNING id, version
      """
    return Statement(sql) {
      Self.append(ledgers, time, to: &$0)
      $0.append(keys.map(\.rawValue))
    }
  }

  /// Replaces ledgers that are locked; returns their ids and versions.
  ///
  /// - Parameters:
  ///   - ledgers: the ledgers.
  ///   - versions: their versions as read, in the same order.
  ///   - time: the time of the change.
  /// - Returns: the statement.
  func update(ledgers: [(id: LedgerID, ledger: Ledger)], _ versions: [Version], at time: Timestamp) -> Statement {
    let sql = """
      UPDATE \(schema).ledgers AS old SET version = \(nextVersion), expire_at = new.expire_at,
        document = new.document, changed_at = $4::int8
      FROM unnest($1::text[], $2::int8[], $3::text[], $5::int8[]) AS new (id, expire_at, document, version)
      WHERE \(Self.byIndex("old.id", "new.id")) AND old.version = new.version RETURNING old.id, old.version
      """
    return Statement(sql) {
      Self.append(ledgers, time, to: &$0)
      $0.append(versions.map(\.rawValue))
    }
  }

  private static func append(
    _ ledgers: [(id: LedgerID, ledger: Ledger)], _ time: Timestamp, to parameters: inout Parameters
  ) {
    parameters.append(ledgers.map(\.id.rawValue))
    parameters.append(ledgers.map(\.ledger.expireAt.microseconds))
    parameters.append(ledgers.map(\.ledger.fields.text))
    parameters.append(time.microseconds)
  }

  /// Deletes ledgers that are locked.
  func delete(ledgers: [LedgerID]) -> Statement {
    delete(ledgers.map(\.rawValue), from: "ledgers", keys: "ledger_keys")
  }

  private func delete(_ ids: [String], from table: String, keys: String) -> Statement {
    Statement(
      """
      WITH gone AS (DELETE FROM \(schema).\(table) WHERE id = ANY ($1))
      DELETE FROM \(schema).\(keys) WHERE id = ANY ($1)
      """
    ) { $0.append(ids) }
  }

  /// Deletes expired ledgers, but for those that others have locked.
  ///
  /// - Parameters:
  ///   - time: the SQL of the current time, whose parameter is the second one.
  ///   - limit: the maximum number of ledgers.
  ///   - parameters: adds the parameter of the time, and the earliest time of expiry.
  /// - Returns: a statement that returns the number of deleted ledgers, and the latest time among them.
  func purgeLedgers(
    _ time: String, limit: Int, _ parameters: (inout Parameters) -> Void
  ) -> Statement {
    Statement(
      """
      WITH now AS MATERIALIZED (SELECT \(time) AS time), due AS MATERIALIZED (
        SELECT keys.id
        FROM \(schema).ledgers AS old JOIN \(schema).ledger_keys AS keys ON \(Self.byIndex("keys.id", "old.id"))
        WHERE expire_at <= (SELECT time FROM now) AND expire_at >= $3 ORDER BY expire_at LIMIT $1
        FOR UPDATE OF keys SKIP LOCKED),
      gone AS (
        DELETE FROM \(schema).ledgers AS old USING due
        WHERE \(Self.byIndex("old.id", "due.id")) AND old.expire_at + 0 <= (SELECT time FROM now)
        RETURNING old.id, old.expire_at AS time),
      unlocked AS (DELETE FROM \(schema).ledger_keys AS keys USING gone WHERE \(Self.byIndex("keys.id", "gone.id")))
      SELECT count(*), max(time) FROM gone
      """
    ) {
      $0.append(Int64(limit))
      parameters(&$0)
    }
  }

  /// Adds or replaces entries of the pass journal.
  func put(journal: [PassJournalEntry]) -> Statement {
    Statement(
      """
      INSERT INTO \(schema).journal (id, time, document) SELECT * FROM unnest($1::bytea[], $2::int8[], $3::text[])
      ON CONFLICT (id) DO UPDATE SET time = excluded.time, document = excluded.document
      """
    ) {
      $0.append(journal.map { Array($0.id.utf8) })
      $0.append(journal.map(\.time.microseconds))
      $0.append(journal.map(\.fields.text))
    }
  }

  /// Adds or replaces entries of the logs of runs.
  func put(logs: [RunLogEntry]) -> Statement {
    Statement(
      """
      INSERT INTO \(schema).run_log (run, sequence, expire_at, document)
      SELECT * FROM unnest($1::bytea[], $2::int8[], $3::int8[], $4::text[])
      ON CONFLICT (run, sequence) DO UPDATE SET expire_at = excluded.expire_at, document = excluded.document
      """
    ) {
      $0.append(logs.map(\.run.bytes))
      $0.append(logs.map(\.sequence))
      $0.append(logs.map(\.expireAt.microseconds))
      $0.append(logs.map(\.fields.text))
    }
  }

  // MARK: Purges

  /// Deletes rows of a table in the order of a time.
  ///
  /// - Parameters:
  ///   - table: the table.
  ///   - key: the columns of its primary key.
  ///   - condition: the condition, with `$1` for the limit.
  ///   - column: the column of the time.
  ///   - limit: the maximum number of rows.
  ///   - parameters: adds the parameters after the limit.
  /// - Returns: a statement that returns the number of deleted rows, and the latest time among them.
  func purge(
    _ table: String, key: [String], where condition: String, order column: String, limit: Int,
    _ parameters: (inout Parameters) -> Void
  ) -> Statement {
    // A subquery might be executed for each row, and each time find others; the expression is executed once.
    Statement(
      """
      WITH due AS MATERIALIZED (
        SELECT \(key.joined(separator: ", ")) FROM \(schema).\(table) WHERE \(condition) ORDER BY \(column) LIMIT $1
        FOR UPDATE SKIP LOCKED),
      gone AS (
        DELETE FROM \(schema).\(table) AS old USING due
        WHERE \(key.map { Self.byIndex("old.\($0)", "due.\($0)") }.joined(separator: " AND "))
        RETURNING old.\(column) AS time)
      SELECT count(*), max(time) FROM gone
      """
    ) {
      $0.append(Int64(limit))
      parameters(&$0)
    }
  }
}
#endif
