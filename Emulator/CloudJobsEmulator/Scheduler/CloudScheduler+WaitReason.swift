public import CloudJobsCore

extension CloudScheduler {
  /// Why a job is not executed now.
  public enum WaitReason: Hashable, Sendable {
    /// Its schedule fires next at a time.
    case scheduled(at: Timestamp)
    /// An attempt failed and the next one comes at a time.
    case backoff(afterAttempt: Int, until: Timestamp)
    /// It does not wait: an attempt is in flight.
    case inFlight(attempt: Int, since: Timestamp)
    /// It is paused.
    case paused
    /// Its schedule never fires again.
    case neverAgain
  }
}

extension CloudScheduler.WaitReason: CustomStringConvertible {
  /// The reason, for a person.
  public var description: String {
    switch self {
    case .scheduled(let time): "scheduled for \(time)"
    case .backoff(let attempt, let time): "backing off after attempt \(attempt) until \(time)"
    case .inFlight(let attempt, let time): "attempt \(attempt) in flight since \(time)"
    case .paused: "the job is paused"
    case .neverAgain: "the schedule never fires again"
    }
  }
}
