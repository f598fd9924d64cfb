#if PostgreSQL
import CloudJobs

/// The name of the schema that holds the store's tables.
struct SchemaName: Hashable, Sendable {
  /// The name.
  let text: String

  /// The longest name, in bytes: that of the channel has a suffix.
  static let limit = 50

  /// Validates a name.
  ///
  /// - Parameter text: lower-case ASCII letters, digits and underscores; the first is no digit.
  /// - Throws: ``StoreError`` `invalid` for any other name, and for one that PostgreSQL reserves.
  init(_ text: String) throws(StoreError) {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let isPlain = text.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_") }
    guard isPlain, (1...Self.limit).contains(text.utf8.count), text.utf8.first.map({ !digits.contains($0) }) ?? false,
      !text.hasPrefix("pg_"), text != "information_schema"
    else {
      throw StoreError(
        .invalid,
        "A schema's name has 1 to \(Self.limit) lower-case letters, digits and underscores, begins with no digit and "
          + "not with pg_. Choose another name.")
    }
    self.text = text
  }

  /// The name as SQL.
  var sql: String { "\"\(text)\"" }
  /// The channel of notifications.
  var channel: String { "\(text)_wake" }
}

/// The tables, as migrations that each schema goes through once.
///
/// The schema stores its version. Migrations run in a transaction under an advisory lock, so that of several starting
/// processes one migrates and the others find the result.
struct PostgresSchema: Sendable {
  /// The latest version.
  static let latest = 5

  private let name: SchemaName
  private static let tables = [
    "jobs", "job_keys", "runs", "run_log", "run_effects", "journal", "ledgers", "ledger_keys", "times",
  ]

  /// Creates the migrations of a schema.
  init(_ name: SchemaName) {
    self.name = name
  }

  /// The statement that tells the version of the schema, whether the schema exists, and how many of the store's tables
  /// it has.
  var inspection: Statement {
    Statement(
      """
      SELECT to_regclass($1) IS NOT NULL, EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $2),
        (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($2) AND relname = ANY ($3))
      """
    ) {
      $0.append("\(name.sql).store")
      $0.append(name.text)
      $0.append(Self.tables)
    }
  }

  /// The statement that tells the version of a schema that has the table `store`.
  var versionQuery: Statement { Statement(callers: "SELECT version FROM \(name.sql).store", []) }

  /// The statement that takes the lock of migrations until the end of the transaction.
  var lock: Statement {
    Statement("SELECT pg_advisory_xact_lock(hashtext('swift-cloud-jobs'), hashtext($1))") { $0.append(name.text) }
  }

  /// Returns the statements that bring the schema from a version to another, by default the latest one.
  ///
  /// - Parameters:
  ///   - version: the version; 0 for a schema without the store's tables.
  ///   - target: the version to reach; tests stop at earlier ones.
  ///   - schemaExists: whether the schema exists.
  /// - Returns: the statements of one transaction.
  func migration(from version: Int, to target: Int = latest, schemaExists: Bool) -> [Statement] {
    var texts: [String] = []
    if version == 0 {
      if !schemaExists { texts.append("CREATE SCHEMA \(name.sql)") }
      texts.append("CREATE TABLE \(name.sql).store (id int PRIMARY KEY CHECK (id = 1), version int NOT NULL)")
      texts.append("INSERT INTO \(name.sql).store VALUES (1, 0)")
    }
    texts += [firstTables, timeIndex, ledgerKeys, jobKeys, queueColumn][version..<target].flatMap { $0 }
    texts.append("UPDATE \(name.sql).store SET version = \(target)")
    return texts.map { Statement(callers: $0, []) }
  }

  // Times are microseconds since 1970. Partial indexes only hold rows that wait for a time. Run ids are the 32 bytes of
  // their digits. Texts that may have a NUL, and the payloads, are byte strings.
  //
  // An update changes a run's status and times, and so needs a new entry in each index that has the row. Therefore the
  // indexes are few, and those by the creation have no id: their entries are equal then for all versions of a row, and
  // are stored once (https://www.postgresql.org/docs/current/btree.html#BTREE-DEDUPLICATION). Most runs succeed: there
  // is no index by that status. Progress and checkpoints change no indexed column, and stay in their page.
  private var firstTables: [String] {
    let schema = name.sql
    return [
      "CREATE SEQUENCE \(schema).versions AS bigint CACHE 32",
      "CREATE TABLE \(schema).times (slot int PRIMARY KEY, last_time bigint NOT NULL) WITH (fillfactor = 50)",
      """
      CREATE TABLE \(schema).jobs (
        id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, configuration text NOT NULL, state text,
        next_run bigint
      ) WITH (fillfactor = 70)
      """,
      "CREATE INDEX jobs_due ON \(schema).jobs (next_run, id) WHERE next_run IS NOT NULL",
      """
      CREATE TABLE \(schema).runs (
        id bytea PRIMARY KEY, version bigint NOT NULL, created_at bigint NOT NULL, wake_at bigint, expire_at bigint,
        fence bigint NOT NULL, amendments bigint NOT NULL, status text COLLATE "C" NOT NULL,
        job text COLLATE "C" NOT NULL, correlation_id bytea, document text NOT NULL, input bytea, output bytea
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05)
      """,
      "CREATE INDEX runs_waking ON \(schema).runs (wake_at, id) WHERE wake_at IS NOT NULL",
      "CREATE INDEX runs_expiring ON \(schema).runs (expire_at) WHERE expire_at IS NOT NULL",
      "CREATE INDEX runs_by_time ON \(schema).runs (created_at)",
      "CREATE INDEX runs_by_job ON \(schema).runs (job, created_at)",
      "CREATE INDEX runs_by_status ON \(schema).runs (status, created_at) WHERE status <> 'succeeded'",
      """
      CREATE INDEX runs_by_cause ON \(schema).runs (sha256(correlation_id), created_at)
      WHERE correlation_id IS NOT NULL
      """,
      """
      CREATE TABLE \(schema).run_log (
        run bytea NOT NULL, sequence bigint NOT NULL, expire_at bigint NOT NULL, document text NOT NULL,
        PRIMARY KEY (run, sequence))
      """,
      "CREATE INDEX run_log_expiring ON \(schema).run_log (expire_at)",
      """
      CREATE TABLE \(schema).run_effects (
        run bytea NOT NULL REFERENCES \(schema).runs ON DELETE CASCADE, name text COLLATE "C" NOT NULL,
        fence bigint NOT NULL, time bigint NOT NULL, value bytea, PRIMARY KEY (run, name))
      """,
      "CREATE TABLE \(schema).journal (id bytea PRIMARY KEY, time bigint NOT NULL, document text NOT NULL)",
      "CREATE INDEX journal_by_time ON \(schema).journal (time, id)",
      """
      CREATE TABLE \(schema).ledgers (
        id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, changed_at bigint NOT NULL,
        expire_at bigint NOT NULL, document text NOT NULL
      ) WITH (fillfactor = 50)
      """,
      "CREATE INDEX ledgers_expiring ON \(schema).ledgers (expire_at)",
    ]
  }
}

