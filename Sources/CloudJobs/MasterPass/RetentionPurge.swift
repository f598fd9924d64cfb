import CloudJobsCore

/// Deletes expired records, if the store does not do that by itself: runs after their retention, their logs, and old
/// entries of the pass journal.
struct RetentionPurge: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Purges.
  ///
  /// - Parameter end: the time of the steady clock at which to stop; the next purge continues.
  /// - Returns: whether nothing is left to purge.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  @discardableResult
  func run(until end: Timestamp) async throws(StoreError) -> Bool {
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
