public import CloudJobsCore

/// A store of job documents and runs.
///
/// There are few reads and one atomic write, ``commit(_:)``. Every state change is a pure function that returns a list
/// of ``/CloudJobsCore/Write`` values, so it means the same on every store. A type is a store when it passes the
/// conformance suite of `CloudJobsTesting`.
///
/// All times in responses come from the store's own clock, which all instances share. It never goes backwards.
///
/// A run's input and output are kept byte for byte; of all other fields the value is kept. Ids and texts are compared
/// and ordered by their UTF-8 bytes.
///
/// A cancelled task may still read and commit, so that a cancelled attempt can be concluded.
public protocol JobStore: Sendable {
  /// Reads documents by id, all as of one time.
  ///
  /// - Parameters:
  ///   - jobs: the ids of job documents, at most 500.
  ///   - runs: the ids of runs, at most 500.
  ///   - ledgers: the ids of ledgers, at most 500.
  /// - Returns: the documents, runs and ledgers that exist, and the store's time.
  /// - Throws: ``StoreError`` `unavailable`, or `invalid` for more than 500 ids of a kind.
  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading

  /// Returns whether any run waits in the account of a limit, as of a time or later, if this instance knows it without
  /// a call, as after its own commit; by default it does not.
  ///
  /// - Parameters:
  ///   - id: the id of the ledger.
  ///   - time: the earliest time, by the store's clock.
  /// - Returns: the answer; nil if the store must be asked.
  func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool?

  /// Lists the jobs whose `state.nextRun` has passed by the store's clock, by `nextRun` and then id.
  ///
  /// - Parameters:
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - limit: the maximum number of records, clamped to 1 to 500.
  /// - Returns: a page of job documents, the store's time, and the cursor of the next page.
  /// - Throws: ``StoreError`` `unavailable`.
  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord>

  /// Lists the runs whose `wakeAt` has passed by the store's clock, by `wakeAt` and then id.
  ///
  /// - Parameters:
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - limit: the maximum number of records, clamped to 1 to 500.
  /// - Returns: a page of runs, the store's time, and the cursor of the next page.
  /// - Throws: ``StoreError`` `unavailable`.
  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord>

  /// Lists job documents in the order of their ids.
  ///
  /// - Parameters:
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - limit: the maximum number of records, clamped to 1 to 500.
  /// - Returns: a page of job documents, the store's time, and the cursor of the next page.
  /// - Throws: ``StoreError`` `unavailable`.
  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord>

  /// Lists runs that match a filter, latest `createdAt` first and then by descending id.
  ///
  /// - Parameters:
  ///   - filter: the filter.
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - limit: the maximum number of records, clamped to 1 to 500.
  /// - Returns: a page of runs, the store's time, and the cursor of the next page.
  /// - Throws: ``StoreError`` `unavailable`.
  func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>

  /// Lists entries of the pass journal that match a filter, by their times and then ids: latest first, or earliest
  /// first if the filter says so.
  ///
  /// - Parameters:
  ///   - filter: the filter.
  ///   - limit: the maximum number of entries, clamped to 1 to 500.
  /// - Returns: the entries.
  /// - Throws: ``StoreError`` `unavailable`.
  func journal(matching filter: JournalFilter, limit: Int) async throws(StoreError) -> [PassJournalEntry]

  /// Lists the log of a run, oldest entry first.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - sequence: the sequence of the last entry of the previous page; nil for the first page.
  ///   - limit: the maximum number of entries, clamped to 1 to 500.
  /// - Returns: the entries.
  /// - Throws: ``StoreError`` `unavailable`.
  func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry]

  /// Lists the ledgers of a family, by their ids.
  ///
  /// - Parameters:
  ///   - family: the family.
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - limit: the maximum number of records, clamped to 1 to 500.
  /// - Returns: a page of ledgers, the store's time, and the cursor of the next page.
  /// - Throws: ``StoreError`` `unavailable`.
  func ledgers(in family: LedgerID.Family, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<LedgerRecord>

  /// Commits all changes, or none.
  ///
  /// All preconditions are checked before anything changes. No document may appear in two writes. Each changed document
  /// gets a version that it never had before, even if it was deleted in between.
  ///
  /// A change of a ledger is applied to the ledger as it is at the time of the commit, so that any number of instances
  /// may change it at once.
  ///
  /// - Parameter writes: the changes, at most ``StoreLimits/batch``; without changes the call only returns the time.
  /// - Returns: the time of the commit by the store's clock.
  /// - Throws: ``StoreError``: `conflict` if a precondition does not hold, `refused` if a limit is reached,
  ///   `unavailable` if nothing was changed, `unknownOutcome` if the response was lost and the changes may have taken
  ///   place, `invalid` if the writes violate ``StoreLimits/check(_:)``.
  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp
}

