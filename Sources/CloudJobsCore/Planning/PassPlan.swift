/// Decides what a master pass does about a job whose `nextRun` has come: total, and a function of its input alone.
///
/// - Parameter input: the job and everything that was read for it.
/// - Returns: the plan, which the pass performs without deciding anything itself.
public func planPass(_ input: PassInput) -> PassPlan {
  let decision = decidePass(input)
  switch decision.action {
  case .start: return start(input, decision)
  case .wait:
    var plan = PassPlan(patch: JobStatePatch(), reason: decision.reason)
    (plan.scheduledFor, plan.waitsForRun, plan.isStillDue) = (decision.scheduledFor, input.previous?.id, true)
    return plan
  case .skip:
    var plan = reschedule(input, at: decision.next, decision.reason)
    if let skip = decision.skip { plan.patch.set(status: skip.status) }
    (plan.scheduledFor, plan.skip) = (decision.scheduledFor, decision.skip)
    plan.missedSince = decision.missedSince
    return plan
  }
}

/// What a master pass does about a job, without the records that it writes for it.
struct PassDecision: Hashable, Sendable {
  /// What becomes of the scheduled time.
  enum Action: Hashable, Sendable {
    /// A run is created.
    case start
    /// No run is created, and the job's next time is set.
    case skip
    /// Nothing changes: a missed time waits for the run of an earlier one.
    case wait
  }

  var action: Action
  /// The scheduled time that is served or skipped; nil if only the next time changes.
  var scheduledFor: Timestamp?
  /// The earliest of the times before it that were missed, and that no other decision serves; nil if none was.
  var missedSince: Timestamp?
  /// The next time of the job; nil if it leaves the list of due jobs.
  var next: Timestamp?
  /// The closed gate, if there is one.
  var skip: Skip?
  var reason: String

  /// Returns the decision with the missed times from the one that was due up to its own.
  fileprivate func covering(from due: Timestamp) -> PassDecision {
    var decision = self
    if action != .wait, let scheduledFor, due < scheduledFor { decision.missedSince = due }
    return decision
  }
}

/// Decides what a master pass does about a job whose `nextRun` has come; otherwise like ``planPass(_:)``.
func decidePass(_ input: PassInput) -> PassDecision {
  let job = input.job
  func leave(_ reason: String, _ skip: Skip? = nil, scheduledFor: Timestamp? = nil) -> PassDecision {
    PassDecision(action: .skip, scheduledFor: scheduledFor, skip: skip, reason: reason)
  }
  guard job.isRunByPass(under: input.settings.scheduleOwner), let schedule = job.schedule else {
    return leave("The pass does not run this job of kind \(job.kind.rawValue).", scheduledFor: input.due)
  }
  if let skip = Gate.enabled.skip(of: input.gateInput(scheduledFor: input.state.nextRun ?? input.now)) {
    guard let due = input.due else { return leave(skip.reason, skip) }
    let latest = max(due, schedule.previous(before: input.now + .microseconds(1)) ?? due)
    return leave(skip.reason, skip, scheduledFor: latest).covering(from: due)
  }
  guard let due = input.due else {
    return PassDecision(action: .skip, next: input.state.nextRun, reason: "The job is not due.")
  }
  if let planned = input.state.plannedFor, planned != job.planKey, schedule.next(after: due - .microseconds(1)) != due {
    return PassDecision(
      action: .skip, scheduledFor: due, next: firstRun(of: job, schedule, after: input.now),
      reason: "The schedule was edited; planned again.")
  }
  return serve(due, schedule, input).covering(from: due)
}

