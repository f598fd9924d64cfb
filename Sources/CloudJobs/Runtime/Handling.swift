public import CloudJobsCore

/// What became of a delivery.
public struct Handling: Hashable, Sendable {
  /// The kinds of ends, each with its HTTP status.
  public enum Status: String, Hashable, Sendable, CaseIterable {
    /// The run ended well.
    case succeeded
    /// The attempt failed; the next one is arranged.
    case retrying
    /// The attempt failed, and the caller is to deliver again.
    case failed
    /// The run is recorded for a later start.
    case scheduled
    /// The run goes on later.
    case snoozed
    /// The run was cancelled.
    case cancelled
    /// The run ended as a dead letter, durably.
    case dead
    /// A gate is closed.
    case skipped
    /// It has been dealt with before.
    case duplicate
    /// It waits for an earlier run.
    case waiting
    /// It came before its time.
    case early
    /// Another attempt holds the lease.
    case busy
    /// The attempt lost its lease; its result was refused.
    case leaseLost
    /// The request can't be served; ``Handling/error`` says why.
    case rejected
  }

  /// What became of it.
  public var status: Status
  /// The job.
  public var job: JobID?
  /// The run.
  public var run: RunID?
  /// The attempt, from 1.
  public var attempt: Int?
  /// Why, in words.
  public var reason: String?
  /// When it makes sense to deliver again.
  public var retryAt: Timestamp?
  /// Why the request can't be served.
  public var error: JobError?

  init(_ status: Status, run: Run? = nil, reason: String? = nil, retryAt: Timestamp? = nil) {
    self.status = status
    self.job = run?.job
    self.run = run?.id
    self.attempt = run.flatMap { $0.attempt > 0 ? $0.attempt : nil }
    self.reason = reason
    self.retryAt = retryAt
  }

  init(rejected error: JobError, job: JobID? = nil) {
    status = .rejected
    self.job = job
    self.error = error
    reason = error.message
  }
}
