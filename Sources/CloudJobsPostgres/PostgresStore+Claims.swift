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
    after cursor: StoreCursor?, limit: Int, _ plan: @escaping @Sendable ([RunRecord], Timestamp) -> [[Write]]
  ) async throws(StoreError) -> RunClaims {
    let limit = StoreLimits.page(limit)
    let cursor = cursor.flatMap { cursor in
      (try? RunID(cursor.id)).map { DueFront.Stray(wakeAt: Timestamp(microseconds: cursor.key), id: $0) }
    }
    return try await transaction { connection throws(TransactionFailure) in
      let search = front.withLock { $0.search(after: cursor, limit: limit) }
      let searches =
        (search.strays.isEmpty ? [] : [strays(search.strays)])
        + (search.limit == 0 ? [] : [dueRuns(from: search.start, after: cursor, limit: search.limit)])
      let results = try await connection.perform(
        [Statement("BEGIN")] + searches + [time.statement(ofCommit: false)])
      let now = time.advance(to: results.last?.int64(0, 0))
      var transaction = CommitTransaction()
      var records: [RunRecord] = []
      var found: [DueFront.Stray] = []
      for (number, rows) in results.dropFirst().dropLast().enumerated() {
        for row in 0..<rows.count {
          guard let record = RunRecord(rows, row, from: 0) else { continue }
          records.append(record)
          transaction.takeRun(
            record.id, version: record.version.rawValue, fence: rows.int64(row, 5), amendments: rows.int64(row, 6))
          if search.limit > 0, number == searches.count - 1 {
            found.append(DueFront.Stray(wakeAt: Timestamp(microseconds: rows.int64(row, 7) ?? 0), id: record.id))
          }
        }
      }
      let plans = records.isEmpty ? [] : plan(records, now)
      let targets = CommitTransaction.Targets(of: plans.joined(), locked: Set(records.map(\.id)))
      if targets.isEmpty {
        transaction.take(targets, known: [:], [], at: now)
      } else {
        try await connection.lock(targets, &transaction, begins: false)
      }
      var claims = RunClaims(time: now, runs: [])
      claims.next = search.end(after: found).map { StoreCursor(key: $0.wakeAt.microseconds, id: $0.id.rawValue) }
      var changedJobs = Set<JobID>()
      for (record, writes) in zip(records, plans) {
        let jobs = writes.compactMap { $0.changedJob }
        let outcome = Result { () throws(StoreError) in
          try StoreLimits.check(writes)
          // The version of a document that this claim has changed is not known before its end.
          if let write = writes.first(where: { $0.isConditionalChange(ofOneOf: changedJobs) }) {
            throw StoreError.conflict(on: write)
          }
          try transaction.apply(writes)
          changedJobs.formUnion(jobs)
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

  /// Returns the statement that locks the due runs from a time on, but for those that others have locked.
  private func dueRuns(from start: Timestamp, after cursor: DueFront.Stray?, limit: Int) -> Statement {
    Statement(
      """
      SELECT \(RunRecord.columns), fence, amendments, wake_at FROM \(schema.sql).runs
      WHERE wake_at <= (SELECT \(time.expression(1))) AND wake_at >= $3
        \(cursor == nil ? "" : "AND (wake_at, id) > ($4, $5)")
      ORDER BY wake_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
      """
    ) {
      $0.append(time.floor)
      $0.append(Int64(limit))
      $0.append(start.microseconds)
      if let cursor {
        $0.append(cursor.wakeAt.microseconds)
        $0.append(cursor.id.bytes)
      }
    }
  }

  /// Returns the statement that locks those of the strays that are still due.
  private func strays(_ strays: [DueFront.Stray]) -> Statement {
    Statement(
      """
      SELECT \(RunRecord.columns), fence, amendments, wake_at FROM \(schema.sql).runs
      WHERE id = ANY ($2) AND wake_at <= (SELECT \(time.expression(1)))
      ORDER BY wake_at, id FOR UPDATE SKIP LOCKED
      """
    ) {
      $0.append(time.floor)
      $0.append(strays.map(\.id.bytes))
    }
  }

  /// Notes what this process has written, which may be due or expired before what was searched last.
  func noteWrites(_ writes: [Write]) {
    var wakeAt: Timestamp?
    var expiries: [String: Timestamp] = [:]
    func noteExpiry(_ table: String, _ time: Timestamp?) {
      if let time { expiries[table] = min(expiries[table] ?? time, time) }
    }
    for write in writes {
      switch write {
      case .putRun(let run, _):
        if let time = run.wakeAt { wakeAt = min(wakeAt ?? time, time) }
        noteExpiry("runs", run.expireAt)
      case .putLog(let entry): noteExpiry("run_log", entry.expireAt)
      case .putLedger(_, let ledger, _): noteExpiry("ledgers", ledger?.expireAt)
      default: break
      }
    }
    if let wakeAt { front.withLock { $0.noteWrite(wakeAt: wakeAt) } }
    if expiries.isEmpty { return }
    purges.withLock { purges in
      for (table, time) in expiries { purges[table]?.noteWrite(expireAt: time) }
    }
  }

  // MARK: Looks back

  /// Begins a look at the time before the mark, if one is due, and does not wait for it.
  func lookBack() {
    guard let slice = front.withLock({ $0.beginLook(at: MonotonicClock.milliseconds()) }) else { return }
    DetachedWork.start { [self] in await look(from: slice) }
  }

  /// Looks at the time before the mark, if a look is due; waits for it if it costs little.
  func lookBackIfCheap() async {
    guard front.withLock({ $0.isLookCheap }) else { return lookBack() }
    guard let slice = front.withLock({ $0.beginLook(at: MonotonicClock.milliseconds()) }) else { return }
    await look(from: slice)
  }

  private func look(from first: DueFront.Slice) async {
    var next: DueFront.Slice? = first
    while let slice = next {
      let statement = Statement(
        """
        SELECT wake_at, id FROM \(schema.sql).runs WHERE wake_at >= $1 AND wake_at < $2 ORDER BY wake_at, id LIMIT $3
        """
      ) {
        $0.append(slice.start.microseconds)
        $0.append(slice.end.microseconds)
        $0.append(Int64(DueFront.strayLimit + 1))
      }
      let begin = MonotonicClock.milliseconds()
      guard case .success(let response) = await client.perform([statement]) else {
        return front.withLock { $0.abandonLook(at: begin) }
      }
      let (rows, end) = (response.results[0], MonotonicClock.milliseconds())
      let found = (0..<rows.count).compactMap { row in
        rows.bytes(row, 1).flatMap { RunID(bytes: $0) }.map {
          DueFront.Stray(wakeAt: Timestamp(microseconds: rows.int64(row, 0) ?? 0), id: $0)
        }
      }
      next = front.withLock { $0.note(slice, found: found, cost: Int(end - begin), at: end) }
    }
  }
}

extension Write {
  /// The job whose document it changes, if any.
  fileprivate var changedJob: JobID? {
    switch self {
    case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _): id
    default: nil
    }
  }

  fileprivate func isConditionalChange(ofOneOf jobs: Set<JobID>) -> Bool {
    guard let job = changedJob, jobs.contains(job) else { return false }
    return precondition != .none
  }
}
#endif
