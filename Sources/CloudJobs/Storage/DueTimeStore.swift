public import CloudJobsCore

/// A store that tells in one cheap query when work comes due, so that a worker can sleep until then.
///
/// It is for stores on the same machine, where a query a second costs nothing.
public protocol DueTimeStore: JobStore {
  /// The times at which jobs and runs come due, by the store's clock.
  ///
  /// - Returns: the earliest time of all, and the earliest one that is still ahead.
  /// - Throws: ``StoreError`` `unavailable`.
  func dueTimes() async throws(StoreError) -> DueTimes
}

/// When the jobs and runs of a store come due.
public struct DueTimes: Hashable, Sendable {
  /// The store's time.
  public var time: Timestamp
  /// The earliest `state.nextRun` of a job or `wakeAt` of a run, which may have passed; nil where nothing waits.
  public var earliest: Timestamp?
  /// The earliest of these that is later than ``time``; nil where there is none.
  public var next: Timestamp?

  /// Due times as of one moment.
  public init(time: Timestamp, earliest: Timestamp?, next: Timestamp?) {
    self.time = time
    self.earliest = earliest
    self.next = next
  }
}
