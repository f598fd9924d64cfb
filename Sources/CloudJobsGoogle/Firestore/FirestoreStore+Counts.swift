#if HTTP
public import CloudJobs
public import CloudJobsCore

// MARK: - Counts

/// Counts by aggregation queries, each of which is billed as a read for every 1,000 index entries that it counts, and
/// at least one (<https://firebase.google.com/docs/firestore/query-data/aggregation-queries>).
extension FirestoreStore: RunCountingStore {
  /// Counts the runs that have not ended, by a query for each status and for each queue with such runs.
  public func waitingRunCounts(tellingApart queues: Set<String>) async throws(StoreError) -> [WaitingRunCount] {
    var counter = try WaitingRunCounter(tellingApart: queues)
    let totals = try await counts(RunStatus.waiting) { .count(of: $0, in: nil, self.configuration) }
    let keys = RunStatus.waiting.filter { totals[$0, default: 0] > 0 }.flatMap { status in
      queues.sorted().map { QueueKey(status: status, queue: $0) }
    }
    let found = try await counts(keys) { .count(of: $0.status, in: $0.queue, self.configuration) }
    for (status, count) in totals { counter.add(count, status, in: nil) }
    for (key, count) in found {
      counter.add(count, key.status, in: key.queue)
      counter.add(-count, key.status, in: nil)
    }
    return counter.results
  }

  /// Counts the runs that have failed for good, by one query.
  public func failedRunCount() async throws(StoreError) -> Int {
    try await counts([RunStatus.failed]) { .count(of: $0, in: nil, self.configuration) }[.failed] ?? 0
  }

  /// Counts the runs that were created in a span of time: by a query for each status, and for those that occur by one
  /// for each bucket.
  public func runCounts(
    createdFrom start: Timestamp, before end: Timestamp, bucket: Duration
  ) async throws(StoreError) -> [RunCount] {
    let buckets = try StoreLimits.buckets(from: start, before: end, bucket: bucket)
    if buckets == 0 { return [] }
    let totals = try await counts(RunStatus.allCases) { .count(of: $0, from: start, before: end, self.configuration) }
    let present = RunStatus.allCases.filter { totals[$0, default: 0] > 0 }
    let keys = present.flatMap { status in
      (0..<Int64(buckets)).map { number in
        RunCount(
          status: status, start: Timestamp(microseconds: start.microseconds + number * bucket.microseconds), count: 0)
      }
    }
    let found = try await counts(keys) { key in
      .count(of: key.status, from: key.start, before: min(key.start + bucket, end), self.configuration)
    }
    return found.compactMap { $1 > 0 ? RunCount(status: $0.status, start: $0.start, count: $1) : nil }
  }

  private struct QueueKey: Hashable, Sendable {
    var status: RunStatus
    var queue: String
  }

  /// The maximum number of queries at once.
  private static let concurrency = 16

  /// Returns the results of a query for each key.
  private func counts<Key: Hashable & Sendable>(
    _ keys: [Key], _ query: @escaping @Sendable (Key) -> FirestoreQuery
  ) async throws(StoreError) -> [Key: Int] {
    let results = await withTaskGroup(of: (Key, Result<Int, StoreError>).self) { group in
      var results: [(Key, Result<Int, StoreError>)] = []
      for (place, key) in keys.enumerated() {
        if place >= Self.concurrency, let result = await group.next() {
          results.append(result)
          if case .failure = result.1 { break }
        }
        group.addTask {
          let query = query(key)
          let result = await Result(awaiting: { () async throws(StoreError) in
            try await self.reading { (client) async throws(FirestoreFault) in try await client.count(query) }
          })
          return (key, result)
        }
      }
      for await result in group { results.append(result) }
      return results
    }
    var counts: [Key: Int] = [:]
    for (key, result) in results { counts[key] = try result.get() }
    return counts
  }
}
#endif
