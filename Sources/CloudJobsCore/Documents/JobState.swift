/// What the system keeps about a job, in the map `state` of its document.
public struct JobState: Hashable, Sendable {
  /// When the latest run began.
  public var lastRun: Timestamp?
  /// When the master pass must look at the job next; absent when it is disabled, ended or not run by the pass.
  public var nextRun: Timestamp?
  /// How the last occasion went.
  public var status: JobStatus?
  /// The failed attempts of the latest run.
  public var retries: Int?
  /// Grows with each occasion that a pass has dealt with.
  public var epoch: Int64?
  /// The latest run.
  public var lastRunID: RunID?
  /// How long the latest attempt took.
  public var lastDuration: Duration?
  /// The runs that failed in a row.
  public var consecutiveFailures: Int?
  /// The schedule and zone for which `nextRun` was computed, so that an edit is noticed.
  public var plannedFor: String?
  /// Why the document is left alone until it is mended.
  public var quarantine: String?

  /// A state of which nothing is known.
  public init() {}
}
