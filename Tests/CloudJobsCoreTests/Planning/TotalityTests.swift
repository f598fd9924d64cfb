import CloudJobsCore
import TestSupport
import Testing

/// Inputs of any shape, drawn by chance, also such as no healthy system would have.
struct PlanInputSource {
  var random: SeededGenerator

  mutating func pick<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &random)]
  }

  mutating func count() -> Int { pick([0, 1, 2, 3, 7, .max, .max - 1]) }

  mutating func time() -> Timestamp {
    let near = PlanSample.now + .microseconds(Int64.random(in: -9_000_000_000...9_000_000_000, using: &random))
    return pick([near, near, PlanSample.now, PlanSample.now + .seconds(2), .distantPast, .distantFuture, .epoch])
  }

  mutating func moment() -> CalendarMoment? {
    pick([nil, nil, nil, .instant(time()), .day(PlanSample.day("2026-11-21")), .day(PlanSample.day("9999-12-31"))])
  }

  mutating func span() -> Duration {
    pick([.zero, .seconds(-1), .seconds(30), .minutes(5), .hours(99_999), .seconds(Int64.max)])
  }

  mutating func policy(_ policy: inout JobPolicy) {
    policy.enabled = pick([true, true, true, false])
    (policy.startAt, policy.endAt) = (moment(), moment())
    policy.skipDates = [moment(), moment()].compactMap { $0 }
    policy.dependencies = pick([[], [], ["a"], ["a", "b"]])
    policy.retry.maxAttempts = pick([1, 3, 0, -1, .max, .min])
    policy.retry.minimumDuration = span()
    policy.timeout = span()
    policy.misfire = pick([.skip, .once, .catchUp(3), .catchUp(count() == 7 ? .max : .min)])
    policy.overlap = pick([nil, .skip, .queue, .allow])
    policy.paused = pick([false, false, false, true])
    policy.retention = Retention(succeeded: span(), failed: span(), cancelled: span())
    policy.retry.retried = pick([.all, .only(["a"]), .except(["a"])])
  }

  static let other = RunID(job: "job", occurrence: .key("another"))

  mutating func run() -> Run {
    var run = PlanSample.run(pick(RunStatus.allCases), job: pick(["job", "job", "job", "job", "other"]))
    (run.attempt, run.failures, run.reenqueues) = (count(), count(), count())
    run.fence = pick([0, 1, 5, .max])
    run.maxAttempts = count()
    (run.notBefore, run.createdAt) = (time(), time())
    run.startedAt = pick([nil, time()])
    run.attemptStartedAt = pick([nil, time()])
    run.earlierAttempts = pick([[], [], [RunAttempt(number: run.attempt == 0 ? 1 : run.attempt, startedAt: time())]])
    run.wakeAt = pick([nil, time()])
    run.scheduledFor = pick([nil, time()])
    run.timeout = pick([nil, nil, span()])
    run.cancellation = pick([nil, nil, nil, "Enough."])
    run.amendments = pick([0, 1, .max])
    run.prerequisites = pick([[], [], [run.id], [Self.other, run.id]])
    run.failedPrerequisite = pick(FailedPrerequisitePolicy.allCases)
    run.awaiting = pick([nil, nil, Self.other])
    run.lease = pick([nil, Lease(owner: "other", token: run.fence, expiresAt: time())])
    return run
  }

  /// Jobs and runs to pick from: making each anew would take most of the time.
  mutating func pools(of jobs: [ResolvedJob]) -> (jobs: [ResolvedJob], runs: [Run?], times: [Timestamp]) {
    let jobs = (0..<600).map { number in
      var job = jobs[number % jobs.count]
      policy(&job.policy)
      return job
    }
    return (jobs, (0..<3_000).map { $0 % 3 == 0 ? nil : run() }, (0..<3_000).map { _ in time() })
  }

  mutating func statuses() -> [JobID: JobStatus] {
    pick([[:], ["a": .success], ["a": .success, "b": .failure], ["a": .success, "b": .success]])
  }
}

