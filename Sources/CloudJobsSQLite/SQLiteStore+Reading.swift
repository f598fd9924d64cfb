#if SQLite
public import CloudJobs
public import CloudJobsCore
import GRDB

extension SQLiteStore {
  /// Reads documents by id, all as of one moment.
  public func read(jobs: [JobID], runs: [RunID]) async throws(StoreError) -> StoreReading {
    try StoreLimits.check(jobs: jobs, runs: runs)
    return try await read { database, time in
      var reading = StoreReading(time: time, jobs: [:], runs: [:])
      let job = try database.cachedStatement(sql: "SELECT \(JobRecord.columns) FROM jobs WHERE id = ?")
      for id in jobs { reading.jobs[id] = try Row.fetchOne(job, arguments: [id.rawValue]).map { JobRecord(row: $0) } }
      let run = try database.cachedStatement(sql: "SELECT \(RunRecord.columns) FROM runs WHERE id = ?")
      for id in runs {
        reading.runs[id] = try Row.fetchOne(run, arguments: [id.rawValue]).flatMap { RunRecord(row: $0) }
      }
      return reading
    }
  }

  /// The jobs whose `state.nextRun` has come.
  public func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let query = ListQuery(
      "SELECT \(JobRecord.columns), next_run FROM jobs", keyColumn: 5, limit: limit,
      conditions: ["next_run <= ?"] + (cursor == nil ? [] : ["(next_run, id) > (?, ?)"]), order: "next_run, id")
    return try await read { database, time in
      try query.page(database, time, [time.microseconds] + ListQuery.place(cursor)) { JobRecord(row: $0) }
    }
  }

  /// The runs whose `wakeAt` has come.
  public func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    let query = ListQuery(
      "SELECT \(RunRecord.columns), wake_at FROM runs", keyColumn: 5, limit: limit,
      conditions: ["wake_at <= ?"] + (cursor == nil ? [] : ["(wake_at, id) > (?, ?)"]), order: "wake_at, id")
    return try await read { database, time in
      try query.page(database, time, [time.microseconds] + ListQuery.place(cursor)) { RunRecord(row: $0) }
    }
  }

  /// When jobs and runs come due: four look-ups at the ends of two indices.
  public func dueTimes() async throws(StoreError) -> DueTimes {
    try await read { database, time in
      let statement = try database.cachedStatement(
        sql: """
          SELECT (SELECT min(next_run) FROM jobs WHERE next_run IS NOT NULL),
            (SELECT min(wake_at) FROM runs WHERE wake_at IS NOT NULL),
            (SELECT min(next_run) FROM jobs WHERE next_run > ?1), (SELECT min(wake_at) FROM runs WHERE wake_at > ?1)
          """)
      let row = try Row.fetchOne(statement, arguments: [time.microseconds])
      func earlier(_ columns: [Int]) -> Timestamp? {
        columns.compactMap { column in row.flatMap { $0[column] as Int64? } }.min().map { Timestamp(microseconds: $0) }
      }
      return DueTimes(time: time, earliest: earlier([0, 1]), next: earlier([2, 3]))
    }
  }

  /// Job documents by id.
  public func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    let query = ListQuery(
      "SELECT \(JobRecord.columns), 0 FROM jobs", keyColumn: 5, limit: limit,
      conditions: cursor == nil ? [] : ["id > ?"], order: "id")
    return try await read { database, time in
      try query.page(database, time, cursor.map { [SQLiteText.value($0.id)] } ?? []) { JobRecord(row: $0) }
    }
  }

  /// Runs that match a filter, latest first.
  public func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    let query = RunQuery.make(filter, after: cursor, limit: limit)
    return try await read { database, time in
      guard let query else { return StorePage(records: [], next: nil, time: time) }
      return try query.list.page(database, time, query.arguments) { RunRecord(row: $0) }
    }
  }

  /// Journal entries, latest first; one that was edited by hand and can't be read is left out.
  public func journal(until time: Timestamp, limit: Int) async throws(StoreError) -> [JournalEntry] {
    let limit = StoreLimits.page(limit)
    return try await read { database, _ in
      let statement = try database.cachedStatement(
        sql: "SELECT id, document FROM journal WHERE time <= ? ORDER BY time DESC, id DESC LIMIT ?")
      return try Row.fetchAll(statement, arguments: [time.microseconds, limit]).compactMap { row in
        guard let id = SQLiteText.text(row[0]),
          let fields = try? JSONValue(parsing: Array((row[1] as String).utf8), limits: .service)
        else { return nil }
        return try? JournalEntry(id: id, fields: fields)
      }
    }
  }
}
#endif
