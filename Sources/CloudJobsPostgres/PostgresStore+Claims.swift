#if PostgreSQL
public import CloudJobs
public import CloudJobsCore
import Synchronization

// MARK: - Claims

extension PostgresStore {
  /// Claims due runs in one short transaction, in which no other process can claim them.
  ///
  /// Runs that another transaction has locked are left out, so that any number of processes claim at once, each a
  /// different part of what is due.
  public func claim(
    after cursor: StoreCursor?, limit: Int, reading jobs: [JobID],
    _ plan: @escaping @Sendable ([RunRecord], StoreReading) -> [[Write]]
  ) async throws(StoreError) -> RunClaims {
    try StoreLimits.check(jobs: jobs, runs: [], ledgers: [])
    let limit = StoreLimits.page(limit)
    let cursor = cursor.flatMap { cursor in
      (try? RunID(cursor.id)).map { DueFront.Stray(wakeAt: Timestamp(microseconds: cursor.key), id: $0) }
    }
    return try await transaction { connection throws(TransactionFailure) in
      let search = front.withLock { $0.search(after: cursor, limit: limit) }
      let searches =
        (search.strays.isEmpty ? [] : [strays(search)]) + (search.limit == 0 ? [] : [dueRuns(search, after: cursor)])
      let documents = Self.reading(jobs: jobs, runs: [], ledgers: [], time, schema)
      let results = try await connection.perform([Statement("BEGIN")] + searches + [documents])
      let reading = Self.reading(results[results.count - 1], time)
      let now = reading.time
      var transaction = CommitTransaction()
      var records: [RunRecord] = []
      var found: [DueFront.Stray] = []
      for rows in results.dropFirst().dropLast() {
        for row in 0..<rows.count {
          guard let record = RunRecord(rows, row, from: 0) else { continue }
          records.append(record)
          found.append(DueFront.Stray(wakeAt: Timestamp(microseconds: rows.int64(row, 7) ?? 0), id: record.id))
          transaction.takeRun(
            record.id, version: record.version.rawValue, fence: rows.int64(row, 5), amendments: rows.int64(row, 6))
        }
      }
      let plans = records.isEmpty ? [] : plan(records, reading)
      let targets = CommitTransaction.Targets(of: plans.joined(), locked: Set(records.map(\.id)))
      if targets.isEmpty {
        transaction.advance(to: now)
      } else {
        try await connection.lock(targets, &transaction, begins: false)
      }
      var claims = RunClaims(time: now, runs: [])
      let isLast = search.limit > 0 && (results.dropLast().last?.count ?? 0) < search.limit
      let end = search.limit > 0 ? found.last : search.strays.last
      claims.next = isLast ? nil : end.map { StoreCursor(key: $0.wakeAt.microseconds, id: $0.id.rawValue) }
      for (record, writes) in zip(records, plans) {
        let outcome = Result { () throws(StoreError) in
          try StoreLimits.check(writes)
          try transaction.apply(writes)
        }
        claims.runs.append(RunClaims.Claim(record: record, outcome: writes.isEmpty ? nil : outcome))
      }
      claims.time = try await connection.commit(transaction)
      let claimed = claims.runs.filter { (try? $0.outcome?.get()) != nil }.map(\.record.id)
      front.withLock { $0.note(search, found: found, claimed: Set(claimed), at: now) }
      lookBack()
      return claims
    }
  }

  /// Returns the statement that locks the due runs from the mark on, but for those that others have locked.
  func dueRuns(_ search: DueFront.Search, after cursor: DueFront.Stray?) -> Statement {
    Statement(
      """
      SELECT \(RunRecord.columns), fence, amendments, wake_at FROM \(schema.sql).runs
      WHERE wake_at <= (SELECT \(time.expression(1))) AND wake_at >= $3
        \(cursor == nil ? "" : "AND (wake_at, id) > ($4, $5)")
      ORDER BY wake_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
      """
    ) {
      $0.append(time.floor)
      $0.append(Int64(search.limit))
      $0.append(search.mark.microseconds)
      if let cursor {
        $0.append(cursor.wakeAt.microseconds)
        $0.append(cursor.id.bytes)
      }
    }
  }

  /// Returns the statement that locks those of the strays that are still due, and still before the mark.
  func strays(_ search: DueFront.Search) -> Statement {
    Statement(
      """
      SELECT run.* FROM unnest($2::bytea[]) AS known (id) CROSS JOIN LATERAL (
        SELECT \(RunRecord.columns), fence, amendments, wake_at FROM \(schema.sql).runs
        WHERE \(CommitStatements.byIndex("runs.id", "known.id"))
          AND \(Self.wakeTime) <= (SELECT \(time.expression(1))) AND \(Self.wakeTime) < $3
        FOR UPDATE SKIP LOCKED
      ) AS run ORDER BY run.wake_at, run.id
      """
    ) {
      $0.append(time.floor)
      $0.append(search.strays.map(\.id.bytes))
      $0.append(search.mark.microseconds)
    }
  }

  /// Notes what this process has written, which may be due or expired before what was searched last.
  func noteWrites(_ writes: [Write]) {
    var expiries: [String: Timestamp] = [:]
    func noteExpiry(_ table: String, _ time: Timestamp?) {
      if let time { expiries[table] = min(expiries[table] ?? time, time) }
    }
    for write in writes {
      switch write {
      case .putRun(let run, _):
        if let time = run.wakeAt { front.withLock { $0.noteWrite(DueFront.Stray(wakeAt: time, id: run.id)) } }
        noteExpiry("runs", run.expireAt)
      case .putLog(let entry): noteExpiry("run_log", entry.expireAt)
      case .putLedger(_, let ledger, _): noteExpiry("ledgers", ledger?.expireAt)
      case .patchState(_, let patch, _):
        let job = JobRecord(id: "", version: Version(0), fields: ["state": .object(patch.fields)])
        if patch.fields["nextRun"] != nil, let time = job.nextRun { jobFront.withLock { $0.noteWrite(at: time) } }
      default: break
      }
    }
    if expiries.isEmpty { return }
    purges.withLock { purges in
      for (table, time) in expiries { purges[table]?.noteWrite(at: time) }
    }
  }

  // MARK: Looks back

  /// Begins a look at the time before the mark, if one is due, and does not wait for it.
  func lookBack() {
    let begin = MonotonicClock.milliseconds()
    guard let mark = front.withLock({ $0.beginLook(at: begin) }) else { return }
    DetachedWork.start { [self] in
      let result = await client.perform([look(before: mark)])
      front.withLock { $0.endLook(Self.found(by: result), begin: begin, at: MonotonicClock.milliseconds()) }
    }
  }

  /// Returns the statement of a look at the time before the mark.
  func look(before mark: Timestamp) -> Statement {
    Statement(
      "SELECT wake_at, id FROM \(schema.sql).runs WHERE wake_at < $1 ORDER BY wake_at, id LIMIT $2"
    ) {
      $0.append(mark.microseconds)
      $0.append(Int64(DueFront.strayLimit + 1))
    }
  }

  private static func found(by result: Result<Response, RequestFailure>) -> [DueFront.Stray]? {
    guard case .success(let response) = result else { return nil }
    return found(in: response.results[0])
  }

  /// Returns the runs that a look has found.
  static func found(in rows: QueryResult) -> [DueFront.Stray] {
    (0..<rows.count).compactMap { row in
      rows.bytes(row, 1).flatMap { RunID(bytes: $0) }.map {
        DueFront.Stray(wakeAt: Timestamp(microseconds: rows.int64(row, 0) ?? 0), id: $0)
      }
    }
  }
}
#endif
