#if SQLite
import CloudJobs
import GRDB

/// The tables, as migrations that each file goes through once.
///
/// The file stores its schema version. Each migration runs in a transaction that takes the write lock before it checks
/// the version, so that of several starting processes one migrates and the others find the result; between two of them
/// other processes may write.
enum SQLiteSchema {
  /// The latest schema version.
  static var latest: Int { steps.count }

  private static let tables = ["jobs", "runs", "journal", "ledgers"]
  private static let steps = [firstTables, runLogs, ledgerTable, StoredEffect.schema] + leanIndexes + [queueColumn]

  /// Migrates a file to the latest schema version.
  ///
  /// - Parameters:
  ///   - database: the connection to the file.
  ///   - version: the schema version to reach; tests stop at earlier ones.
  /// - Throws: ``StoreError`` `invalid` if the file's schema is newer than this program knows, or if it has foreign
  ///   tables of the same names.
  static func migrate(_ database: Database, to version: Int = latest) throws {
    while try step(database) != version {
      try database.inTransaction(.immediate) {
        try takeStep(database, to: version)
        return .commit
      }
    }
  }

  /// Checks that a file has the latest schema version.
  ///
  /// - Throws: ``StoreError`` `invalid` if it has another one, or is no store.
  static func check(_ database: Database) throws {
    guard try database.tableExists("store") else {
      throw StoreError(.invalid, "The file holds no store. Give another path, or create one: cloud-jobs migrate.")
    }
    let reached = try step(database)
    if reached == latest { return }
    throw reached > latest
      ? newer(reached, than: latest)
      : StoreError(
        .invalid,
        "The file has schema \(reached), but this program works on \(latest). Migrate it when no older program uses it "
          + "any more: cloud-jobs migrate.")
  }

  private static func newer(_ reached: Int, than version: Int) -> StoreError {
    StoreError(
      .invalid, "The file has schema \(reached), but this program supports up to \(version). Update the program.")
  }

  private static func takeStep(_ database: Database, to version: Int) throws {
    if try !database.tableExists("store"), try tables.contains(where: { try database.tableExists($0) }) {
      throw StoreError(
        .invalid, "The file has tables of another program with the store's names. Use a separate file for the store.")
    }
    try database.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS store (
          id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, last_version INTEGER NOT NULL,
          last_time INTEGER NOT NULL) STRICT;
        INSERT OR IGNORE INTO store VALUES (1, 0, 0, -62135596800000000);
        """)
    let reached = try step(database)
    guard reached <= version else { throw newer(reached, than: version) }
    if reached == version { return }
    try database.execute(sql: steps[reached])
    try database.execute(sql: "UPDATE store SET schema = ?", arguments: [reached + 1])
  }

  private static func step(_ database: Database) throws -> Int {
    guard try database.tableExists("store") else { return 0 }
    return try Int.fetchOne(database, sql: "SELECT schema FROM store") ?? 0
  }

  // Times are microseconds since 1970. Partial indexes only hold rows that wait for a time. `correlation_id` and the
  // journal's `id` are ANY, because text with a NUL is stored as a blob.
  private static let firstTables = """
    CREATE TABLE jobs (
      id TEXT PRIMARY KEY, version INTEGER NOT NULL, configuration TEXT NOT NULL, state TEXT, next_run INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX jobs_due ON jobs (next_run, id) WHERE next_run IS NOT NULL;

    CREATE TABLE runs (
      id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, job TEXT NOT NULL, status TEXT NOT NULL,
      created_at INTEGER NOT NULL, wake_at INTEGER, expire_at INTEGER, correlation_id ANY, fence INTEGER NOT NULL,
      document TEXT NOT NULL, input TEXT, output TEXT
    ) STRICT;
    CREATE INDEX runs_waking ON runs (wake_at, id) WHERE wake_at IS NOT NULL;
    CREATE INDEX runs_expiring ON runs (expire_at, id) WHERE expire_at IS NOT NULL;
    CREATE INDEX runs_by_time ON runs (created_at, id);
    CREATE INDEX runs_by_job ON runs (job, created_at, id);
    CREATE INDEX runs_by_status ON runs (status, created_at, id);
    CREATE INDEX runs_by_cause ON runs (correlation_id, created_at, id) WHERE correlation_id IS NOT NULL;

    CREATE TABLE journal (id ANY NOT NULL UNIQUE, time INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
    CREATE INDEX journal_by_time ON journal (time, id);
    """

  private static let runLogs = """
    ALTER TABLE runs ADD COLUMN amendments INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE run_log (
      run TEXT NOT NULL, sequence INTEGER NOT NULL, expire_at INTEGER NOT NULL, document TEXT NOT NULL,
      PRIMARY KEY (run, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX run_log_expiring ON run_log (expire_at);
    """

  // Each run changes its entries in these indexes some times: they have no more than lists need. Most runs succeed, and
  // a list of those goes by the time.
  private static let leanIndexes = [
    ("runs_expiring", "(expire_at) WHERE expire_at IS NOT NULL"), ("runs_by_time", "(created_at)"),
    ("runs_by_job", "(job, created_at)"), ("runs_by_status", "(status, created_at) WHERE status <> 'succeeded'"),
    ("runs_by_cause", "(correlation_id, created_at) WHERE correlation_id IS NOT NULL"),
  ].map { name, columns in "DROP INDEX \(name); CREATE INDEX \(name) ON runs \(columns)" }

  // A count of the runs that wait reads nothing but the index. The queues of runs that have ended are not counted.
  private static let queueColumn = """
    ALTER TABLE runs ADD COLUMN queue ANY;
    UPDATE runs SET queue = json_extract(CASE WHEN json_valid(document) THEN document END, '$.queue')
      WHERE status IN ('scheduled', 'pending', 'running');
    DROP INDEX runs_by_status;
    CREATE INDEX runs_by_status ON runs (status, created_at, queue) WHERE status <> 'succeeded';
    """

  private static let ledgerTable = """
    CREATE TABLE ledgers (
      id TEXT PRIMARY KEY, version INTEGER NOT NULL, changed_at INTEGER NOT NULL, expire_at INTEGER NOT NULL,
      document TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX ledgers_expiring ON ledgers (expire_at, id);
    """
}
#endif
