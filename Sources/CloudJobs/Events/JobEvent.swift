public import CloudJobsCore

/// Something that happened to a run.
public struct JobEvent: Hashable, Sendable {
  /// What happened.
  public enum Name: String, Hashable, Sendable, CaseIterable {
    /// An attempt began.
    case started = "job.started"
    /// The run ended well.
    case succeeded = "job.succeeded"
    /// The run ended as a dead letter.
    case failed = "job.failed"
    /// An occasion passed without a run, or a run was cancelled.
    case skipped = "job.skipped"
    /// An attempt failed and another will follow.
    case retrying = "job.retrying"
    /// An attempt asked to go on later, or waits for an earlier run.
    case snoozed = "job.snoozed"
    /// A delivery asked for what has been dealt with.
    case duplicate = "job.duplicate"
    /// An attempt came back after its lease had passed to another; its result was refused.
    case leaseLost = "job.leaseLost"
  }

  /// What happened.
  public var name: Name
  /// The job.
  public var job: JobID
  /// The run; nil where an occasion passed without one.
  public var run: RunID?
  /// The attempt, from 1; nil where none was begun.
  public var attempt: Int?
  /// When, by the runtime's clock.
  public var time: Timestamp
  /// How long the attempt took.
  public var duration: Duration?
  /// Why the attempt failed.
  public var failure: RunFailure?
  /// Why, in words.
  public var reason: String?
  /// When the run goes on.
  public var next: Timestamp?
  /// What ties together all that one cause set in motion.
  public var correlationID: String?

  init(
    _ name: Name, job: JobID, run: Run?, time: Timestamp, duration: Duration? = nil, reason: String? = nil
  ) {
    self.name = name
    self.job = job
    self.run = run?.id
    self.attempt = run.flatMap { $0.attempt > 0 ? $0.attempt : nil }
    self.time = time
    self.duration = duration
    self.failure = run?.failure
    self.reason = reason ?? run?.reason
    self.next = run.flatMap { $0.status == .scheduled ? $0.notBefore : nil }
    self.correlationID = run?.correlationID
  }
}
