#if SQLite
public import CloudJobs
public import CloudJobsCore
import GRDB

// MARK: - Counts

extension SQLiteStore: RunCountingStore {
  /// Counts the runs that have not ended, from an index that has their queues.
  public func waitingRunCounts(tellingApart queues: Set<String>) async throws(StoreError) -> [WaitingRunCount] {
    let counter = try WaitingRunCounter(tellingApart: queues)
    return try await read { database, _ in
      var counter = counter
      for row in try Row.fetchAll(database.cachedStatement(sql: CountQuery.waiting)) {
        guard let status = RunStatus(rawValue: row[0]) else { continue }
        counter.add(row[2], status, in: SQLiteText.text(row[1]))
      }
      return counter.results
    }
  }

  /// Counts the runs that have failed for good, from an index.
  public func failedRunCount() async throws(StoreError) -> Int {
    try await read { database, _ in
      try Int.fetchOne(database.cachedStatement(sql: CountQuery.failed)) ?? 0
    }
  }

  /// Counts the runs that were created in a span of time, from two indexes.
  public func runCounts(
    createdFrom start: Timestamp, before end: Timestamp, bucket: Duration
  ) async throws(StoreError) -> [RunCount] {
    if try StoreLimits.buckets(from: start, before: end, bucket: bucket) == 0 { return [] }
    return try await read { database, _ in
      var counter = RunCounter(from: start, before: end, bucket: bucket)
      let rows = try Row.fetchAll(
        database.cachedStatement(sql: CountQuery.byTime),
        arguments: [start.microseconds, end.microseconds, bucket.microseconds])
      for row in rows {
        let (number, count): (Int64, Int) = (row[1], row[2])
        // No index has the runs that succeeded: they are those of all that have no other status.
        if let status = (row[0] as String?).flatMap({ RunStatus(rawValue: $0) }) {
          counter.add(count, status, in: number)
          counter.add(-count, .succeeded, in: number)
        } else {
          counter.add(count, .succeeded, in: number)
        }
      }
      return counter.results
    }
  }
}

/// The statements of counts, which read indexes only.
enum CountQuery {
  private static func list(_ statuses: [RunStatus]) -> String {
    // Of the partial index, as the planner sees by the last condition.
    "status IN (\(statuses.map { "'\($0.rawValue)'" }.joined(separator: ", "))) AND status <> 'succeeded'"
  }

  /// The number of waiting runs for each status and queue.
  static let waiting = """
    SELECT status, queue, count(*) FROM runs INDEXED BY runs_by_status WHERE \(list(RunStatus.waiting))
    GROUP BY status, queue
    """

  /// The number of runs that have failed for good.
  static let failed = "SELECT count(*) FROM runs INDEXED BY runs_by_status WHERE \(list([.failed]))"

  /// The number of runs for each status and bucket, and under NULL for each bucket; the parameters are the begin, the
  /// end, and the length of a bucket.
  static let byTime = """
    SELECT status, (created_at - ?1) / ?3 AS bucket, count(*) FROM runs INDEXED BY runs_by_status
    WHERE \(list(RunStatus.allCases.filter { $0 != .succeeded })) AND created_at >= ?1 AND created_at < ?2
    GROUP BY status, bucket
    UNION ALL
    SELECT NULL, (created_at - ?1) / ?3 AS bucket, count(*) FROM runs INDEXED BY runs_by_time
    WHERE created_at >= ?1 AND created_at < ?2 GROUP BY bucket
    """
}
#endif
