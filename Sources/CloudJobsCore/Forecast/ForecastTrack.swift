/// A job on the walk of a forecast: its state as far as decisions depend on it.
struct ForecastTrack {
  let job: ResolvedJob
  let profile: RunProfile
  let enqueuedPerDay: Double
  /// The schedule as Cloud Scheduler evaluates it; nil if it does not fire the job.
  let schedulerSchedule: Schedule?
  /// Whether Cloud Scheduler has a job for it.
  let isInScheduler: Bool
  let limits: [JobLimit]
  /// The ledgers of the limits whose permits an attempt gives back.
  let concurrencyLimits: [LedgerID]
  /// The duration of an attempt, which its time limit bounds.
  let attemptSpan: Duration
  /// The time at which a pass looks at the job next; nil for none.
  var dueAt: Timestamp?
  /// The state of the document.
  var state: JobState
  /// Whether the job has had a run.
  var hasRun: Bool
  /// The time of the delivery by Cloud Scheduler that is under way.
  var firedAt: Timestamp?
  /// The time that the latest run is for.
  var scheduledFor: Timestamp?
  private var run: Run
  private var failures = 0.0
  private var losses = 0.0

  init(_ input: ForecastJob, at start: Timestamp, _ settings: PlanSettings) {
    job = input.job
    profile = input.profile
    enqueuedPerDay = input.enqueuedPerDay
    limits = job.limits
    concurrencyLimits = limits.filter { $0.maxConcurrent != nil }.map(\.ledger)
    attemptSpan = min(profile.duration, job.policy.timeout)
    state = input.state
    // The walk plans by the schedule as it is now.
    (state.plannedFor, state.breakerOpenUntil) = (nil, nil)
    hasRun = input.state.lastRunID != nil
    run = Run(
      id: RunID(job: job.id, occurrence: .key("forecast")), job: job.id, trigger: .pass, status: .succeeded,
      maxAttempts: job.policy.retry.maxAttempts, notBefore: start, createdAt: start)
    if case .cloudScheduler(let entry) = job.route(under: settings.scheduleOwner) {
      isInScheduler = true
      // An interval in English begins with the creation of the scheduler's job.
      let created = Timestamp(seconds: start.seconds)
      schedulerSchedule = try? Schedule.unixCron(entry.schedule, in: job.zone, anchor: created)
    } else {
      (isInScheduler, schedulerSchedule) = (false, nil)
    }
  }

  /// The order in which a pass serves jobs.
  var order: (Int, Timestamp, String) { (-job.policy.priority, state.nextRun ?? .distantPast, job.id.rawValue) }

  /// The latest run, if the job's decisions depend on it.
  var latest: Run? { hasRun && job.overlap != .allow ? run : nil }

  /// Returns the next time at which Cloud Scheduler fires the job.
  func nextFire(after time: Timestamp) -> Timestamp? { schedulerSchedule?.next(after: time) }

  /// Returns the next run's first attempt; failures are spread evenly over the runs.
  mutating func nextRun() -> ForecastWalk.Attempt {
    failures += min(profile.retriesPerRun, Double(max(0, job.policy.retry.maxAttempts - 1)))
    losses += profile.failedShare
    // Sums of fractions such as 0.1 stay a little below whole numbers.
    let count = Int(failures + 1e-9)
    let isLost = losses >= 1 - 1e-9
    failures -= Double(count)
    if isLost { losses -= 1 }
    return ForecastWalk.Attempt(failuresLeft: count, isLost: isLost)
  }

  /// Notes that an attempt begins.
  mutating func claimed(_ attempt: ForecastWalk.Attempt, at time: Timestamp, _ settings: PlanSettings) {
    hasRun = true
    run.status = .running
    run.wakeAt = time + job.policy.timeout + settings.leaseMargin
    if attempt.number == 1 {
      run.createdAt = time
      run.scheduledFor = scheduledFor
    }
  }

  /// Notes that the latest run waits for its next attempt.
  mutating func waits(until wakeAt: Timestamp) {
    hasRun = true
    run.status = .scheduled
    run.wakeAt = wakeAt
  }

  /// Notes that the latest run has ended.
  mutating func ended() {
    run.status = .succeeded
    run.wakeAt = nil
  }
}
