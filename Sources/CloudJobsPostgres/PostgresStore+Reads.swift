#if PostgreSQL
public import CloudJobs
public import CloudJobsCore
import Synchronization

// MARK: - Reads

extension PostgresStore {
  /// Reads documents by id, all as of one snapshot.
  public func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    try StoreLimits.check(jobs: jobs, runs: runs, ledgers: ledgers)
    let statement = Self.reading(jobs: jobs, runs: runs, ledgers: ledgers, time, schema)
    return Self.reading(try await perform([statement])[0], time)
  }

  /// Returns the statement that reads documents by id.
  static func reading(
    jobs: [JobID], runs: [RunID], ledgers: [LedgerID], _ time: StoreTime, _ schema: SchemaName
  ) -> Statement {
    Statement(
      """
      SELECT 0::int8, \(time.expression(1)), NULL::bytea, NULL::text, NULL::text, NULL::bytea, NULL::bytea, NULL::int8
      UNION ALL SELECT 1, version, convert_to(id, 'UTF8'), configuration, state, NULL, NULL, next_run
        FROM unnest($2::text[]) AS known (name)
        CROSS JOIN LATERAL (\(CommitStatements.latest("jobs", of: "known.name", in: schema.sql))) AS job
      UNION ALL SELECT 2, version, id, document, NULL, input, output, NULL
        FROM unnest($3::bytea[]) AS known (name)
        CROSS JOIN LATERAL (SELECT * FROM \(schema.sql).runs WHERE runs.id = known.name LIMIT 1) AS run
      UNION ALL SELECT 3, version, convert_to(id, 'UTF8'), document, NULL, NULL, NULL, changed_at
        FROM unnest($4::text[]) AS known (name)
        CROSS JOIN LATERAL (\(CommitStatements.latest("ledgers", of: "known.name", in: schema.sql))) AS ledger
      """
    ) {
      $0.append(time.floor)
      $0.append(jobs.map(\.rawValue))
      $0.append(runs.map(\.bytes))
      $0.append(ledgers.map(\.rawValue))
    }
  }

  /// Returns the documents of an answer.
  static func reading(_ rows: QueryResult, _ time: StoreTime) -> StoreReading {
    var reading = StoreReading(time: .distantPast, jobs: [:], runs: [:])
    for row in 0..<rows.count {
      let number = rows.int64(row, 1)
      switch rows.int64(row, 0) {
      case 0: reading.time = time.advance(to: number)
      case 1:
        let record = JobRecord(
          id: rows.text(row, 2), version: number, configuration: rows.text(row, 3), state: rows.text(row, 4),
          nextRun: rows.int64(row, 7))
        if let record, let id = try? JobID(record.id) { reading.jobs[id] = record }
      case 2:
        let record = RunRecord(
          id: rows.bytes(row, 2), version: number, document: rows.bytes(row, 3), input: rows.bytes(row, 5),
          output: rows.bytes(row, 6))
        if let record { reading.runs[record.id] = record }
      default:
        let record = LedgerRecord(
          id: rows.text(row, 2), version: number, changedAt: rows.int64(row, 7), document: rows.bytes(row, 3))
        if let record { reading.ledgers[record.id] = record }
      }
    }
    return reading
  }

  // MARK: Lists

  /// Returns a page of the jobs whose `state.nextRun` has come.
  public func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    var query = ListQuery(
      JobRecord.columns, of: "\(schema.sql).jobs", key: "next_run", order: "key, id", limit: limit, floor: time.floor)
    query.require("next_run <= now.time")
    let start = jobFront.withLock { $0.start(at: MonotonicClock.milliseconds()) }
    query.require("next_run >= ?") { $0.append(start.microseconds) }
    if let cursor { query.require(after: cursor, ">") { $0.append(cursor.id) } }
    return try await jobPage(query)
  }

  /// Returns a page of job documents, by id.
  public func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    var query = ListQuery(
      JobRecord.columns, of: "\(schema.sql).jobs", key: "0::int8", order: "id", limit: limit, floor: time.floor)
    if let cursor { query.require("id > ?") { $0.append(cursor.id) } }
    return try await jobPage(query)
  }

  private func jobPage(_ query: ListQuery) async throws(StoreError) -> StorePage<JobRecord> {
    let rows = try await perform([query.statement(time.expression(1))])[0]
    let page = query.page(rows, keyColumn: 6, id: { rows.text($0, 1) }) { JobRecord(rows, $0, from: 1) }
    return StorePage(records: page.records, next: page.next, time: time.advance(to: page.time))
  }

  /// Returns a page of the runs whose `wakeAt` has come.
  public func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    var query = ListQuery(
      RunRecord.columns, of: "\(schema.sql).runs", key: "wake_at", order: "key, id", limit: limit, floor: time.floor)
    query.require("wake_at <= now.time")
    if let cursor, let id = try? RunID(cursor.id) { query.require(after: cursor, ">") { $0.append(id.bytes) } }
    return try await runPage(query)
  }

  /// Returns a page of the runs that match a filter, latest first.
  public func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>
  {
    guard let query = RunQuery(filter, after: cursor, limit: limit, schema, floor: time.floor) else {
      return StorePage(records: [], next: nil, time: try await commit([]))
    }
    return try await runPage(query.list, anyOf: query.alternatives)
  }

  private func runPage(
    _ query: ListQuery, anyOf alternatives: [String] = []
  ) async throws(StoreError) -> StorePage<RunRecord> {
    let rows = try await perform([query.statement(time.expression(1), anyOf: alternatives)])[0]
    let page = query.page(
      rows, keyColumn: 6, id: { rows.bytes($0, 1).flatMap { RunID(bytes: $0)?.rawValue } }
    ) { RunRecord(rows, $0, from: 1) }
    return StorePage(records: page.records, next: page.next, time: time.advance(to: page.time))
  }

  /// Returns the times at which jobs and runs come due, from look-ups at the ends of ranges of two indexes.
  public func dueTimes(within horizon: Duration) async throws(StoreError) -> DueTimes {
    let begin = MonotonicClock.milliseconds()
    let (mark, strays, lookMark) = front.withLock { front in
      // A look that costs little takes place in the same round trip, so that what others committed late is found now.
      let lookMark = front.isLookCheap ? front.beginLook(at: begin) : nil
      return (front.mark, front.strays, lookMark)
    }
    let jobMark = jobFront.withLock { $0.start(at: begin) }
    let statements =
      [dueTimes(from: mark, but: strays, jobsFrom: jobMark, within: horizon)]
      + (lookMark.map { [look(before: $0)] } ?? [])
    let results: [QueryResult]
    do throws(StoreError) {
      results = try await perform(statements)
    } catch {
      if lookMark != nil { front.withLock { $0.endLook(nil, begin: begin, at: MonotonicClock.milliseconds()) } }
      throw error
    }
    let times = (0...5).map { column in results[0].int64(0, column).map { Timestamp(microseconds: $0) } }
    if let now = times[0] { jobFront.withLock { $0.note(last: min(times[1] ?? now, now) - DueFront.margin) } }
    front.withLock { front in
      if let time = times[0] { front.note(first: times[3], from: mark, at: time) }
      guard lookMark != nil else { return }
      front.endLook(Self.found(in: results[1]), begin: begin, at: MonotonicClock.milliseconds())
    }
    lookBack()
    let earlier = lookMark == nil ? nil : front.withLock { $0.strays.first?.wakeAt }
    return DueTimes(
      time: time.advance(to: results[0].int64(0, 0)), earliestJob: times[1],
      earliestRun: [times[3], times[4], times[5], earlier].compactMap { $0 }.min(),
      next: [times[2], times[4]].compactMap { $0 }.min())
  }

  /// The SQL of the time at which a run that was found by its id comes due.
  ///
  /// It may be of a run that waits for no time, so that the index of those that do is none for a search by ids. The
  /// planner would prefer it: it can't see its dead entries, and takes it for small.
  static let wakeTime = "coalesce(wake_at, \(Int64.max))"

  /// Returns the statement whose row has the time, the first times of jobs, those of runs, and that of strays.
  ///
  /// - Parameters:
  ///   - mark: the time from which on due runs are searched for.
  ///   - strays: the due runs that are known by their ids.
  ///   - jobMark: the time from which on due jobs are searched for.
  ///   - horizon: how far ahead runs are searched for.
  /// - Returns: the statement.
  func dueTimes(
    from mark: Timestamp, but strays: [DueFront.Stray], jobsFrom jobMark: Timestamp, within horizon: Duration
  ) -> Statement {
    let others = strays.isEmpty ? "" : "AND NOT (id = ANY ($5))"
    let known =
      strays.isEmpty
      ? "NULL::int8"
      : """
      (SELECT min(run.wake_at) FROM unnest($5::bytea[]) AS known (id) CROSS JOIN LATERAL (
        SELECT wake_at FROM \(schema.sql).runs
        WHERE \(CommitStatements.byIndex("runs.id", "known.id")) AND \(Self.wakeTime) <= now.time LIMIT 1) AS run)
      """
    return Statement(
      """
      WITH now AS MATERIALIZED (SELECT \(time.expression(1)) AS time)
      SELECT now.time,
        (SELECT next_run FROM \(schema.sql).jobs WHERE next_run >= $4 ORDER BY next_run LIMIT 1),
        (SELECT next_run FROM \(schema.sql).jobs WHERE next_run > now.time ORDER BY next_run LIMIT 1),
        (SELECT wake_at FROM \(schema.sql).runs
          WHERE wake_at >= $2 AND wake_at <= now.time \(others) ORDER BY wake_at LIMIT 1),
        (SELECT wake_at FROM \(schema.sql).runs
          WHERE wake_at > now.time AND wake_at <= now.time + $3 ORDER BY wake_at LIMIT 1),
        \(known)
      FROM now
      """
    ) {
      $0.append(time.floor)
      $0.append(mark.microseconds)
      $0.append(max(.zero, horizon).microseconds)
      $0.append(jobMark.microseconds)
      if !strays.isEmpty { $0.append(strays.map(\.id.bytes)) }
    }
  }

  /// Returns a page of the ledgers of a family, by their ids.
  public func ledgers(in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<LedgerRecord>
  {
    var query = ListQuery(
      "id, version, changed_at, document", of: "\(schema.sql).ledgers", key: "0::int8", order: "id", limit: limit,
      floor: time.floor)
    query.require(cursor == nil ? "id >= ?" : "id > ?") { $0.append(cursor?.id ?? family.prefix) }
    query.require("id < ?") { $0.append(family.end) }
    let rows = try await perform([query.statement(time.expression(1))])[0]
    let page = query.page(rows, keyColumn: 5, id: { rows.text($0, 1) }) { row in
      LedgerRecord(
        id: rows.text(row, 1), version: rows.int64(row, 2), changedAt: rows.int64(row, 3), document: rows.bytes(row, 4))
    }
    return StorePage(records: page.records, next: page.next, time: time.advance(to: page.time))
  }

  // MARK: Journal and log

  /// Returns a run's log, oldest entry first; unreadable entries edited by hand are left out.
  public func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    let statement = Statement(
      "SELECT document FROM \(schema.sql).run_log WHERE run = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"
    ) {
      $0.append(run.bytes)
      $0.append(sequence ?? .min)
      $0.append(Int64(StoreLimits.page(limit)))
    }
    let rows = try await perform([statement])[0]
    return (0..<rows.count).compactMap { row in
      rows.bytes(row, 0).flatMap { try? JSONValue(parsing: $0, limits: .service) }.flatMap {
        try? RunLogEntry(fields: $0)
      }
    }
  }

  /// Returns journal entries, latest or earliest first; unreadable entries edited by hand are left out.
  public func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    let order = filter.isAscending ? "ASC" : "DESC"
    let line = filter.textOfLine
    let statement = Statement(
      """
      SELECT id, document FROM \(schema.sql).journal
      WHERE time BETWEEN $1 AND $2\(line == nil ? "" : " AND strpos(document, $4) > 0")
      ORDER BY time \(order), id \(order) LIMIT $3
      """
    ) {
      $0.append(filter.from?.microseconds ?? .min)
      $0.append(filter.until?.microseconds ?? .max)
      $0.append(Int64(StoreLimits.page(limit)))
      if let line { $0.append(line) }
    }
    let rows = try await perform([statement])[0]
    return (0..<rows.count).compactMap { row in
      guard let id = rows.text(row, 0),
        let fields = rows.bytes(row, 1).flatMap({ try? JSONValue(parsing: $0, limits: .service) })
      else { return nil }
      return try? PassJournalEntry(id: id, fields: fields)
    }
  }

  // MARK: Purges

  /// Deletes expired runs.
  public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    try await purgeExpired("runs", key: ["id"], limit)
  }

  /// Deletes expired log entries.
  public func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    try await purgeExpired("run_log", key: ["run", "sequence"], limit)
  }

  /// Deletes expired ledgers.
  public func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    try await purgeExpired("ledgers", limit) { limit, start in
      statements.purgeLedgers(time.expression(2), limit: limit) {
        $0.append(time.floor)
        $0.append(start.microseconds)
      }
    }
  }

  /// Deletes journal entries, oldest first.
  public func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    let statement = statements.purge(
      "journal", key: ["id"], where: "time < $2", order: "time", limit: StoreLimits.page(limit)
    ) { $0.append(time.microseconds) }
    let rows = try await perform([statement, self.time.statement(ofCommit: true)], mayCommit: true)[0]
    return Int(rows.int64(0, 0) ?? 0)
  }

  private func purgeExpired(_ table: String, key: [String], _ limit: Int) async throws(StoreError) -> Int {
    try await purgeExpired(table, limit) { expired(table, key: key, from: $1, limit: $0) }
  }

  /// Returns the statement that deletes the rows of a table that expired at or after a time.
  func expired(_ table: String, key: [String], from start: Timestamp, limit: Int) -> Statement {
    // Without the subquery the time, which changes while the statement executes, would be no condition of the index.
    statements.purge(
      table, key: key, where: "expire_at <= (SELECT \(time.expression(2))) AND expire_at >= $3", order: "expire_at",
      limit: limit
    ) {
      $0.append(time.floor)
      $0.append(start.microseconds)
    }
  }

  private func purgeExpired(
    _ table: String, _ limit: Int, _ statement: (Int, Timestamp) -> Statement
  ) async throws(StoreError) -> Int {
    let now = MonotonicClock.milliseconds()
    let limit = StoreLimits.page(limit)
    let start = purges.withLock { $0[table, default: .ofPurge].start(at: now) }
    let rows = try await perform([statement(limit, start), time.statement(ofCommit: true)], mayCommit: true)[0]
    let count = Int(rows.int64(0, 0) ?? 0)
    let last = rows.int64(0, 1).map { Timestamp(microseconds: $0) }
    purges.withLock { $0[table, default: .ofPurge].note(last: last) }
    return count
  }

  // MARK: Documents in their stored form

  /// Writes a document in its stored form, valid or not, as an operator's tool would.
  ///
  /// - Parameters:
  ///   - id: the document's id, without a NUL character.
  ///   - fields: the fields.
  /// - Throws: ``/CloudJobs/StoreError`` as ``commit(_:)`` does; `invalid` for an id with a NUL.
  public func importJob(id: String, fields: JSONValue) async throws(StoreError) {
    if id.utf8.contains(0) { throw StoreError(.invalid, "A document's id can't contain a NUL character. Rename it.") }
    _ = try await transaction { connection throws(TransactionFailure) in
      var transaction = CommitTransaction()
      try await connection.lock(CommitTransaction.Targets(job: id), &transaction)
      transaction.put(StoredJob(fields: fields), id)
      return try await connection.commit(transaction)
    }
    jobFront.withLock { $0.noteWrite() }
    notifyOthers()
  }

  /// Returns a document in its stored form, including unknown members.
  ///
  /// - Parameter id: the document's id.
  /// - Returns: the fields; nil if there is no such document.
  /// - Throws: ``/CloudJobs/StoreError`` `unavailable`, or `invalid` if the document is not JSON.
  public func exportJob(id: String) async throws(StoreError) -> JSONValue? {
    if id.utf8.contains(0) { return nil }
    let latest = CommitStatements.latest("jobs", of: "$1", in: schema.sql)
    let statement = Statement("SELECT configuration, state FROM (\(latest)) AS job") { $0.append(id) }
    let rows = try await perform([statement])[0]
    guard rows.count > 0 else { return nil }
    do throws(JobError) {
      return try StoredJob(configuration: rows.text(0, 0) ?? "", state: rows.text(0, 1)).fields()
    } catch {
      throw StoreError(.invalid, "The document is not valid JSON. Import it again.", nativeCode: error.code.rawValue)
    }
  }
}

extension PostgresStore: RunPrefixStore {
  /// Returns the ids of runs with a prefix, in their order.
  package func runIDs(withPrefix prefix: String, limit: Int) async throws(StoreError) -> [RunID] {
    func bound(_ digit: Character) -> [UInt8] {
      (try? RunID(prefix + String(repeating: digit, count: 64 - prefix.count)))?.bytes ?? []
    }
    let statement = Statement("SELECT id FROM \(schema.sql).runs WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT $3") {
      $0.append(bound("0"))
      $0.append(bound("f"))
      $0.append(Int64(limit))
    }
    let rows = try await perform([statement])[0]
    return (0..<rows.count).compactMap { rows.bytes($0, 0).flatMap { RunID(bytes: $0) } }
  }
}
#endif
