/// Decides how a delivery is processed: total, and a function of its input alone.
///
/// - Parameter input: the delivery and everything that was read for it.
/// - Returns: the decision, which the runtime performs without deciding anything itself.
public func plan(_ input: PlanInput) -> Decision {
  let decision = planHere(input)
  guard case .run(let run) = decision, input.settings.handsOver(input.job.policy) else { return decision }
  return .schedule(run.handedOver(from: input.run, input.settings, at: input.now))
}

/// Decides how a delivery is processed if this service executes the job.
private func planHere(_ input: PlanInput) -> Decision {
  guard let run = input.run else { return planFirst(input) }
  guard run.job == input.job.id else {
    return .reject(
      JobError(.invalidField, "This run belongs to the job \(run.job). Send its own job id.", field: "runId"))
  }
  if input.delivery.start != nil, run.status == .running { return .duplicate(run) }
  if input.delivery.isReplaced(in: run) { return .duplicate(run) }
  switch run.status {
  case .succeeded, .failed, .cancelled: return .duplicate(run)
  case .running: return planRunning(input, run)
  case .scheduled, .pending: return planWaiting(input, run)
  }
}

/// The decision about a delivery.
public enum Decision: Hashable, Sendable {
  /// Commit this run, which holds a lease, and execute the handler.
  case run(Run)
  /// Run nothing, because a gate is closed; commit the cancelled run, if the delivery asked for an existing one.
  case skip(Skip, cancelled: Run?)
  /// Commit this run, which waits for an earlier one, and enqueue its next attempt.
  case wait(Run)
  /// Run nothing: the occurrence has been processed, or the attempt is over. If the run waits for its next attempt, the
  /// task for it is enqueued again, in case it was lost.
  case duplicate(Run)
  /// Run nothing: the delivery came before the run's time.
  case early(until: Timestamp)
  /// Commit this run, which still waits, and enqueue its task under a new name: the queue could not hold the task until
  /// the run's time.
  case stage(Run)
  /// Commit this run, which starts later as the caller asked, or in another service, and enqueue its next attempt.
  case schedule(Run)
  /// Run nothing: another attempt holds the lease.
  case busy(until: Timestamp)
  /// Commit this run, which waits for another run to end, and let that one deliver it.
  case await(Run, RunID)
  /// Commit this run, which was cancelled.
  case cancel(Run)
  /// Commit this run, which has failed: its last allowed attempt was lost.
  case deadLetter(Run)
  /// Refuse the delivery.
  case reject(JobError)
}

/// Everything that a decision about a delivery depends on.
public struct PlanInput: Sendable {
  /// The delivery.
  public var delivery: Delivery
  /// The id of the run that the delivery asks for.
  public var runID: RunID
  /// The job: its definition under its document.
  public var job: ResolvedJob
  /// The run, if it exists.
  public var run: Run?
  /// The job's latest other run, if overlap matters.
  public var previous: Run?
  /// The status of each dependency's last occurrence.
  public var dependencies: [JobID: JobStatus]
  /// The time until which the job's circuit breaker is open; nil if it is closed.
  public var breakerOpenUntil: Timestamp?
  /// The statuses of the runs that must end before this one starts; absent for those that no longer exist.
  public var prerequisites: [RunID: RunStatus] = [:]
  /// The refusal of a permit that the attempt needs; nil if none was refused.
  public var refusal: LimitRefusal?
  /// The store's time.
  public var now: Timestamp
  /// The runtime's settings.
  public var settings: PlanSettings

  /// Creates an input.
  public init(
    delivery: Delivery, runID: RunID, job: ResolvedJob, run: Run? = nil, previous: Run? = nil,
    dependencies: [JobID: JobStatus] = [:], breakerOpenUntil: Timestamp? = nil, refusal: LimitRefusal? = nil,
    now: Timestamp, settings: PlanSettings
  ) {
    self.delivery = delivery
    self.refusal = refusal
    self.breakerOpenUntil = breakerOpenUntil
    self.runID = runID
    self.job = job
    self.run = run
    self.previous = previous
    self.dependencies = dependencies
    self.now = now
    self.settings = settings
  }
}