extension JobStore {
  /// Reads documents by id, all as of one time; otherwise like ``read(jobs:runs:ledgers:)``.
  public func read(jobs: [JobID], runs: [RunID]) async throws(StoreError) -> StoreReading {
    try await read(jobs: jobs, runs: runs, ledgers: [])
  }

  /// Returns nil: the store must be asked.
  public func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? { nil }
}

/// A store that finds runs by the beginning of their ids, as people shorten them.
package protocol RunPrefixStore: JobStore {
  /// Returns the ids of runs with a prefix, in their order.
  ///
  /// - Parameters:
  ///   - prefix: 1 to 64 lower-case hexadecimal digits.
  ///   - limit: the maximum number of ids.
  /// - Returns: the ids.
  /// - Throws: ``StoreError`` `unavailable`.
  func runIDs(withPrefix prefix: String, limit: Int) async throws(StoreError) -> [RunID]
}

/// A store that returns in one cheap query the times at which work comes due, so that a worker can sleep until then.
///
/// It is for stores that are not paid by the query.
public protocol DueTimeStore: JobStore {
  /// Returns the times at which jobs and runs come due, by the store's clock.
  ///
  /// - Parameter horizon: the time to look ahead; later times may be left out.
  /// - Returns: the earliest time, and the earliest future time.
  /// - Throws: ``StoreError`` `unavailable`.
  func dueTimes(within horizon: Duration) async throws(StoreError) -> DueTimes
}

/// The times at which the jobs and runs of a store come due.
public struct DueTimes: Hashable, Sendable {
  /// The store's time.
  public var time: Timestamp
  /// The earliest `state.nextRun` of a job, which may have passed; nil if no job waits.
  public var earliestJob: Timestamp?
  /// The earliest `wakeAt` of a run, which may have passed; nil if no run waits, or none within the horizon.
  public var earliestRun: Timestamp?
  /// The earliest of all these times after ``time``; nil if there is none within the horizon.
  public var next: Timestamp?

  /// Creates due times.
  public init(time: Timestamp, earliestJob: Timestamp?, earliestRun: Timestamp?, next: Timestamp?) {
    self.time = time
    self.earliestJob = earliestJob
    self.earliestRun = earliestRun
    self.next = next
  }

  /// The earliest time of a job or run, which may have passed; nil if nothing waits.
  public var earliest: Timestamp? { [earliestJob, earliestRun].compactMap { $0 }.min() }
}

/// A store that tells a worker when another process has made work due, so that the worker need not wait for its next
/// poll.
public protocol WakingStore: JobStore {
  /// Returns a stream that has a value whenever a worker should look for due work.
  ///
  /// Values may be merged, be late, or come without a reason. They may be lost too: a worker polls all the same.
  ///
  /// - Returns: a stream for one reader, which ends when its task is cancelled.
  func wakeUps() -> AsyncStream<Void>
}

/// A store that keeps expired runs until they are purged.
///
/// A worker purges with each housekeeping, a master pass once an hour. Firestore can also delete expired runs by a
/// time-to-live policy; a purge then finds nothing.
public protocol PurgingStore: JobStore {
  /// Deletes runs whose `expireAt` has passed by the store's clock, in the order of their expiry.
  ///
  /// - Parameter limit: the maximum number of runs, clamped to 1 to 500.
  /// - Returns: the number of deleted runs; less than the limit if no more have expired.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func purgeExpired(limit: Int) async throws(StoreError) -> Int

  /// Deletes log entries whose `expireAt` has passed by the store's clock.
  ///
  /// - Parameter limit: the maximum number of entries, clamped to 1 to 500.
  /// - Returns: the number of deleted entries; less than the limit if no more have expired.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func purgeLogs(limit: Int) async throws(StoreError) -> Int

  /// Deletes ledgers whose `expireAt` has passed by the store's clock, in the order of their expiry.
  ///
  /// - Parameter limit: the maximum number of ledgers, clamped to 1 to 500.
  /// - Returns: the number of deleted ledgers; less than the limit if no more have expired.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func purgeLedgers(limit: Int) async throws(StoreError) -> Int

  /// Deletes entries of the pass journal, oldest first.
  ///
  /// - Parameters:
  ///   - time: the time of the first entry to keep.
  ///   - limit: the maximum number of entries, clamped to 1 to 500.
  /// - Returns: the number of deleted entries.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int
}
