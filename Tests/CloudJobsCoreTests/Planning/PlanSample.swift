import CloudJobsCore

/// Values from which the planning tests are made.
enum PlanSample {
  static let now = time("2026-11-21T10:00:00Z")
  static let settings = PlanSettings(owner: "instance")
  /// Digests take their time in debug builds, so that these are made once.
  static let runIDs: [JobID: RunID] = [
    "job": RunID(job: "job", occurrence: .key("one")), "other": RunID(job: "other", occurrence: .key("one")),
  ]
  static let microsecond = Duration.microseconds(1)

  static func time(_ text: String) -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else { preconditionFailure("\(text) is no time.") }
    return time
  }

  static func day(_ text: String) -> CivilDate {
    guard let day = CivilDate(text) else { preconditionFailure("\(text) is no day.") }
    return day
  }

  static func job(
    _ kind: JobKind = .endpoint, cron: String? = nil, every: Duration? = nil, in zone: String = "UTC",
    configuration: JobConfiguration? = nil, _ change: (inout JobPolicy) -> Void = { _ in }
  ) -> ResolvedJob {
    var definition = JobDefinition(id: "job", kind: kind, timeZone: zone)
    definition.schedule = cron.map { .text($0) } ?? every.map { .every($0) }
    if kind == .periodic, definition.schedule == nil { definition.schedule = .text("*/5 * * * *") }
    change(&definition.policy)
    do {
      return try ResolvedJob(definition, configuration: configuration, zones: .system)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  static func run(
    _ status: RunStatus, attempt: Int = 1, failures: Int = 0, notBefore: Duration = .zero, leaseEnds: Duration? = nil,
    job: JobID = "job", _ change: (inout Run) -> Void = { _ in }
  ) -> Run {
    var run = Run(
      id: runIDs[job] ?? RunID(job: job, occurrence: .key("one")), job: job, trigger: .task, status: status,
      maxAttempts: 3,
      notBefore: now + notBefore, createdAt: now - .minutes(10))
    run.attempt = attempt
    run.failures = failures
    run.fence = Int64(attempt)
    run.startedAt = attempt > 0 ? now - .minutes(9) : nil
    if status == .running {
      let end = now + (leaseEnds ?? .minutes(1))
      run.lease = Lease(owner: "other", token: run.fence, expiresAt: end)
      run.wakeAt = end
    } else if !status.isTerminal {
      run.wakeAt = run.notBefore + .seconds(60)
    }
    change(&run)
    return run
  }

  static func input(
    _ job: ResolvedJob = job(), run: Run? = nil, attempt: Int? = nil, trigger: Trigger = .task, previous: Run? = nil,
    scheduledFor: Timestamp? = nil, dependencies: [JobID: JobStatus] = [:], now: Timestamp = now,
    reenqueues: Int? = nil
  ) -> PlanInput {
    var delivery = Delivery(job: job.id, trigger: trigger, attempt: attempt, scheduledFor: scheduledFor)
    delivery.occurrence = .key("one")
    delivery.reenqueues = reenqueues
    return PlanInput(
      delivery: delivery, runID: runIDs[job.id] ?? RunID(job: job.id, occurrence: .key("one")), job: job, run: run,
      previous: previous,
      dependencies: dependencies, now: now, settings: settings)
  }

  static func pass(
    _ job: ResolvedJob, nextRun: Timestamp?, plannedFor: String? = nil, epoch: Int64? = nil, previous: Run? = nil,
    dependencies: [JobID: JobStatus] = [:], now: Timestamp = now
  ) -> PassInput {
    var state = JobState()
    state.nextRun = nextRun
    state.plannedFor = plannedFor ?? job.planKey
    state.epoch = epoch
    return PassInput(
      job: job, state: state, previous: previous, dependencies: dependencies, now: now, settings: settings)
  }

  /// A decision in few words, for tables.
  static func words(_ decision: Decision) -> String {
    switch decision {
    case .run(let run): "run \(run.attempt)"
    case .skip(let skip, let cancelled): skip.status.rawValue + (cancelled == nil ? "" : ", cancelled")
    case .wait: "wait"
    case .await: "await"
    case .cancel: "cancel"
    case .schedule: "schedule"
    case .duplicate: "duplicate"
    case .early: "early"
    case .stage(let run): "stage \(run.reenqueues)"
    case .busy: "busy"
    case .deadLetter: "dead letter"
    case .reject(let error): "reject \(error.code)"
    }
  }
}
