public import CloudJobsCore

/// Where job documents and runs live.
///
/// There are few reads and one write: ``commit(_:)``, which is atomic. Every state change of the system is a pure
/// function that yields a list of ``Write`` values, so that it means the same on every store. A type is a store when
/// it passes the conformance suite of `CloudJobsTesting`.
///
/// All times in answers come from one clock that all instances share: the store's own. It never goes backwards.
///
/// A run's input and output are kept byte for byte (``JSONText`` passes through unread); of all else the value is kept.
/// Identifiers and texts are compared and ordered by their UTF-8 bytes.
///
/// A cancelled task may still read and commit, so that a cancelled attempt can be concluded.
public protocol JobStore: Sendable {
  /// Reads documents by id, all as of one moment.
  ///
  /// - Parameters:
  ///   - jobs: the job documents wanted, at most 500.
  ///   - runs: the runs wanted, at most 500.
  /// - Returns: what exists, and the store's time.
  /// - Throws: ``StoreError`` `unavailable`, or `invalid` where more is wanted.
  func read(jobs: [JobID], runs: [RunID]) async throws(StoreError) -> StoreReading

  /// The jobs whose `state.nextRun` has come by the store's clock, by `nextRun` and then id.
  ///
  /// - Parameters:
  ///   - cursor: where the previous page ended; nil for the first page.
  ///   - limit: the most records to answer; values outside 1 to 500 count as the nearest of these.
  /// - Returns: a page of job documents, the store's time, and where the next page begins.
  /// - Throws: ``StoreError`` `unavailable`.
  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord>

  /// The runs whose `wakeAt` has come by the store's clock, by `wakeAt` and then id.
  ///
  /// - Parameters:
  ///   - cursor: where the previous page ended; nil for the first page.
  ///   - limit: the most records to answer; values outside 1 to 500 count as the nearest of these.
  /// - Returns: a page of runs, the store's time, and where the next page begins.
  /// - Throws: ``StoreError`` `unavailable`.
  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord>

  /// Job documents by id, in its order.
  ///
  /// - Parameters:
  ///   - cursor: where the previous page ended; nil for the first page.
  ///   - limit: the most records to answer; values outside 1 to 500 count as the nearest of these.
  /// - Returns: a page of job documents, the store's time, and where the next page begins.
  /// - Throws: ``StoreError`` `unavailable`.
  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord>

  /// Runs that match a filter, latest `createdAt` first and then by id downwards.
  ///
  /// - Parameters:
  ///   - filter: which runs.
  ///   - cursor: where the previous page ended; nil for the first page.
  ///   - limit: the most records to answer; values outside 1 to 500 count as the nearest of these.
  /// - Returns: a page of runs, the store's time, and where the next page begins.
  /// - Throws: ``StoreError`` `unavailable`.
  func runs(matching filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(StoreError)
    -> StorePage<RunRecord>

  /// Journal entries, latest first.
  ///
  /// - Parameters:
  ///   - time: entries after this time are left out.
  ///   - limit: the most entries to answer; values outside 1 to 500 count as the nearest of these.
  /// - Returns: the entries.
  /// - Throws: ``StoreError`` `unavailable`.
  func journal(until time: Timestamp, limit: Int) async throws(StoreError) -> [JournalEntry]

  /// Makes all the changes, or none.
  ///
  /// All preconditions are checked before anything changes. No document may appear in two of the writes. Each document
  /// that is changed gets a version that it never had before, also where it was deleted in between.
  ///
  /// - Parameter writes: at most ``StoreLimits/batch``; none is allowed too, and answers the time.
  /// - Returns: the time of the commit by the store's clock.
  /// - Throws: ``StoreError``: `conflict` where a precondition does not hold, `unavailable` where nothing was changed,
  ///   `unknownOutcome` where the answer was lost and the changes may have taken place, `invalid` where the list breaks
  ///   a rule of ``StoreLimits/check(_:)``.
  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp
}
