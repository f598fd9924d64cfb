#if PostgreSQL
import CloudJobs
package import CloudJobsCore

// MARK: - Claims

extension PostgresStore {
  /// Claims due runs in one short transaction, in which no other process can claim them.
  ///
  /// Runs that another transaction has locked are left out, so that any number of processes claim at once, each a
  /// different part of what is due.
  ///
  /// - Parameters:
  ///   - limit: the maximum number of runs, clamped to 1 to 500.
  ///   - plan: returns the writes for each run, in the order of the records: none if the run stays as it is. Besides
  ///     the run they may change ledgers and other documents; those of one run are committed together or not at all. It
  ///     is pure, as it may be called again after a rollback.
  /// - Returns: the runs that were due, and what became of their writes.
  /// - Throws: ``StoreError`` as ``commit(_:)`` does.
  package func claim(
    limit: Int, _ plan: @Sendable ([RunRecord], Timestamp) -> [[Write]]
  ) async throws(StoreError) -> RunClaims {
    let limit = StoreLimits.page(limit)
    return try await transaction { connection throws(TransactionFailure) in
      let results = try await connection.perform([
        Statement("BEGIN"), dueRuns(limit: limit), time.statement(ofCommit: false),
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
      for (record, writes) in zip(records, plans) {
        let outcome = Result { () throws(StoreError) in
          try StoreLimits.check(writes)
          try transaction.apply(writes)
        }
        claims.runs.append(RunClaims.Claim(record: record, outcome: writes.isEmpty ? nil : outcome))
      }
      claims.time = try await connection.commit(transaction)
      return claims
    }
  }

  private func dueRuns(limit: Int) -> Statement {
    Statement(
      """
      SELECT \(RunRecord.columns), fence, amendments FROM \(schema.sql).runs
      WHERE wake_at <= (SELECT \(time.expression(1))) ORDER BY wake_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
      """
    ) {
      $0.append(time.floor)
      $0.append(Int64(limit))
    }
  }
}

/// The result of a claim.
package struct RunClaims: Sendable {
  /// A run that was due.
  package struct Claim: Sendable {
    /// The run as it was before.
    package var record: RunRecord
    /// Whether its writes were committed; nil if there were none.
    package var outcome: Result<Void, StoreError>?
  }

  /// The time of the commit.
  package var time: Timestamp
  /// The runs, in the order of their times.
  package var runs: [Claim]
}
#endif
