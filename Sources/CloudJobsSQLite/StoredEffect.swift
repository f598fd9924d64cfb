#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// The stored record of an effect.
struct StoredEffect {
  let state: EffectState
  /// The stored form of the value; nil if the effect has none, or was not performed.
  let value: JSONText?

  /// The table of effects, and the trigger by which records go with their run, whoever deletes it.
  static let schema = """
    CREATE TABLE run_effects (
      run TEXT NOT NULL, name TEXT NOT NULL, fence INTEGER NOT NULL, time INTEGER NOT NULL, value TEXT,
      PRIMARY KEY (run, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER run_effects_purge AFTER DELETE ON runs BEGIN
      DELETE FROM run_effects WHERE run = OLD.id;
    END;
    """

  /// Reads the state of a run and of its effect.
  static func fetch(_ name: String, of run: RunID, _ database: Database) throws -> StoredEffect {
    let statement = try database.cachedStatement(
      sql: """
        SELECT status, runs.fence, run_effects.run IS NOT NULL, value
        FROM runs LEFT JOIN run_effects ON run_effects.run = runs.id AND name = ? WHERE id = ?
        """)
    guard let row = try Row.fetchOne(statement, arguments: [name, run.rawValue]) else {
      return StoredEffect(state: EffectState(status: nil, fence: nil, isPerformed: false), value: nil)
    }
    return StoredEffect(
      state: EffectState(status: RunStatus(rawValue: row[0]), fence: row[1], isPerformed: row[2]),
      value: (row[3] as String?).map { JSONText(trusted: Array($0.utf8)) })
  }

  /// Records that an effect was performed.
  static func insert(
    _ name: String, of run: RunID, fence: Int64, _ value: JSONText?, _ transaction: CommitTransaction
  ) throws {
    let statement = try transaction.database.cachedStatement(
      sql: "INSERT INTO run_effects (run, name, fence, time, value) VALUES (?, ?, ?, ?, ?)")
    try statement.execute(
      arguments: [run.rawValue, name, fence, transaction.time.microseconds, value?.description])
  }
}
#endif
