public import CloudJobsCore

extension CloudTasks {
  /// Why a task has not been attempted yet, or not again.
  public enum WaitReason: Hashable, Sendable {
    /// Its schedule time lies ahead.
    case scheduled(until: Timestamp)
    /// It failed and waits for its next attempt.
    case backoff(afterAttempt: Int, until: Timestamp)
    /// The queue's token bucket is empty.
    case rateLimit(until: Timestamp)
    /// The target asked the queue to slow down (429, 503, Retry-After).
    case slowdown(until: Timestamp)
    /// As many attempts are in flight as the queue allows.
    case concurrencyLimit(Int)
    /// The queue is paused.
    case paused
    /// It does not wait: an attempt is in flight.
    case inFlight(attempt: Int, since: Timestamp)
    /// It does not wait: its turn comes with the next event.
    case ready
  }
}

extension CloudTasks.WaitReason: CustomStringConvertible {
  /// The reason, for a person.
  public var description: String {
    switch self {
    case .scheduled(let time): "scheduled for \(time)"
    case .backoff(let attempt, let time): "backing off after attempt \(attempt) until \(time)"
    case .rateLimit(let time): "the queue's rate limit allows the next dispatch at \(time)"
    case .slowdown(let time): "the target asked to slow down; next dispatch at \(time)"
    case .concurrencyLimit(let limit): "\(limit) attempts are in flight, the queue's limit"
    case .paused: "the queue is paused"
    case .inFlight(let attempt, let time): "attempt \(attempt) in flight since \(time)"
    case .ready: "ready"
    }
  }
}
