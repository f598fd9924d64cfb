#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// A transaction of the database that has the right to write, with the time and the versions of its commits.
final class CommitTransaction {
  let database: Database
  let time: Timestamp
  private var ledger: Ledger

  init(_ database: Database, timekeeper: Timekeeper) throws {
    self.database = database
    ledger = try Ledger(database)
    time = timekeeper.advance(past: ledger.lastTime)
  }

  /// Keeps the latest version and time; the last thing before the database commits.
  func finish() throws {
    try ledger.save(database, time: time)
  }

  /// Makes all the changes; a ``StoreError`` is thrown before the first of them.
  func apply(_ writes: [Write]) throws {
    let places = try writes.map { write in
      let place = try place(of: write)
      guard write.precondition.holds(version: place.version, fence: place.fence) else {
        throw StoreError.conflict(on: write)
      }
      return place
    }
    for (write, place) in zip(writes, places) { try apply(write, place) }
  }

  /// What is stored where a write goes.
  private enum Place {
    case run(StoredRun.Key?)
    case job(StoredJob?)
    case journal

    var version: Version? {
      switch self {
      case .run(let run): run.map { Version($0.version) }
      case .job(let job): job.map { Version($0.version) }
      case .journal: nil
      }
    }

    var fence: Int64? {
      if case .run(let run) = self { run?.fence } else { nil }
    }
  }

  private func place(of write: Write) throws -> Place {
    switch write {
    case .putRun(let run, _): .run(try StoredRun.Key.fetch(run.id, database))
    case .deleteRun(let id, _): .run(try StoredRun.Key.fetch(id, database))
    case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _):
      .job(try job(id.rawValue))
    case .putJournal: .journal
    }
  }

  private func apply(_ write: Write, _ place: Place) throws {
    switch (write, place) {
    case (.putRun(let run, _), .run(let key)):
      try StoredRun.put(run, version: ledger.nextVersion(), over: key, database)
    case (.deleteRun, .run(let key)):
      guard let key else { return }
      ledger.noteChange()
      try execute("DELETE FROM runs WHERE rowid = ?", [key.rowID])
    case (.putConfiguration(let id, let configuration, _), .job(let stored)):
      try putJob(id.rawValue, StoredJob(stored, configuration: configuration), exists: stored != nil)
    case (.patchState(let id, let patch, _), .job(let stored)):
      try putJob(id.rawValue, StoredJob(stored, patch: patch), exists: stored != nil)
    case (.deleteJob(let id, _), .job(let stored)):
      guard stored != nil else { return }
      ledger.noteChange()
      try execute("DELETE FROM jobs WHERE id = ?", [id.rawValue])
    case (.putJournal(let entry), _): try putJournal(entry)
    default: preconditionFailure("A write of one kind meets a place of another.")
    }
  }

  /// A job's document as stored.
  func job(_ id: String) throws -> StoredJob? {
    let statement = try database.cachedStatement(sql: "SELECT version, configuration, state FROM jobs WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id]).map { row in
      StoredJob(version: row[0], configuration: row[1], state: row[2])
    }
  }

  /// Writes a job's document.
  func putJob(_ id: String, _ job: StoredJob, exists: Bool) throws {
    let version = try ledger.nextVersion()
    let sql =
      exists
      ? "UPDATE jobs SET version = ?, configuration = ?, state = ?, next_run = ? WHERE id = ?"
      : "INSERT INTO jobs (version, configuration, state, next_run, id) VALUES (?, ?, ?, ?, ?)"
    try execute(sql, [version, job.configuration, job.state, job.nextRun?.microseconds, id])
  }

  private func putJournal(_ entry: JournalEntry) throws {
    ledger.noteChange()
    try execute(
      """
      INSERT INTO journal (id, time, document) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET time = excluded.time, document = excluded.document
      """, [SQLiteText.value(entry.id), entry.time.microseconds, entry.fields.text])
  }

  /// Deletes runs whose time to expire has come; answers how many.
  func purgeRuns(limit: Int) throws -> Int {
    try purge(
      """
      DELETE FROM runs WHERE rowid IN (
        SELECT rowid FROM runs WHERE expire_at <= ? ORDER BY expire_at, id LIMIT ?)
      """, time, limit)
  }

  /// Deletes old entries of the journal; answers how many.
  func purgeJournal(before time: Timestamp, limit: Int) throws -> Int {
    try purge(
      "DELETE FROM journal WHERE rowid IN (SELECT rowid FROM journal WHERE time < ? ORDER BY time, id LIMIT ?)", time,
      limit)
  }

  private func purge(_ sql: String, _ time: Timestamp, _ limit: Int) throws -> Int {
    try execute(sql, [time.microseconds, limit])
    if database.changesCount > 0 { ledger.noteChange() }
    return database.changesCount
  }

  private func execute(_ sql: String, _ arguments: StatementArguments) throws {
    try database.cachedStatement(sql: sql).execute(arguments: arguments)
  }
}
#endif
