#if PostgreSQL
public import CloudJobs
public import CloudJobsCore

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
    return try await transaction { connection throws(TransactionFailure) in
      let results = try await connection.perform([
        Statement("BEGIN"), dueRuns(after: cursor, limit: limit), time.statement(ofCommit: false),
      ])
      let rows = results[1]
      let now = time.advance(to: results[2].int64(0, 0))
      var transaction = CommitTransaction()
      var records: [RunRecord] = []
      for row in 0..<rows.count {
        guard let record = RunRecord(rows, row, from: 0) else { continue }
        records.append(record)
        transaction.takeRun(
          record.id, version: record.version.rawValue, fence: rows.int64(row, 5), amendments: rows.int64(row, 6))
      }
      let plans = records.isEmpty ? [] : plan(records, now)
      let targets = CommitTransaction.Targets(of: plans.joined(), locked: Set(records.map(\.id)))
      if targets.isEmpty {
        transaction.take(targets, known: [:], [], at: now)
      } else {
        try await connection.lock(targets, &transaction, begins: false)
      }
      var claims = RunClaims(time: now, runs: [])
      if rows.count == limit, let key = rows.int64(rows.count - 1, 7), let last = records.last {
        claims.next = StoreCursor(key: key, id: last.id.rawValue)
      }
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
      return claims
    }
  }

  private func dueRuns(after cursor: StoreCursor?, limit: Int) -> Statement {
    let id = cursor.flatMap { try? RunID($0.id) }
    return Statement(
      """
      SELECT \(RunRecord.columns), fence, amendments, wake_at FROM \(schema.sql).runs
      WHERE wake_at <= (SELECT \(time.expression(1)))\(id == nil ? "" : " AND (wake_at, id) > ($3, $4)")
      ORDER BY wake_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
      """
    ) {
      $0.append(time.floor)
      $0.append(Int64(limit))
      if let id {
        $0.append(cursor?.key)
        $0.append(id.bytes)
      }
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
