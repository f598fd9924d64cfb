public import CloudJobsCore

/// The result of processing a delivery.
public struct DeliveryResult: Hashable, Sendable {
  /// The kinds of results.
  ///
  /// ``JobRuntime/handle(_:body:peer:at:)`` has the table of their HTTP statuses.
  public enum Status: String, Hashable, Sendable, CaseIterable {
    /// The run succeeded.
    case succeeded
    /// The attempt failed, and the next one is scheduled.
    case retrying
    /// The attempt failed, and the caller must deliver again.
    case failed
    /// The run is recorded and starts later.
    case scheduled
    /// The handler asked for another attempt later.
    case snoozed
    /// The run was cancelled.
    case cancelled
    /// The run ended as a dead letter.
    case deadLettered = "dead"
    /// A gate is closed.
    case skipped
    /// The occurrence was processed before.
    case duplicate
    /// The run waits for an earlier one.
    case waiting
    /// The delivery came before the run's time.
    case early
    /// Another attempt holds the lease.
    case busy
    /// The attempt lost its lease, and its result was refused.
    case leaseLost
    /// The delivery was refused for the reason in ``DeliveryResult/error``.
    case rejected
  }

  /// The kind of result.
  public var status: Status
  /// The job.
  public var job: JobID?
  /// The id of the run.
  public var runID: RunID?
  /// The number of the attempt, from 1.
  public var attempt: Int?
  /// The reason, in words.
  public var reason: String?
  /// The time from which on a repeated delivery makes sense.
  public var retryAt: Timestamp?
  /// The error, if the status is `rejected` or `failed`.
  public var error: JobError?
  /// The status of the run.
  public var runStatus: RunStatus?
  /// The result of the handler, if the run succeeded with one.
  package var output: JSONText?
  /// The reason why the stored result can't be decoded, if it can't.
  var outputError: JobError?

  init(_ status: Status, run: Run? = nil, reason: String? = nil, retryAt: Timestamp? = nil) {
    self.status = status
    self.job = run?.job
    self.runID = run?.id
    self.attempt = run.flatMap { $0.attempt > 0 ? $0.attempt : nil }
    self.reason = reason
    self.retryAt = retryAt
    self.runStatus = run?.status
    self.output = run?.status == .succeeded ? run?.output : nil
  }

  init(rejected error: JobError, job: JobID? = nil) {
    status = .rejected
    self.job = job
    self.error = error
    reason = error.message
  }

  /// Whether this delivery changed the run's state, and no other delivery did.
  var hasChangedRun: Bool {
    switch status {
    case .succeeded, .retrying, .failed, .snoozed, .cancelled, .deadLettered, .skipped, .waiting, .leaseLost,
      .scheduled:
      true
    case .duplicate, .early, .busy, .rejected: false
    }
  }
}