/// Settings that all decisions of one runtime share.
public struct PlanSettings: Hashable, Sendable {
  /// The name under which this instance holds leases.
  public var owner: String
  /// The party that delivers a failed attempt again.
  public var retryOwner: RetryOwner
  /// The time by which a lease outlasts the attempt's time limit.
  public var leaseMargin = Duration.seconds(15)
  /// The longest lease of an attempt; nil if its time limit alone counts.
  public var leaseLimit: Duration?
  /// The delay after a run's time at which the sweep looks for its lost task.
  public var sweepDelay: Duration
  /// The time before a run's time at which its delivery is accepted, because the clocks of queue and store differ.
  public var earlyTolerance = Duration.seconds(2)
  /// The time before a run's time from which on an early task is staged, instead of being answered as early.
  public var stagingThreshold = Duration.minutes(10)
  /// The lateness up to which a scheduled time counts as met and not as missed.
  public var misfireGrace = Duration.minutes(5)
  /// The party that fires the schedules of scheduled jobs.
  public var scheduleOwner: ScheduleOwner
  /// The delay after which a run that waits for an earlier one is planned again.
  public var overlapDelay = Duration.seconds(30)
  /// The delay after which a run of a paused job is planned again.
  public var pauseDelay = Duration.seconds(60)
  /// Whether heavy work is handed to another service.
  public var handsOverHeavyWork = false
  /// Whether the runs of schedules are executed here; otherwise they are recorded, and wait for another process.
  public var executesRuns = true

  /// Creates the default settings.
  ///
  /// - Parameters:
  ///   - owner: the name under which this instance holds leases.
  ///   - retryOwner: the party that delivers a failed attempt again.
  ///   - sweepDelay: the delay after a run's time at which the sweep looks for its lost task. It applies only where the
  ///     runtime enqueues tasks: otherwise runs are found in the store when they come due.
  ///   - scheduleOwner: the party that fires the schedules of scheduled jobs; nil derives it from `retryOwner`.
  public init(
    owner: String, retryOwner: RetryOwner = .runtime, sweepDelay: Duration = .seconds(60),
    scheduleOwner: ScheduleOwner? = nil
  ) {
    self.owner = owner
    self.retryOwner = retryOwner
    self.sweepDelay = retryOwner == .runtime ? sweepDelay : .zero
    self.scheduleOwner = scheduleOwner ?? (retryOwner == .pass ? .masterPass : .cloudScheduler)
  }
}

extension PlanSettings {
  /// Returns whether the attempts of a job execute in another service.
  func handsOver(_ policy: JobPolicy) -> Bool {
    handsOverHeavyWork && ExecutionRoute(policy.effectiveDescriptor, heavy: .otherService) == .otherService
  }
}

/// The party that delivers a failed attempt again.
public enum RetryOwner: Hashable, Sendable {
  /// The runtime enqueues a task for the next attempt.
  case runtime
  /// The master pass or a worker finds in the store what comes due.
  case pass
  /// The caller of the handler gets a 500 and delivers again.
  case caller
}

private func planFirst(_ input: PlanInput) -> Decision {
  if let attempt = input.delivery.attempt, attempt > 1 {
    return .reject(
      JobError(
        .notFound, "Attempt \(attempt) was requested of a run that does not exist. It was deleted; start a new one.",
        field: "runId"))
  }
  if let start = input.delivery.start?.time(from: input.now), start > input.now {
    if input.settings.retryOwner == .caller { return .reject(.noQueue) }
    var run = newRun(input).waiting(until: start, why: nil, input.settings)
    run.scheduledFor = start
    return .schedule(run)
  }
  let scheduledFor = input.delivery.scheduledFor ?? input.now
  let run = newRun(input)
  if let skip = closedGate(input, scheduledFor: scheduledFor) {
    return held(input, run, by: skip) ?? .skip(skip, cancelled: nil)
  }
  return waiting(input, run) ?? start(input, run)
}

/// The decision to run, or to wait if a limit is reached: no attempt is used up.
private func start(_ input: PlanInput, _ run: Run) -> Decision {
  guard let refusal = input.refusal else {
    return .run(run.claimed(by: input.settings, for: input.job, at: input.now))
  }
  if input.settings.retryOwner == .caller { return .early(until: refusal.retryAt) }
  return .wait(run.waiting(for: refusal, input.settings))
}

