import CloudJobsCore

/// Deletes expired records, if the store does not do that by itself: runs after their retention, their logs, and old
/// entries of the pass journal; and the runs of jobs that keep only a number of them.
struct RetentionPurge: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Purges.
  ///
  /// - Parameters:
  ///   - end: the time of the steady clock at which to stop; the next purge continues.
  ///   - documents: the documents of the jobs.
  /// - Returns: whether nothing is left to purge.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  @discardableResult
  func run(until end: Timestamp, _ documents: JobDocuments) async throws(StoreError) -> Bool {
    var areHistoriesShort = true
    for definition in documents.definitions {
      guard let latest = try? documents.resolve(definition).policy.retention.latest else { continue }
      let isShort = try await shorten(historyOf: definition.id, to: latest, until: end)
      areHistoriesShort = areHistoriesShort && isShort
    }
    return try await purgeExpired(until: end) && areHistoriesShort
  }

  /// Deletes the ended runs of a job but the latest ones.
  ///
  /// - Returns: whether no further one is left.
  private func shorten(
    historyOf job: JobID, to latest: Int, until end: Timestamp
  ) async throws(StoreError) -> Bool {
    var (kept, cursor): (Int, StoreCursor?) = (0, nil)
    repeat {
      let page = try await services.client.call { [cursor] () async throws(StoreError) in
        try await services.store.runs(matching: RunFilter(job: job), after: cursor, limit: StoreLimits.batch)
      }
      cursor = page.next
      let ended = page.records.filter { (try? $0.run.get())?.status.isTerminal ?? false }
      let excess = ended.dropFirst(max(0, latest - kept))
      kept += ended.count - excess.count
      if excess.isEmpty { continue }
      do throws(StoreError) {
        _ = try await services.client.commit(excess.map { .deleteRun($0.id, .version($0.version)) })
      } catch {
        // Another instance deletes the same ones.
        guard error.code == .conflict || error.code == .unknownOutcome else { throw error }
      }
    } while cursor != nil && services.steadyClock.now() < end && !services.active.isDraining
    return cursor == nil
  }

  private func purgeExpired(until end: Timestamp) async throws(StoreError) -> Bool {
    guard let store = services.store as? any PurgingStore else { return true }
    let oldest = services.clock.now() - services.options.journalRetention
    let isDone = [
      try await purge(until: end) { limit throws(StoreError) in try await store.purgeExpired(limit: limit) },
      try await purge(until: end) { limit throws(StoreError) in try await store.purgeLogs(limit: limit) },
      try await purge(until: end) { limit throws(StoreError) in try await store.purgeLedgers(limit: limit) },
      try await purge(until: end) { limit throws(StoreError) in
        try await store.purgeJournal(before: oldest, limit: limit)
      },
    ]
    return isDone.allSatisfy(\.self)
  }

  /// Deletes batch after batch until one is not full.
  ///
  /// - Returns: whether the last one was not full.
  private func purge(
    until end: Timestamp, _ delete: (_ limit: Int) async throws(StoreError) -> Int
  ) async throws(StoreError) -> Bool {
    var count = 0
    repeat {
      count = try await services.client.call(.write) { () async throws(StoreError) in
        try await delete(StoreLimits.batch)
      }
    } while count == StoreLimits.batch && services.steadyClock.now() < end && !services.active.isDraining
    return count < StoreLimits.batch
  }
}
