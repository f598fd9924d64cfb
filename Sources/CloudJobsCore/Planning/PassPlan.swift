/// What a master pass does about one job that is due.
public struct PassPlan: Hashable, Sendable {
  /// The change to the job's state: `nextRun` moves on, the epoch grows.
  public var patch: JobStatePatch
  /// The moment of the schedule that is served or skipped; nil where the job only leaves the due list.
  public var slot: Timestamp?
  /// The run to create; its status says whether it executes now or waits.
  ///
  /// Nil where nothing runs.
  public var run: Run?
  /// The closed gate, where one is.
  public var skip: Skip?
  /// Why, in words.
  public var reason: String
  /// Whether the job stays due after the change, because further missed times are to be caught up with.
  public var isStillDue: Bool
}

/// All that a pass's decision about one job depends on.
public struct PassInput: Sendable {
  /// The job as it stands.
  public var job: ResolvedJob
  /// The job's state.
  public var state: JobState
  /// The job's latest run, where overlap matters.
  public var previous: Run?
  /// How the last occasion of each dependency went.
  public var dependencies: [JobID: JobStatus]
  /// The store's time.
  public var now: Timestamp
  /// The runtime's spans.
  public var settings: PlanSettings

  /// An input.
  public init(
    job: ResolvedJob, state: JobState, previous: Run? = nil, dependencies: [JobID: JobStatus] = [:], now: Timestamp,
    settings: PlanSettings
  ) {
    self.job = job
    self.state = state
    self.previous = previous
    self.dependencies = dependencies
    self.now = now
    self.settings = settings
  }
}

/// Decides what a master pass does about a job whose `nextRun` has come: total, and a function of its input alone.
public func planPass(_ input: PassInput) -> PassPlan {
  let job = input.job
  guard job.isRunByPass(under: input.settings.scheduleOwner), let schedule = job.schedule else {
    return leaving(input, nil, "The pass does not run this job of kind \(job.kind.rawValue).")
  }
  if let skip = Gates.enabled(job) { return leaving(input, skip, skip.reason) }
  guard let due = input.state.nextRun, due <= input.now else {
    return moved(input, to: input.state.nextRun, "The job is not due.")
  }
  if let planned = input.state.plannedFor, planned != job.planKey, schedule.next(after: due - .microseconds(1)) != due {
    return moved(input, to: firstRun(of: job, schedule, after: input.now), "The schedule was edited; planned anew.")
  }
  let service = serve(due: due, schedule: schedule, input: input)
  guard let slot = service.slot else {
    let skip = Skip(.skippedMisfire, service.reason)
    return skipped(input, slot: due, skip, next: service.next)
  }
  let gate = Gates.closed(
    job, occasion: slot, trigger: .pass, dependencies: input.dependencies, previous: input.previous, now: input.now)
  switch gate?.status {
  case nil: return started(input, slot: slot, next: service.next, reason: service.reason)
  case .skippedEnded?: return leaving(input, gate, gate?.reason ?? "", slot: slot)
  case .skippedNotStarted?:
    return skipped(input, slot: slot, gate, next: firstRun(of: job, schedule, after: input.now))
  default: return skipped(input, slot: slot, gate, next: service.next)
  }
}

/// The first time after a moment at which the pass has to look at a job; nil where there is none.
///
/// - Parameters:
///   - job: the job as it stands.
///   - time: the moment.
///   - owner: what fires the schedules of scheduled jobs.
/// - Returns: the time, which has passed neither `endAt` nor `time`.
public func firstRun(
  of job: ResolvedJob, after time: Timestamp, under owner: ScheduleOwner = .cloudScheduler
) -> Timestamp? {
  guard job.isRunByPass(under: owner), job.policy.enabled, let schedule = job.schedule else { return nil }
  let first = firstRun(of: job, schedule, after: time)
  guard let first, let end = job.policy.endAt?.day(in: job.zone), job.zone.date(at: first) > end else { return first }
  return nil
}

