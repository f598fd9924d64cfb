public import CloudJobsCore

/// A store in which a worker claims many due runs in one transaction.
///
/// Of any number of workers that claim at once, each gets other runs. In a store without it, workers read the same due
/// runs, and all but one are refused by the preconditions of their commits.
public protocol ClaimingStore: JobStore {
  /// Reads due runs, by `wakeAt` and then id, and commits what a function makes of them, in one transaction.
  ///
  /// Runs that another claim holds at this moment may be left out.
  ///
  /// - Parameters:
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - limit: the maximum number of runs to read, clamped to 1 to 500.
  ///   - jobs: the jobs whose documents the plan needs.
  ///   - plan: returns the writes for each run, in the order of the records: none if the run stays as it is. Besides
  ///     the run they may change ledgers and other documents; those of one run are committed together or not at all.
  ///     Its second argument has the documents of the jobs, and the store's time. It is pure, because it is called
  ///     again after a rollback.
  /// - Returns: the runs that were due, and what became of their writes.
  /// - Throws: ``StoreError`` as ``JobStore/commit(_:)`` does; then nothing was changed, unless it is
  ///   `unknownOutcome`.
  func claim(
    after cursor: StoreCursor?, limit: Int, reading jobs: [JobID],
    _ plan: @escaping @Sendable ([RunRecord], StoreReading) -> [[Write]]
  ) async throws(StoreError) -> RunClaims
}

/// The result of a claim.
public struct RunClaims: Sendable {
  /// A run that was due.
  public struct Claim: Sendable {
    /// The run as it was before.
    public var record: RunRecord
    /// Whether its writes were committed; nil if there were none.
    public var outcome: Result<Void, StoreError>?

    /// Creates a claim.
    public init(record: RunRecord, outcome: Result<Void, StoreError>?) {
      self.record = record
      self.outcome = outcome
    }
  }

  /// The time of the commit.
  public var time: Timestamp
  /// The runs, in the order of their times.
  public var runs: [Claim]
  /// The cursor of the next page; nil if there is none.
  public var next: StoreCursor?

  /// Creates the result of a claim.
  public init(time: Timestamp, runs: [Claim], next: StoreCursor? = nil) {
    self.time = time
    self.runs = runs
    self.next = next
  }
}
