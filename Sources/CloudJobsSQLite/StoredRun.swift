#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// A run as the file keeps it: a JSON document, the columns that lists go by, and the payloads byte for byte.
enum StoredRun {
  /// What a commit must know about a run that is stored.
  struct Key {
    let rowID: Int64
    let version: Int64
    let fence: Int64
    let job: String
    let createdAt: Int64
    let correlationID: DatabaseValue

    /// The key of a run; nil where there is none.
    static func fetch(_ id: RunID, _ database: Database) throws -> Key? {
      let statement = try database.cachedStatement(
        sql: "SELECT rowid, version, fence, job, created_at, correlation_id FROM runs WHERE id = ?")
      return try Row.fetchOne(statement, arguments: [id.rawValue]).map { row in
        Key(rowID: row[0], version: row[1], fence: row[2], job: row[3], createdAt: row[4], correlationID: row[5])
      }
    }
  }

  private static let insert = """
    INSERT INTO runs (version, status, wake_at, expire_at, fence, document, input, output, job, created_at,
      correlation_id, id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """

  private static let update = """
    UPDATE runs SET version = ?, status = ?, wake_at = ?, expire_at = ?, fence = ?, document = ?, input = ?,
      output = ?, job = ?, created_at = ?, correlation_id = ?
    WHERE rowid = ?
    """

  /// Leaves alone what hardly ever changes, so that SQLite need not write the indices of it again.
  private static let leanUpdate = """
    UPDATE runs SET version = ?, status = ?, wake_at = ?, expire_at = ?, fence = ?, document = ?, input = ?,
      output = ?
    WHERE rowid = ?
    """

  /// Writes a run, over the one that is stored or as a new one.
  static func put(_ run: Run, version: Int64, over key: Key?, _ database: Database) throws {
    var document = run
    document.input = nil
    document.output = nil
    let correlationID = run.correlationID.map { SQLiteText.value($0) } ?? .null
    var values: [(any DatabaseValueConvertible)?] = [
      version, run.status.rawValue, run.wakeAt?.microseconds, run.expireAt?.microseconds, run.fence,
      document.fields.text, run.input.map(\.description), run.output.map(\.description),
    ]
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
  /// The columns that a record is made of.
  static let columns = "id, version, document, input, output"

  /// The record of a row of ``columns``; nil where its id names no run.
  init?(row: Row) {
    guard let id = try? RunID(row[0] as String) else { return nil }
    let version = Version(row[1])
    do throws(JobError) {
      let document = Array((row[2] as String).utf8)
      let fields = try JSONValue(parsing: document, limits: JSONLimits(bytes: .max, depth: 512))
      var run = try Run(id: id, fields: fields)
      run.input = (row[3] as String?).map { JSONText(trusted: Array($0.utf8)) }
      run.output = (row[4] as String?).map { JSONText(trusted: Array($0.utf8)) }
      self.init(id: id, version: version, run: .success(run))
    } catch {
      self.init(id: id, version: version, run: .failure(error))
    }
  }
}
#endif