/// Decides about a time that is due by the job's present schedule, with those that were missed after it.
private func serve(_ due: Timestamp, _ schedule: Schedule, _ input: PassInput) -> PassDecision {
  let choice = chooseTime(due: due, schedule: schedule, input: input)
  guard let scheduledFor = choice.scheduledFor else {
    return PassDecision(
      action: .skip, scheduledFor: choice.latest, next: choice.next, skip: Skip(.skippedMisfire, choice.reason),
      reason: choice.reason)
  }
  let closed = Gate.firstClosed(for: input.gateInput(scheduledFor: scheduledFor))
  let reason = closed?.reason ?? ""
  switch closed?.status {
  case nil:
    return PassDecision(action: .start, scheduledFor: scheduledFor, next: choice.next, reason: choice.reason)
  case .skippedEnded?:
    return PassDecision(action: .skip, scheduledFor: scheduledFor, skip: closed, reason: reason)
  case .skippedOverlap? where input.isCatchingUp(with: scheduledFor):
    return PassDecision(
      action: .wait, scheduledFor: scheduledFor, reason: "\(reason) This missed time is served after it.")
  case .skippedNotStarted?:
    return PassDecision(
      action: .skip, scheduledFor: scheduledFor, next: firstRun(of: input.job, schedule, after: input.now),
      skip: closed, reason: reason)
  default:
    return PassDecision(
      action: .skip, scheduledFor: scheduledFor, next: choice.next, skip: closed, reason: reason)
  }
}

/// The plan of a master pass for one due job.
public struct PassPlan: Hashable, Sendable {
  /// The change to the job's state: a later `nextRun`, a higher epoch.
  public var patch: JobStatePatch
  /// The scheduled time that is served or skipped; nil if the job only leaves the list of due jobs.
  public var scheduledFor: Timestamp?
  /// The earliest of the times before it that were missed, and that no other plan serves; nil if none was.
  public var missedSince: Timestamp?
  /// The next time that the pass has to look at the job; nil if there is none.
  public var nextRun: Timestamp?
  /// The run to create, if any: running under a lease, or waiting for an earlier run.
  public var run: Run?
  /// The reason why no run is created, if a gate is closed.
  public var skip: Skip?
  /// The reason for the plan, in words.
  public var reason: String
  /// The run whose end a missed time waits for; nil if the plan changes the job's state.
  ///
  /// A plan that waits changes nothing, and the job stays due.
  public var waitsForRun: RunID?
  /// Whether the job stays due after the change, because further missed times are served one by one.
  public var isStillDue = false

  fileprivate init(patch: JobStatePatch, reason: String) {
    (self.patch, self.reason) = (patch, reason)
  }
}

/// Everything that a pass's decision about one job depends on.
public struct PassInput: Sendable {
  /// The job: its definition under its document.
  public var job: ResolvedJob
  /// The job's state.
  public var state: JobState
  /// The job's latest run, if overlap matters.
  public var previous: Run?
  /// The status of each dependency's last occurrence.
  public var dependencies: [JobID: JobStatus]
  /// The refusal of a permit that the attempt needs; nil if none was refused.
  public var refusal: LimitRefusal?
  /// The store's time.
  public var now: Timestamp
  /// The runtime's settings.
  public var settings: PlanSettings

  /// Creates an input.
  public init(
    job: ResolvedJob, state: JobState, previous: Run? = nil, dependencies: [JobID: JobStatus] = [:],
    refusal: LimitRefusal? = nil, now: Timestamp, settings: PlanSettings
  ) {
    self.job = job
    self.refusal = refusal
    self.state = state
    self.previous = previous
    self.dependencies = dependencies
    self.now = now
    self.settings = settings
  }

  /// The job's next time, if it has come.
  fileprivate var due: Timestamp? { state.nextRun.flatMap { $0 <= now ? $0 : nil } }

  /// Whether the latest run was created only after a scheduled time, because both are served late: it did not run when
  /// the time came, and so is no reason to skip it.
  fileprivate func isCatchingUp(with scheduledFor: Timestamp) -> Bool {
    guard case .catchUp = job.policy.misfire, let previous else { return false }
    return previous.createdAt > scheduledFor && previous.scheduledFor.map { $0 < scheduledFor } ?? true
  }

  fileprivate func gateInput(scheduledFor: Timestamp) -> GateInput {
    GateInput(
      job: job, scheduledFor: scheduledFor, trigger: .pass, dependencies: dependencies, previous: previous,
      breakerOpenUntil: state.breakerOpenUntil, now: now)
  }
}