private func firstRun(of job: ResolvedJob, _ schedule: Schedule, after time: Timestamp) -> Timestamp? {
  switch job.policy.startAt {
  case .instant(let start)? where start > time: schedule.next(after: start - .microseconds(1))
  case .day(let start)? where time < job.zone.startOfDay(start):
    schedule.next(after: job.zone.startOfDay(start) - .microseconds(1))
  default: schedule.next(after: time)
  }
}

/// Which of the due times is served, by the misfire policy, and where the schedule goes on.
private struct Service {
  var slot: Timestamp?
  var next: Timestamp?
  var reason: String
}

private func serve(due: Timestamp, schedule: Schedule, input: PassInput) -> Service {
  let now = input.now
  let latest = max(due, schedule.previous(before: now + .microseconds(1)) ?? due)
  let onward = schedule.next(after: now)
  let collapsed = latest > due ? "Missed times since \(due) collapse into this run." : "The job is due."
  switch input.job.policy.misfire {
  case .once: return Service(slot: latest, next: onward, reason: collapsed)
  case .skip:
    if now - latest <= input.settings.misfireGrace { return Service(slot: latest, next: onward, reason: collapsed) }
    return Service(slot: nil, next: onward, reason: "The time \(latest) was missed, and missed times are dropped.")
  case .catchUp(let limit):
    let count = min(limit, MisfirePolicy.maximumCatchUp)
    var slot = latest
    var remaining = 1
    while remaining < count, slot > due, let earlier = schedule.previous(before: slot), earlier >= due {
      slot = earlier
      remaining += 1
    }
    let reason = remaining > 1 ? "Catching up: \(remaining) times are due, this is the oldest." : "The job is due."
    return Service(slot: slot, next: schedule.next(after: slot), reason: reason)
  }
}

private func started(_ input: PassInput, slot: Timestamp, next: Timestamp?, reason: String) -> PassPlan {
  let job = input.job
  let id = RunID(job: job.id, occurrence: .slot(slot))
  var run = Run(
    id: id, job: job.id, trigger: .pass, maxAttempts: job.policy.retry.maxAttempts, scheduledFor: slot,
    notBefore: input.now, createdAt: input.now)
  run.queue = job.policy.queue
  run.priority = job.policy.priority
  if job.overlap == .queue, let skip = Gates.overlap(input.previous, now: input.now) {
    run = run.waiting(until: input.now + input.settings.overlapDelay, why: skip.reason, input.settings)
  } else {
    run = run.claimed(by: input.settings, for: job, at: input.now)
  }
  var plan = moved(input, to: next, reason)
  // A run that waits for its turn is not the latest one: those behind it wait for the one that executes, not for it.
  if run.status != .scheduled {
    plan.patch.set(lastRun: input.now)
    plan.patch.set(lastRunID: id)
  }
  plan.slot = slot
  plan.run = run
  return plan
}

private func skipped(_ input: PassInput, slot: Timestamp, _ skip: Skip?, next: Timestamp?) -> PassPlan {
  var plan = moved(input, to: next, skip?.reason ?? "")
  if let skip { plan.patch.set(status: skip.status) }
  plan.slot = slot
  plan.skip = skip
  return plan
}

private func leaving(_ input: PassInput, _ skip: Skip?, _ reason: String, slot: Timestamp? = nil) -> PassPlan {
  var plan = moved(input, to: nil, reason)
  if let skip { plan.patch.set(status: skip.status) }
  plan.slot = slot
  plan.skip = skip
  return plan
}

private func moved(_ input: PassInput, to next: Timestamp?, _ reason: String) -> PassPlan {
  var patch = JobStatePatch()
  patch.set(nextRun: next)
  patch.set(plannedFor: next == nil ? nil : input.job.planKey)
  patch.set(epoch: (input.state.epoch ?? 0).successor)
  return PassPlan(
    patch: patch, slot: nil, run: nil, skip: nil, reason: reason,
    isStillDue: next.map { $0 <= input.now } ?? false)
}