private func newRun(_ input: PlanInput) -> Run {
  var run = Run(
    id: input.runID, job: input.job.id, trigger: input.delivery.trigger, input: input.delivery.payload,
    maxAttempts: input.job.policy.retry.maxAttempts, scheduledFor: input.delivery.scheduledFor, notBefore: input.now,
    createdAt: input.now)
  run.correlationID = input.delivery.correlationID
  run.trace = input.delivery.trace
  run.timeout = input.delivery.timeout
  run.limitAttempts(to: input.delivery.maxAttempts, under: input.job.policy)
  run.queue = input.delivery.queue ?? input.job.policy.queue
  run.priority = input.delivery.priority ?? input.job.policy.priority
  run.metadata = input.job.policy.metadata.merging(input.delivery.metadata) { $1 }
  if case .key(let key)? = input.delivery.occurrence { run.uniqueKey = key }
  return run
}

private func planRunning(_ input: PlanInput, _ run: Run) -> Decision {
  guard let lease = run.lease, input.now < lease.expiresAt else {
    if let reason = run.cancellation {
      return .cancel(run.cancelled(because: reason, at: input.now, retention: input.job.policy.retention))
    }
    return planLostAttempt(input, run)
  }
  if let attempt = input.delivery.attempt, attempt < run.attempt { return .duplicate(run) }
  return .busy(until: lease.expiresAt)
}

/// Plans the run of an expired lease: its attempt crashed or hangs, and counts as failed.
private func planLostAttempt(_ input: PlanInput, _ run: Run) -> Decision {
  var run = run
  // They expired with the lease.
  run.permits = []
  run.failures = run.failures.successor
  run.failure = RunFailure(
    kind: RunFailure.leaseLostKind, message: "Attempt \(run.attempt) did not come back before its lease ended.")
  run.maxAttempts = run.attemptLimit(under: input.job.policy.retry)
  if case .dead(let reason) = verdict(on: run, policy: input.job.policy.retry, now: input.now) {
    run.reason = reason
    // The attempt may still be alive; with another token its late result can't bring the ended run back.
    run.fence = run.fence.successor
    return .deadLetter(run.ended(.failed, at: input.now, retention: input.job.policy.retention))
  }
  run = run.keepingAttempt(.lost, run.failure, endedAt: min(input.now, run.lease?.expiresAt ?? input.now))
  if let skip = Gate.enabled.skip(of: input.gateInput(scheduledFor: run.scheduledFor ?? run.createdAt)) {
    // The attempt may still be alive; its late result can't end a run that is held back or cancelled.
    run.fence = run.fence.successor
    if let decision = held(input, run, by: skip) { return decision }
    return .skip(skip, cancelled: cancelled(run, by: skip, input))
  }
  // The attempt may still be alive; its late result can't end a run that waits for a permit or for another run.
  let waits = input.refusal != nil || waiting(input, run, isRepeated: true) != nil
  if waits { run.fence = run.fence.successor }
  return waiting(input, run, isRepeated: true) ?? start(input, run)
}

private func planWaiting(_ input: PlanInput, _ run: Run) -> Decision {
  let isStale = input.delivery.attempt.map { $0 <= run.attempt } ?? false
  if isStale { return .duplicate(run) }
  // An attempt that was cancelled did not end by itself.
  if let reason = run.cancellation {
    return .cancel(run.cancelled(because: reason, at: input.now, retention: input.job.policy.retention))
  }
  if input.now + input.settings.earlyTolerance < run.notBefore { return planEarly(input, run) }
  let scheduledFor = run.scheduledFor ?? run.createdAt
  if run.attempt == 0, let decision = awaiting(input, run) { return decision }
  if run.attempt > 0 {
    if let skip = Gate.enabled.skip(of: input.gateInput(scheduledFor: scheduledFor)) {
      return held(input, run, by: skip) ?? .skip(skip, cancelled: cancelled(run, by: skip, input))
    }
    let breaker = Gate.breaker.skip(of: input.gateInput(scheduledFor: scheduledFor, trigger: run.trigger))
    if let skip = breaker, let decision = held(input, run, by: skip) { return decision }
    if let decision = waiting(input, run, isRepeated: true) { return decision }
  } else if let skip = closedGate(input, scheduledFor: scheduledFor, trigger: run.trigger) {
    // What an operator repeats waits for the run that is under way, and is not dropped.
    if skip.status == .skippedOverlap, run.isRedrive, let decision = waiting(input, run, isRepeated: true) {
      return decision
    }
    return held(input, run, by: skip) ?? .skip(skip, cancelled: cancelled(run, by: skip, input))
  } else if let decision = waiting(input, run) {
    return decision
  }
  return start(input, run)
}

