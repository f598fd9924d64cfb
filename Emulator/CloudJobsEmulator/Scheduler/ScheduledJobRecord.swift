package import CloudJobsCore

/// A job with the service's internal state.
struct ScheduledJobRecord: Sendable {
  /// The job as clients see it, except for `scheduleTime`.
  var job: CloudScheduler.Job
  /// The parsed schedule.
  var schedule: Schedule
  /// A number that distinguishes this job from an earlier one of the same name.
  let sequence: UInt64
  /// The next time of the schedule.
  var nextFireTime: Timestamp?
  /// The current execution; there is at most one.
  var execution: ScheduledExecution?
  /// The times of run requests that have not been served yet.
  var runRequests: [Timestamp] = []

  /// The job as clients see it.
  var shown: CloudScheduler.Job {
    var copy = job
    copy.scheduleTime = execution?.attemptAt ?? nextFireTime
    return copy
  }

  /// The next time at which the job has work to do without a new request.
  var nextWake: Timestamp? {
    if let first = runRequests.first { return first }
    if let execution { return execution.attemptAt }
    return job.state == .enabled ? nextFireTime : nil
  }

  /// Starts an execution for the time that is due; of several missed times only the latest counts.
  mutating func startDueExecution(at now: Timestamp) {
    guard execution == nil, job.state == .enabled, let due = nextFireTime, due <= now else { return }
    let latest = schedule.previous(before: now + .microseconds(1)).map { max($0, due) } ?? due
    nextFireTime = schedule.next(after: now)
    let cause =
      if latest > due { "the schedule, after missed times since \(due)" } else if latest < now {
        "the schedule, delayed"
      } else { "the schedule" }
    execution = ScheduledExecution(cause: cause, scheduledFor: latest, startedAt: now, attemptAt: now)
  }

  /// The reason why the job is waiting.
  var waitReason: CloudScheduler.WaitReason {
    if let execution {
      guard let time = execution.attemptAt else {
        return .inFlight(attempt: execution.attempts, since: job.lastAttemptTime ?? execution.startedAt)
      }
      return .backoff(afterAttempt: execution.attempts, until: time)
    }
    if job.state != .enabled { return .paused }
    return nextFireTime.map { .scheduled(at: $0) } ?? .neverAgain
  }

  /// Records the outcome of an attempt and decides what follows.
  mutating func conclude(
    _ attempt: ScheduledAttempt, _ outcome: DeliveryOutcome, at now: Timestamp
  ) -> Settlement.Verdict {
    job.status = RPCStatus(outcome)
    guard attempt.isExecution, var current = execution else {
      return outcome.isSuccess ? .succeeded : .abandoned("a run request during an execution is not retried")
    }
    guard !outcome.isSuccess else {
      execution = nil
      return .succeeded
    }
    let elapsed = now - current.startedAt
    let retry = job.retryConfig ?? .init()
    if let rule = retry.reasonToGiveUp(attempts: current.attempts, elapsed: elapsed) {
      execution = nil
      return .abandoned(rule)
    }
    guard job.state == .enabled else {
      execution = nil
      return .abandoned("the job is paused")
    }
    let time = now + retry.backoff.delay(beforeRetry: current.attempts)
    current.attemptAt = time
    execution = current
    return .retry(at: time)
  }
}

/// One execution of a scheduler job: its attempts for one scheduled time.
struct ScheduledExecution: Sendable, Codable {
  /// Snapshots keep the name `slot` for ``scheduledFor``.
  private enum CodingKeys: String, CodingKey {
    case cause, scheduledFor = "slot", attempts, startedAt, attemptAt
  }

  /// A human-readable cause of the execution.
  var cause: String
  /// The scheduled time, equal for all attempts.
  var scheduledFor: Timestamp
  /// The number of attempts started.
  var attempts = 0
  /// The time at which the first attempt started.
  var startedAt: Timestamp
  /// The time of the next attempt; nil while one is in flight.
  var attemptAt: Timestamp?
}

/// An attempt of a scheduler job in flight.
struct ScheduledAttempt: Sendable, Codable {
  /// Snapshots keep the name `attempt` for ``number``.
  private enum CodingKeys: String, CodingKey {
    case name, sequence, isExecution, number = "attempt", deadline
  }

  /// The job's name.
  var name: CloudScheduler.JobName
  /// A number that distinguishes the job from another one of the same name.
  var sequence: UInt64
  /// Whether the attempt belongs to the job's execution, rather than to a run request beside one.
  var isExecution: Bool
  /// The number of the attempt within its execution, from 1.
  var number: Int
  /// The time at which the service stops waiting for a response.
  var deadline: Timestamp
}

extension CloudScheduler {
  /// The reason why a job is waiting.
  package enum WaitReason: Hashable, Sendable {
    /// Its next scheduled time.
    case scheduled(at: Timestamp)
    /// An attempt failed; the time of the next one.
    case backoff(afterAttempt: Int, until: Timestamp)
    /// It is not waiting: an attempt is in flight.
    case inFlight(attempt: Int, since: Timestamp)
    /// The job is paused.
    case paused
    /// The schedule has no further times.
    case neverAgain
  }
}

extension CloudScheduler.WaitReason: CustomStringConvertible {
  /// A human-readable reason.
  package var description: String {
    switch self {
    case .scheduled(let time): "scheduled for \(time)"
    case .backoff(let attempt, let time): "backing off after attempt \(attempt) until \(time)"
    case .inFlight(let attempt, let time): "attempt \(attempt) in flight since \(time)"
    case .paused: "the job is paused"
    case .neverAgain: "the schedule never fires again"
    }
  }
}
