#if PostgreSQL
public import CloudJobs
public import CloudJobsCore

// MARK: - Counts

extension PostgresStore: RunCountingStore {
  /// Counts the runs that have not ended, from an index that has their queues.
  public func waitingRunCounts(tellingApart queues: Set<String>) async throws(StoreError) -> [WaitingRunCount] {
    var counter = try WaitingRunCounter(tellingApart: queues)
    let rows = try await perform([waitingRunCounts])[0]
    for row in 0..<rows.count {
      guard let status = rows.text(row, 0).flatMap({ RunStatus(rawValue: $0) }) else { continue }
      let queue = rows.bytes(row, 1).map { String(decoding: $0, as: UTF8.self) }
      counter.add(rows.int64(row, 2).map { Int($0) } ?? 0, status, in: queue)
    }
    return counter.results
  }

  /// Counts the runs that have failed for good, from an index.
  public func failedRunCount() async throws(StoreError) -> Int {
    let rows = try await perform([failedRunCount])[0]
    return rows.count > 0 ? rows.int64(0, 0).map { Int($0) } ?? 0 : 0
  }

  /// Counts the runs that were created in a span of time, from two indexes.
  public func runCounts(
    createdFrom start: Timestamp, before end: Timestamp, bucket: Duration
  ) async throws(StoreError) -> [RunCount] {
    if try StoreLimits.buckets(from: start, before: end, bucket: bucket) == 0 { return [] }
    let rows = try await perform([runCounts(from: start, before: end, bucket: bucket)])[0]
    var counter = RunCounter(from: start, before: end, bucket: bucket)
    for row in 0..<rows.count {
      guard let number = rows.int64(row, 1), let count = rows.int64(row, 2).map({ Int($0) }) else { continue }
      // No index has the runs that succeeded: they are those of all that have no other status.
      if let status = rows.text(row, 0).flatMap({ RunStatus(rawValue: $0) }) {
        counter.add(count, status, in: number)
        counter.add(-count, .succeeded, in: number)
      } else {
        counter.add(count, .succeeded, in: number)
      }
    }
    return counter.results
  }

  // As literals, so that the planner knows that the partial index has them.
  private static func list(_ statuses: [RunStatus]) -> String {
    "status IN (\(statuses.map { "'\($0.rawValue)'" }.joined(separator: ", "))) AND status <> 'succeeded'"
  }

  /// The number of waiting runs for each status and queue.
  var waitingRunCounts: Statement {
    Statement(
      "SELECT status, queue, count(*) FROM \(schema.sql).runs WHERE \(Self.list(RunStatus.waiting)) GROUP BY 1, 2")
  }

  /// The number of runs that have failed for good.
  var failedRunCount: Statement {
    Statement("SELECT count(*) FROM \(schema.sql).runs WHERE \(Self.list([.failed]))")
  }

  /// Returns the statement of the number of runs for each status and bucket, and under NULL for each bucket.
  func runCounts(from start: Timestamp, before end: Timestamp, bucket: Duration) -> Statement {
    let others = RunStatus.allCases.filter { $0 != .succeeded }
    return Statement(
      """
      SELECT status, (created_at - $1) / $3, count(*) FROM \(schema.sql).runs
      WHERE \(Self.list(others)) AND created_at >= $1 AND created_at < $2 GROUP BY 1, 2
      UNION ALL SELECT NULL, (created_at - $1) / $3, count(*) FROM \(schema.sql).runs
      WHERE created_at >= $1 AND created_at < $2 GROUP BY 2
      """
    ) {
      $0.append(start.microseconds)
      $0.append(end.microseconds)
      $0.append(bucket.microseconds)
    }
  }
}
#endif