/// The scheduled time that the misfire policy serves, and the time at which the schedule continues.
private struct TimeChoice {
  var scheduledFor: Timestamp?
  /// The latest of the times that are due.
  var latest: Timestamp
  var next: Timestamp?
  var reason: String
}

private func chooseTime(due: Timestamp, schedule: Schedule, input: PassInput) -> TimeChoice {
  let now = input.now
  let latest = max(due, schedule.previous(before: now + .microseconds(1)) ?? due)
  let next = schedule.next(after: now)
  let collapsed = latest > due ? "Missed times since \(due) collapse into this run." : "The job is due."
  switch input.job.policy.misfire {
  case .once: return TimeChoice(scheduledFor: latest, latest: latest, next: next, reason: collapsed)
  case .skip:
    if now - latest <= input.settings.misfireGrace {
      return TimeChoice(scheduledFor: latest, latest: latest, next: next, reason: collapsed)
    }
    let reason = "The time \(latest) was missed, and missed times are dropped."
    return TimeChoice(scheduledFor: nil, latest: latest, next: next, reason: reason)
  case .catchUp(let limit):
    let count = min(limit, MisfirePolicy.maximumCatchUp)
    var scheduledFor = latest
    var remaining = 1
    while remaining < count, scheduledFor > due, let earlier = schedule.previous(before: scheduledFor), earlier >= due {
      scheduledFor = earlier
      remaining += 1
    }
    let reason = remaining > 1 ? "Catching up: \(remaining) times are due, this is the oldest." : "The job is due."
    return TimeChoice(
      scheduledFor: scheduledFor, latest: latest, next: schedule.next(after: scheduledFor), reason: reason)
  }
}

private func start(_ input: PassInput, _ decision: PassDecision) -> PassPlan {
  let job = input.job
  let scheduledFor = decision.scheduledFor ?? input.now
  let id = RunID(job: job.id, occurrence: .scheduledFor(scheduledFor))
  var run = Run(
    id: id, job: job.id, trigger: .pass, maxAttempts: job.policy.retry.maxAttempts, scheduledFor: scheduledFor,
    notBefore: input.now, createdAt: input.now)
  run.queue = job.policy.queue
  run.priority = job.policy.priority
  run.metadata = job.policy.metadata
  var isHandedOver = false
  if job.overlap == .queue, let skip = Gate.overlapSkip(input.previous, now: input.now) {
    run = run.waiting(until: input.now + input.settings.overlapDelay, why: skip.reason, input.settings)
  } else if let refusal = input.refusal {
    run = run.waiting(for: refusal, input.settings)
  } else if !input.settings.executesRuns {
    run = run.waiting(until: input.now, why: RunReason.Text.leftToWorker, input.settings)
    isHandedOver = true
  } else {
    run = run.claimed(by: input.settings, for: job, at: input.now)
    if input.settings.handsOver(job.policy) {
      run = run.handedOver(from: nil, input.settings, at: input.now)
      isHandedOver = true
    }
  }
  var plan = reschedule(input, at: decision.next, decision.reason)
  // A run that waits for its turn is not the latest one: those behind it wait for the one that executes, not for it.
  // A job that skips overlapping runs has one that waits at most.
  if run.status != .scheduled || job.overlap == .skip || isHandedOver {
    plan.patch.set(lastRun: input.now)
    plan.patch.set(lastRunID: id)
  }
  if run.status == .running { input.state.claimProbe(job.policy.breaker, at: input.now, in: &plan.patch) }
  plan.scheduledFor = scheduledFor
  plan.missedSince = decision.missedSince
  plan.run = run
  return plan
}

private func reschedule(_ input: PassInput, at next: Timestamp?, _ reason: String) -> PassPlan {
  var patch = JobStatePatch()
  patch.set(nextRun: next)
  patch.set(plannedFor: next == nil ? nil : input.job.planKey)
  patch.set(epoch: (input.state.epoch ?? 0).successor)
  var plan = PassPlan(patch: patch, reason: reason)
  plan.nextRun = next
  plan.isStillDue = next.map { $0 <= input.now } ?? false
  return plan
}