@Suite("Totality of planning")
struct TotalityTests {
  private static let jobs = [
    PlanSample.job(.endpoint), PlanSample.job(.scheduled, cron: "@hourly", in: "America/New_York"),
    PlanSample.job(.periodic, cron: "*/7 3-9 * * 1-5", in: "Pacific/Auckland"),
    PlanSample.job(.periodic, every: .hours(6)), PlanSample.job(.periodic, cron: "at 2026-11-21T10:00:00Z"),
  ]

  @Test("50,000 deliveries of any shape never trap and keep the invariants")
  func deliveries() {
    var source = PlanInputSource(random: SeededGenerator(seed: 50))
    let pools = source.pools(of: Self.jobs)
    let attempts: [Int?] = [nil, 1, 2, 3, .max]
    for number in 0..<50_000 {
      var input = PlanSample.input(
        source.pick(pools.jobs), run: source.pick(pools.runs), attempt: source.pick(attempts),
        trigger: source.pick(Trigger.allCases), previous: source.pick(pools.runs),
        scheduledFor: source.pick([nil, source.pick(pools.times)]), dependencies: source.statuses(),
        now: source.pick(pools.times))
      input.prerequisites = source.pick([
        [:], [PlanInputSource.other: .running], [PlanInputSource.other: .failed],
        [PlanInputSource.other: .succeeded, input.runID: .succeeded],
      ])
      let fault = Self.fault(of: plan(input), input)
      if let fault {
        Issue.record("Input \(number): \(fault).")
        return
      }
    }
  }

  /// Which invariant a decision breaks.
  private static func fault(of decision: Decision, _ input: PlanInput) -> String? {
    let run = input.run
    if let run, run.job == input.job.id, run.status.isTerminal, decision != .duplicate(run) {
      return "an ended run is touched"
    }
    let isHeld = run?.status == .running && run?.lease.map { input.now < $0.expiresAt } == true
    switch decision {
    case .run(let next):
      if isHeld { return "a live lease is taken" }
      if next.attempt <= run?.attempt ?? 0, run?.attempt != .max { return "the attempt does not grow" }
      if next.fence <= run?.fence ?? 0, run?.fence != .max { return "the fence does not grow" }
      if next.status != .running || next.lease?.token != next.fence || next.wakeAt != next.lease?.expiresAt {
        return "no lease is held"
      }
      if !input.job.policy.isActive { return "a disabled job runs" }
    case .skip(let skip, let cancelled):
      if isHeld { return "a live attempt is cancelled" }
      if !skip.status.rawValue.hasPrefix("skipped") || skip.reason.isEmpty { return "no gate is named" }
      if let cancelled, cancelled.status != .cancelled || cancelled.wakeAt != nil { return "it is not ended" }
      if input.delivery.trigger == .manual, run == nil, ![.skippedDisabled, .skippedPaused].contains(skip.status) {
        return "a gate holds up a manual trigger"
      }
    case .wait(let next):
      if next.status != .scheduled || next.wakeAt == nil || next.lease != nil || isHeld { return "it does not wait" }
      if next.attempt != run?.attempt ?? 0 { return "waiting uses up an attempt" }
    case .await(let next, let prerequisite):
      if next.status != .scheduled || next.lease != nil || isHeld { return "it does not wait" }
      if next.awaiting != prerequisite || run?.attempt != 0 { return "it waits for no prerequisite" }
    case .cancel(let next):
      if isHeld || next.status != .cancelled || next.wakeAt != nil { return "it is not ended" }
      if next.reason == nil { return "no reason is given" }
    case .schedule(let next):
      if next.status != .scheduled || next.notBefore <= input.now || run != nil { return "nothing is put off" }
    case .deadLetter(let next):
      if isHeld || next.status != .failed || next.wakeAt != nil { return "it is not ended" }
      if next.failures < input.job.policy.retry.maxAttempts { return "it is given up too soon" }
    case .busy: if !isHeld { return "nobody holds the lease" }
    case .early(let time): if time <= input.now + input.settings.earlyTolerance { return "it is not early" }
    case .stage(let next):
      if next.notBefore <= input.now + input.settings.stagingThreshold { return "it is no stage" }
      if isHeld || next.attempt != run?.attempt || next.fence != run?.fence { return "a stage uses up an attempt" }
      if next.nextTaskName == run?.nextTaskName, run?.reenqueues != .max { return "a stage has no name of its own" }
    case .duplicate(let next): if next != run { return "a repetition changes the run" }
    case .reject: if run?.job == input.job.id { return "a fitting run is refused" }
    }
    return nil
  }

