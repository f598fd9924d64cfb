#if SQLite
import CloudJobs
import GRDB

/// The tables, as steps that a file goes through once each.
///
/// The step that a file has reached stands in the file. A step is taken in a transaction that has the right to write
/// before it looks, so that of several processes that start at once one takes it and the others find it taken.
enum SQLiteSchema {
  /// The step that this program knows last.
  static var latest: Int { steps.count }

  private static let tables = ["jobs", "runs", "journal"]
  private static let steps = [firstTables]

  /// Brings a file to the latest step.
  ///
  /// - Throws: ``StoreError`` `invalid` where the file is past the latest step that this program knows, or has tables
  ///   of the same names that are not the store's.
  static func migrate(_ database: Database) throws {
    if try step(database) == latest { return }
    try database.inTransaction(.immediate) {
      if try !database.tableExists("store"), try tables.contains(where: { try database.tableExists($0) }) {
        throw StoreError(
          .invalid, "The file has tables of the store's names from another program. Give the store a file of its own.")
      }
      try database.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS store (
            id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, last_version INTEGER NOT NULL,
            last_time INTEGER NOT NULL) STRICT;
          INSERT OR IGNORE INTO store VALUES (1, 0, 0, -62135596800000000);
          """)
      let reached = try step(database)
      guard reached <= latest else {
        throw StoreError(
          .invalid, "The file has schema \(reached), this program knows up to \(latest). Update the program.")
      }
      for step in steps[reached...] { try database.execute(sql: step) }
      try database.execute(sql: "UPDATE store SET schema = ?", arguments: [latest])
      return .commit
    }
  }

  private static func step(_ database: Database) throws -> Int {
    guard try database.tableExists("store") else { return 0 }
    return try Int.fetchOne(database, sql: "SELECT schema FROM store") ?? 0
  }

  // Times are microseconds since 1970. Partial indices hold only what waits for a time; `correlation_id` and the
  // journal's `id` are ANY, as a text with a NUL is kept as a blob.
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
}
#endif