extension PostgresSchema {
  // The latest time is read with most statements: an index finds it in a table that an old snapshot lets grow.
  private var timeIndex: [String] { ["CREATE INDEX times_latest ON \(name.sql).times (last_time)"] }

  // The account of a limit changes with each attempt, and an old snapshot keeps all of its versions. A primary key on
  // the id would look at each of them with each change. Instead a row that never changes is locked, and the latest
  // version is the first one in its index.
  private var ledgerKeys: [String] {
    let schema = name.sql
    return [
      "CREATE TABLE \(schema).ledger_keys (id text COLLATE \"C\" PRIMARY KEY)",
      "LOCK TABLE \(schema).ledgers",
      "INSERT INTO \(schema).ledger_keys SELECT id FROM \(schema).ledgers",
      "ALTER TABLE \(schema).ledgers DROP CONSTRAINT ledgers_pkey",
      "CREATE UNIQUE INDEX ledgers_latest ON \(schema).ledgers (id, version DESC)",
    ]
  }

  // So does the document of a job, with its state. The sequence has no numbers reserved for connections any more: the
  // latest version has the greatest number then.
  private var jobKeys: [String] {
    let schema = name.sql
    return [
      "ALTER SEQUENCE \(schema).versions CACHE 1",
      "CREATE TABLE \(schema).job_keys (id text COLLATE \"C\" PRIMARY KEY)",
      "LOCK TABLE \(schema).jobs",
      "INSERT INTO \(schema).job_keys SELECT id FROM \(schema).jobs",
      "ALTER TABLE \(schema).jobs DROP CONSTRAINT jobs_pkey",
      "CREATE UNIQUE INDEX jobs_latest ON \(schema).jobs (id, version DESC)",
    ]
  }
}

extension PostgresSchema {
  // A count of the runs that wait reads nothing but the index. The queues of runs that have ended are not counted.
  // The server can't take a document apart that has a NUL.
  private var queueColumn: [String] {
    let schema = name.sql
    return [
      "ALTER TABLE \(schema).runs ADD COLUMN queue bytea",
      """
      UPDATE \(schema).runs SET queue = convert_to(document::json ->> 'queue', 'UTF8')
      WHERE status IN ('scheduled', 'pending', 'running') AND strpos(document, '"queue"') > 0
        AND strpos(document, '\\u0000') = 0
      """,
      "DROP INDEX \(schema).runs_by_status",
      "CREATE INDEX runs_by_status ON \(schema).runs (status, created_at, queue) WHERE status <> 'succeeded'",
    ]
  }
}

/// What is known about a schema before it is used.
struct SchemaState: Hashable, Sendable {
  /// The version; 0 if it has no table `store`.
  var version: Int
  /// Whether the schema exists.
  var exists: Bool
  /// The number of tables with names of the store's, apart from `store`.
  var tableCount: Int

  /// Returns the step to take.
  ///
  /// - Parameter mayMigrate: whether the tables may be created and changed.
  /// - Returns: whether to migrate.
  /// - Throws: ``StoreError`` `invalid` for a newer schema, foreign tables, or an older schema that may not be
  ///   migrated.
  func needsMigration(mayMigrate: Bool) throws(StoreError) -> Bool {
    let latest = PostgresSchema.latest
    if version > latest {
      throw StoreError(
        .invalid, "The schema has version \(version), but this program supports up to \(latest). Update the program.")
    }
    if version == 0, tableCount > 0 {
      throw StoreError(
        .invalid, "The schema has tables of another program with the store's names. Choose another schema.")
    }
    if version == latest { return false }
    if !mayMigrate {
      throw StoreError(
        .invalid,
        version == 0
          ? "The schema has no store. Create it as its owner: cloud-jobs migrate, or start once with migratesSchema."
          : "The schema has version \(version), not \(latest). Migrate it as its owner when no older program uses it "
            + "any more: cloud-jobs migrate, or start once with migratesSchema.")
    }
    return true
  }
}
#endif
