/// What is to be done about a delivery.
public enum Decision: Hashable, Sendable {
  /// Execute: commit this run, which holds the lease, and call the handler.
  case run(Run)
  /// A gate is closed; an existing run is cancelled with it.
  case skip(Skip, cancelled: Run?)
  /// An earlier run is under way: commit this run, which waits, and hand it to the queue.
  case wait(Run)
  /// The occurrence has been dealt with, or the attempt has passed; where the run waits for its next attempt, that
  /// delivery is handed to the queue once more, in case the first time was lost.
  case duplicate(Run)
  /// The delivery came before its time.
  case early(until: Timestamp)
  /// The queue could not hold its task until the run's time: commit this run, which waits on, and hand it to the queue
  /// under a new name.
  case stage(Run)
  /// The caller asks for a later start: commit this run, which waits, and enqueue its first attempt.
  case schedule(Run)
  /// Another attempt holds the lease.
  case busy(until: Timestamp)
  /// The last allowed attempt never came back: commit this run, which has failed.
  case bury(Run)
  /// The request can't be served.
  case reject(JobError)
}

/// Decides about a delivery: total, and a function of nothing but its input.
public func plan(_ input: PlanInput) -> Decision {
  guard let run = input.run else { return planFirst(input) }
  guard run.job == input.job.id else {
    return .reject(
      JobError(.invalidField, "This run belongs to the job \(run.job). Send its own job id.", field: "runId"))
  }
  if input.delivery.start != nil, run.status == .running { return .duplicate(run) }
  switch run.status {
  case .succeeded, .failed, .cancelled: return .duplicate(run)
  case .running: return planRunning(input, run)
  case .scheduled, .pending: return planWaiting(input, run)
  }
}

private func planFirst(_ input: PlanInput) -> Decision {
  if let attempt = input.delivery.attempt, attempt > 1 {
    return .reject(
      JobError(
        .notFound, "Attempt \(attempt) is asked for of a run that does not exist. It was deleted; start a new one.",
        field: "runId"))
  }
  if let start = input.delivery.start?.time(from: input.now), start > input.now {
    var run = newRun(input).waiting(until: start, why: nil, input.settings)
    run.scheduledFor = start
    return .schedule(run)
  }
  let occasion = input.delivery.scheduledFor ?? input.now
  if let skip = closedGate(input, occasion: occasion) { return .skip(skip, cancelled: nil) }
  let run = newRun(input)
  return held(input, run) ?? .run(run.claimed(by: input.settings, for: input.job, at: input.now))
}

private func newRun(_ input: PlanInput) -> Run {
  var run = Run(
    id: input.runID, job: input.job.id, trigger: input.delivery.trigger, input: input.delivery.payload,
    maxAttempts: input.job.policy.retry.maxAttempts, scheduledFor: input.delivery.scheduledFor, notBefore: input.now,
    createdAt: input.now)
  run.correlationID = input.delivery.correlationID
  run.queue = input.job.policy.queue
  run.priority = input.job.policy.priority
  if case .key(let key)? = input.delivery.occurrence { run.uniqueKey = key }
  return run
}

private func planRunning(_ input: PlanInput, _ run: Run) -> Decision {
  guard let lease = run.lease, input.now < lease.expiresAt else { return planCrashed(input, run) }
  if let attempt = input.delivery.attempt, attempt < run.attempt { return .duplicate(run) }
  return .busy(until: lease.expiresAt)
}

/// The lease has run out: the attempt crashed or hangs, and counts as failed.
private func planCrashed(_ input: PlanInput, _ run: Run) -> Decision {
  var run = run
  run.failures = run.failures.successor
  run.failure = RunFailure(
    kind: "leaseLost", message: "Attempt \(run.attempt) did not come back before its lease ended.")
  run.maxAttempts = input.job.policy.retry.maxAttempts
  if case .dead(let reason) = verdict(on: run, policy: input.job.policy.retry, now: input.now) {
    run.reason = reason
    // The attempt may still be alive; with another token its late result can't bring the ended run back.
    run.fence = run.fence.successor
    return .bury(run.ended(.failed, at: input.now, retention: input.job.policy.retention))
  }
  if let skip = Gates.enabled(input.job) {
    run.fence = run.fence.successor
    return .skip(skip, cancelled: cancelled(run, by: skip, input))
  }
  return .run(run.claimed(by: input.settings, for: input.job, at: input.now))
}

private func planWaiting(_ input: PlanInput, _ run: Run) -> Decision {
  let isStale = input.delivery.attempt.map { $0 <= run.attempt } ?? false
  if isStale { return .duplicate(run) }
  if input.now + input.settings.earlyTolerance < run.notBefore {
    // A caller that asks again for work that is scheduled has its answer; a task that comes early must come again.
    let isRepetition = run.attempt > 0 || input.delivery.start != nil || input.delivery.trigger == .manual
    guard input.delivery.attempt != nil else {
      return isRepetition ? .duplicate(run) : .early(until: run.notBefore)
    }
    let isFarAhead = input.now + input.settings.stagingThreshold < run.notBefore
    return isFarAhead ? .stage(run.handedAgain(input.settings, now: input.now)) : .early(until: run.notBefore)
  }
  let skip =
    run.attempt == 0
    ? closedGate(input, occasion: run.scheduledFor ?? run.createdAt, trigger: run.trigger) : Gates.enabled(input.job)
  if let skip { return .skip(skip, cancelled: cancelled(run, by: skip, input)) }
  if run.attempt == 0, let decision = held(input, run) { return decision }
  return .run(run.claimed(by: input.settings, for: input.job, at: input.now))
}

private func closedGate(_ input: PlanInput, occasion: Timestamp, trigger: Trigger? = nil) -> Skip? {
  Gates.closed(
    input.job, occasion: occasion, trigger: trigger ?? input.delivery.trigger, dependencies: input.dependencies,
    previous: input.previous, now: input.now)
}

/// The decision to wait, where the overlap policy queues and an earlier run is under way.
private func held(_ input: PlanInput, _ run: Run) -> Decision? {
  guard input.job.overlap == .queue, run.trigger != .manual,
    let skip = Gates.overlap(input.previous, now: input.now)
  else { return nil }
  var waiting = run.waiting(until: input.now + input.settings.overlapDelay, why: skip.reason, input.settings)
  // The attempt has not been used up, so its task needs another name than the one that has just been delivered.
  waiting.handoffs = waiting.handoffs.successor
  return .wait(waiting)
}

private func cancelled(_ run: Run, by skip: Skip, _ input: PlanInput) -> Run {
  var run = run
  run.reason = skip.reason
  return run.ended(.cancelled, at: input.now, retention: input.job.policy.retention)
}