  @Test("50,000 due jobs of any shape never trap and keep the invariants")
  func passes() {
    var source = PlanInputSource(random: SeededGenerator(seed: 51))
    let pools = source.pools(of: Self.jobs)
    for number in 0..<50_000 {
      let job = source.pick(pools.jobs)
      let now = source.pick(pools.times)
      let input = PlanSample.pass(
        job, nextRun: source.pick([nil, now, now - .minutes(7), source.pick(pools.times)]),
        plannedFor: source.pick([nil, nil, "another"]), epoch: source.pick([nil, 0, .max]),
        previous: source.pick(pools.runs), dependencies: source.statuses(), now: now)
      let plan = planPass(input)
      let next = plan.patch.fields["nextRun"]?.string.flatMap { Timestamp(rfc3339: $0) }
      var isSound = plan.run == nil || plan.skip == nil
      isSound = isSound && (plan.run == nil || job.policy.enabled && plan.run?.wakeAt != nil)
      isSound = isSound && (plan.run?.scheduledFor.map { $0 <= now } ?? true)
      isSound = isSound && (plan.run == nil || next.map { $0 > plan.scheduledFor ?? .distantPast } ?? true)
      isSound = isSound && plan.isStillDue == (plan.waitsForRun != nil || next.map { $0 <= now } ?? false)
      let isIdle = plan.run == nil && plan.skip == nil && plan.patch == JobStatePatch()
      isSound = isSound && (plan.waitsForRun == nil || isIdle)
      isSound = isSound && (plan.skip == nil || plan.patch.fields["status"]?.string?.hasPrefix("skipped") == true)
      _ = reconcile(job, state: input.state, now: now)
      if !isSound {
        Issue.record("Input \(number) breaks an invariant.")
        return
      }
    }
  }

  @Test("50,000 outcomes of any shape never trap; a run has a time to wake exactly while it is under way")
  func outcomes() {
    var source = PlanInputSource(random: SeededGenerator(seed: 52))
    let pools = source.pools(of: Self.jobs)
    let failure = RunFailure(kind: "a", message: "b")
    for number in 0..<75_000 {
      let policy = source.pick(pools.jobs).policy
      guard let run = source.pick(pools.runs) else { continue }
      let outcome: Outcome = source.pick([
        .succeeded(output: nil), .snoozed(source.span()), .cancelled(reason: "c"),
        .failed(failure, isPermanent: source.pick([true, false]), retryAfter: source.pick([nil, source.span()])),
      ])
      let now = source.pick(pools.times)
      let conclusion = conclude(outcome, run: run, policy: policy.retry, now: now, random: &source.random)
      let ended = run.concluded(conclusion, policy: policy, settings: PlanSample.settings, at: now)
      let isSound =
        (ended.wakeAt == nil) == ended.status.isTerminal && ended.lease == nil && ended.status != .running
        && ended.attempt == run.attempt && ended.fence == run.fence && ended.failures >= run.failures
        && (ended.status == .scheduled || ended.finishedAt == now)
      if !isSound {
        Issue.record("Input \(number) breaks an invariant.")
        return
      }
    }
  }
}
