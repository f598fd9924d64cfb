public import CloudJobsCore

/// A store that keeps expired runs until it is told to delete them.
///
/// The runtime purges it: a worker with each housekeeping, a master pass once an hour. Firestore can also delete
/// expired runs by a time-to-live policy; a purge then finds nothing to do.
public protocol PurgingStore: JobStore {
  /// Deletes runs whose `expireAt` has come by the store's clock, those that expired first before others.
  ///
  /// - Parameter limit: the most runs to delete; values outside 1 to 500 count as the nearest of these.
  /// - Returns: how many were deleted; fewer than the limit where no more have expired.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func purgeExpired(limit: Int) async throws(StoreError) -> Int

  /// Deletes journal entries, oldest first.
  ///
  /// - Parameters:
  ///   - time: entries of this time or later stay.
  ///   - limit: the most entries to delete; values outside 1 to 500 count as the nearest of these.
  /// - Returns: how many were deleted.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int
}