private func planEarly(_ input: PlanInput, _ run: Run) -> Decision {
  // A caller that asks again for scheduled work has its answer; a task that comes early must come again.
  let isRepetition = run.attempt > 0 || input.delivery.start != nil || input.delivery.trigger == .manual
  guard input.delivery.attempt != nil else { return isRepetition ? .duplicate(run) : .early(until: run.notBefore) }
  let isFarAhead = input.now + input.settings.stagingThreshold < run.notBefore
  // Any other owner of the retries keeps the delivery until the run's time.
  guard isFarAhead, input.settings.retryOwner == .runtime else { return .early(until: run.notBefore) }
  return .stage(run.reenqueued(input.settings, now: input.now))
}

extension Delivery {
  /// Whether a later task of the same attempt has replaced the one that was delivered.
  ///
  /// The later task is in the queue, or the sweep enqueues it: it alone delivers the attempt.
  fileprivate func isReplaced(in run: Run) -> Bool {
    guard let attempt, let reenqueues, reenqueues < run.reenqueues else { return false }
    return attempt == (run.status == .running ? run.attempt : run.attempt.successor)
  }
}

private func closedGate(_ input: PlanInput, scheduledFor: Timestamp, trigger: Trigger? = nil) -> Skip? {
  Gate.firstClosed(for: input.gateInput(scheduledFor: scheduledFor, trigger: trigger))
}

/// The decision to wait for a prerequisite, or to cancel the run because one did not succeed.
private func awaiting(_ input: PlanInput, _ run: Run) -> Decision? {
  switch run.prerequisiteVerdict(under: input.prerequisites) {
  case .met: nil
  case .failed(let reason):
    .cancel(run.cancelled(because: reason, at: input.now, retention: input.job.policy.retention))
  case .wait(let prerequisite): .await(run.awaiting(prerequisite, at: input.now), prerequisite)
  }
}

/// The decision to wait, if another run is under way, and the overlap policy queues or the run has begun before: a
/// repeated attempt is not skipped.
private func waiting(_ input: PlanInput, _ run: Run, isRepeated: Bool = false) -> Decision? {
  guard input.job.overlap == .queue || (isRepeated && input.job.overlap == .skip), run.trigger != .manual,
    let skip = Gate.overlapSkip(input.previous, now: input.now)
  else { return nil }
  // Between two runs of a schedule there may be little time.
  let delay = isRepeated ? min(input.settings.overlapDelay, .seconds(5)) : input.settings.overlapDelay
  var waiting = run.waiting(until: input.now + delay, why: skip.reason, input.settings)
  // The attempt is not used up, so its task needs another name than the one that was just delivered.
  waiting.reenqueues = waiting.reenqueues.successor
  return .wait(waiting)
}

/// The decision to hold a run back until the circuit breaker is half-open or the pause may be over, if one of them
/// closed a gate.
///
/// Work that was enqueued is not dropped; occurrences of a schedule are.
private func held(_ input: PlanInput, _ run: Run, by skip: Skip) -> Decision? {
  let isEnqueued = input.run != nil && run.trigger != .pass && run.trigger != .schedule
  guard input.job.kind == .endpoint || isEnqueued else { return nil }
  let until: Timestamp
  switch skip.status {
  case .skippedBreakerOpen: until = input.breakerOpenUntil ?? input.now
  case .skippedPaused: until = input.now + input.settings.pauseDelay
  default: return nil
  }
  if input.settings.retryOwner == .caller { return .early(until: until) }
  var waiting = run.waiting(until: until, why: skip.reason, input.settings)
  // The attempt is not used up, so its task needs another name than the one that was just delivered.
  waiting.reenqueues = waiting.reenqueues.successor
  return .wait(waiting)
}

private func cancelled(_ run: Run, by skip: Skip, _ input: PlanInput) -> Run {
  var run = run
  run.reason = skip.reason
  return run.ended(.cancelled, at: input.now, retention: input.job.policy.retention)
}

extension PlanInput {
  fileprivate func gateInput(scheduledFor: Timestamp, trigger: Trigger? = nil) -> GateInput {
    GateInput(
      job: job, scheduledFor: scheduledFor, trigger: trigger ?? delivery.trigger, dependencies: dependencies,
      previous: previous, breakerOpenUntil: breakerOpenUntil, now: now)
  }
}

extension JobError {
  /// The refusal of work that would need a queue.
  package static let noQueue = JobError(
    .queueUnavailable, "This runtime has no queue. Configure one to enqueue jobs or to delay their start.")
}
