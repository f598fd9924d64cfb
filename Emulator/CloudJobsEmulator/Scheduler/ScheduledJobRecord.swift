import CloudJobsCore

/// A job with what only the service knows about it.
struct ScheduledJobRecord: Sendable {
  /// What clients see, except for the next time.
  var job: CloudScheduler.Job
  /// The parsed schedule.
  var schedule: Schedule
  /// Tells this job from an earlier one of the same name.
  let sequence: UInt64
  /// When the schedule fires next.
  var nextSlot: Timestamp?
  /// The execution that goes on; there is never a second one.
  var execution: ScheduledExecution?
  /// When requests to run the job now were made that have not been served.
  var runRequests: [Timestamp] = []

  /// The job as clients see it.
  var shown: CloudScheduler.Job {
    var copy = job
    copy.scheduleTime = execution?.attemptAt ?? nextSlot
    return copy
  }

  /// When the job next has something to do, if nothing else happens.
  var nextWake: Timestamp? {
    if let first = runRequests.first { return first }
    if let execution { return execution.attemptAt }
    return job.state == .enabled ? nextSlot : nil
  }

  /// Begins an execution for the firing that is due; of several that were missed only the latest counts.
  mutating func takeDueSlot(at now: Timestamp) {
    guard execution == nil, job.state == .enabled, let due = nextSlot, due <= now else { return }
    let latest = schedule.previous(before: now + .microseconds(1)).map { max($0, due) } ?? due
    nextSlot = schedule.next(after: now)
    let cause =
      if latest > due { "the schedule, after firings since \(due) were missed" } else if latest < now {
        "the schedule, delayed"
      } else { "the schedule" }
    execution = ScheduledExecution(cause: cause, slot: latest, startedAt: now, attemptAt: now)
  }

  /// Why the job is not executed now.
  var waitReason: CloudScheduler.WaitReason {
    if let execution {
      guard let time = execution.attemptAt else {
        return .inFlight(attempt: execution.attempts, since: job.lastAttemptTime ?? execution.startedAt)
      }
      return .backoff(afterAttempt: execution.attempts, until: time)
    }
    if job.state != .enabled { return .paused }
    return nextSlot.map { .scheduled(at: $0) } ?? .neverAgain
  }
}
