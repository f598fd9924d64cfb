/// Everything that a forecast depends on.
public struct ForecastInput: Sendable {
  /// The jobs.
  public var jobs: [ForecastJob]
  /// The deployment that executes them.
  public var deployment: ForecastDeployment
  /// The beginning of the forecast; times from it on and before its end count.
  public var start: Timestamp
  /// The length of the forecast, at least an hour.
  public var span: Duration
  /// The prices.
  public var prices: PriceTable

  /// The length of a month, for which free tiers and prices a month are meant.
  public static let month = Duration.days(30)
  /// The longest forecast.
  public static let longest = Duration.days(366)

  /// Creates an input.
  ///
  /// - Parameters:
  ///   - jobs: the jobs.
  ///   - deployment: the deployment that executes them.
  ///   - start: the beginning of the forecast.
  ///   - span: the length of the forecast, clamped to an hour to ``longest``.
  ///   - prices: the prices.
  public init(
    jobs: [ForecastJob], deployment: ForecastDeployment = ForecastDeployment(), start: Timestamp,
    span: Duration = Self.month, prices: PriceTable = .standard
  ) {
    self.jobs = jobs
    self.deployment = deployment
    self.start = start
    self.span = min(max(span, .hours(1)), Self.longest)
    self.prices = prices
  }
}

extension ForecastInput {
  /// The number of due times that a forecast walks through, estimated by the next ten of each job.
  package var estimatedTimes: Double {
    jobs.reduce(0) { sum, job in
      guard job.job.policy.isActive, job.job.kind != .endpoint, let schedule = job.job.schedule else { return sum }
      var (time, count) = (start, 0.0)
      while count < 10, let next = schedule.next(after: time), next < start + span { (time, count) = (next, count + 1) }
      let share = Double((time - start).microseconds)
      return sum + (share > 0 ? count * Double(span.microseconds) / share : 0)
    }
  }
}

/// A job of a forecast.
public struct ForecastJob: Sendable {
  /// The job: its definition under its document.
  public var job: ResolvedJob
  /// The state that its document has at the beginning.
  public var state: JobState
  /// What a run of the job is like.
  public var profile: RunProfile
  /// The number of runs a day that are enqueued, besides those of a schedule.
  public var enqueuedPerDay: Double
  /// Notes for the reader, such as a schedule that is not known.
  public var notes: [String] = []

  /// Creates a job.
  ///
  /// - Parameters:
  ///   - job: the job: its definition under its document.
  ///   - state: the state that its document has at the beginning.
  ///   - profile: what a run of the job is like.
  ///   - enqueuedPerDay: the number of runs a day that are enqueued.
  public init(
    _ job: ResolvedJob, state: JobState = JobState(), profile: RunProfile = RunProfile(), enqueuedPerDay: Double = 0
  ) {
    self.job = job
    self.state = state
    self.profile = profile
    self.enqueuedPerDay = max(0, enqueuedPerDay)
  }

  /// Gives the job another interval.
  ///
  /// - Parameter interval: the interval.
  /// - Throws: ``JobError`` `invalidSchedule` if the job has no schedule, or if the interval is out of range.
  public mutating func setInterval(_ interval: Duration) throws(JobError) {
    job = try job.scheduled(every: interval)
  }

  /// Makes each enqueued run do the work of several: there are fewer runs, each of which takes longer.
  ///
  /// - Parameter count: the number of present runs that one run replaces, at least 1.
  public mutating func batch(_ count: Int) {
    let count = max(1, count)
    enqueuedPerDay /= Double(count)
    profile.duration = .microseconds(profile.duration.microseconds.saturatingMultiplication(by: Int64(count)))
    profile.pollsPerAttempt = nil
  }
}

extension ForecastInput {
  /// Returns the input with a job changed, to see what the change would cost.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - change: changes the job.
  /// - Returns: the input.
  /// - Throws: ``JobError`` `unknownJob`, or the error of the change.
  public func changing(
    _ id: JobID, _ change: (inout ForecastJob) throws(JobError) -> Void
  ) throws(JobError) -> ForecastInput {
    guard let index = jobs.firstIndex(where: { $0.job.id == id }) else {
      throw JobError(.unknownJob, "There is no job \(id). List those that the store has.", field: "jobId")
    }
    var input = self
    try change(&input.jobs[index])
    return input
  }
}

/// What a run of a job is like, measured or assumed.
public struct RunProfile: Hashable, Sendable {
  /// The mean duration of an attempt.
  public var duration: Duration
  /// The mean number of attempts of a run after its first.
  public var retriesPerRun: Double
  /// The part of the runs that fail for good, from 0 to 1.
  public var failedShare: Double
  /// The mean number of log entries that an attempt writes to the store.
  public var logEntriesPerAttempt: Double
  /// The mean number of times that an attempt asks for a request to cancel it; nil derives it from ``duration``.
  public var pollsPerAttempt: Double?
  /// The number of runs from which the profile was measured; 0 if it is assumed.
  public var measuredRuns = 0

  /// Creates a profile; numbers out of range are clamped.
  ///
  /// - Parameters:
  ///   - duration: the mean duration of an attempt.
  ///   - retriesPerRun: the mean number of attempts of a run after its first.
  ///   - failedShare: the part of the runs that fail for good.
  ///   - logEntriesPerAttempt: the mean number of log entries of an attempt.
  public init(
    duration: Duration = .seconds(1), retriesPerRun: Double = 0, failedShare: Double = 0,
    logEntriesPerAttempt: Double = 0
  ) {
    self.duration = max(.zero, duration)
    self.retriesPerRun = max(0, retriesPerRun)
    self.failedShare = min(max(0, failedShare), 1)
    self.logEntriesPerAttempt = max(0, logEntriesPerAttempt)
  }

  /// Measures a profile from recorded runs; nil if none has ended after an attempt.
  ///
  /// A run's record has the time from its first attempt's start to its end, so that durations come from runs of one
  /// attempt.
  ///
  /// - Parameters:
  ///   - runs: the runs, of which those that have ended count.
  ///   - lastDuration: the duration of the latest attempt by the job's state, if no run tells one.
  ///   - poll: the interval at which an attempt asks for a request to cancel it.
  public init?(measuring runs: [Run], lastDuration: Duration?, poll: Duration) {
    let ended = runs.filter { $0.status.isTerminal && $0.attempt > 0 }
    if ended.isEmpty { return nil }
    let durations = ended.filter { $0.attempt == 1 }.compactMap { run in
      run.startedAt.flatMap { start in run.finishedAt.map { max(.zero, $0 - start) } }
    }
    let total = durations.reduce(Duration.zero, +)
    let count = Double(ended.count)
    self.init(
      duration: durations.isEmpty ? lastDuration ?? .seconds(1) : total / durations.count,
      retriesPerRun: Double(ended.reduce(0) { $0 + $1.attempt - 1 }) / count,
      failedShare: Double(ended.count { $0.status == .failed }) / count)
    if !durations.isEmpty {
      let polls = durations.reduce(Int64(0)) { $0 + Self.polls(during: $1, every: poll) }
      pollsPerAttempt = Double(polls) / Double(durations.count)
    }
    measuredRuns = ended.count
  }

  /// Returns the number of times that an attempt of a duration asks for a request to cancel it.
  static func polls(during duration: Duration, every interval: Duration) -> Int64 {
    let step = max(1, interval.microseconds)
    return max(0, duration.microseconds - 1) / step
  }
}

/// The deployment that executes the jobs of a forecast.
public struct ForecastDeployment: Hashable, Sendable {
  /// The components that trigger and execute runs.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A service that scales to zero: Cloud Scheduler triggers it, Cloud Tasks delivers enqueued runs and retries.
    case cloudTasks
    /// A service that scales to zero, with a master pass as its only trigger: the store is the queue.
    case masterPass
    /// Workers that always run: the store is the queue.
    case worker
  }

  /// The components that trigger and execute runs.
  public var kind: Kind
  /// The party that fires the schedules of scheduled jobs.
  public var scheduleOwner: ScheduleOwner
  /// Whether the store is billed by its reads, writes and deletes, as Firestore is.
  public var isStoreBilled = true
  /// The processors of an instance.
  public var vCPUs = 1.0
  /// The memory of an instance, in GiB.
  public var memoryGiB = 0.5
  /// The time that a request takes besides the attempts that it executes.
  public var requestOverhead = Duration.milliseconds(50)
  /// The number of times a day that an instance starts, each of which reads all documents.
  public var instanceStartsPerDay = 0.0
  /// The time for which the jobs have run before the forecast, by which records expire in it; nil for longer than any
  /// retention.
  public var age: Duration?

  /// The interval of master passes.
  public var passInterval = Duration.minutes(1)
  /// The time for which one master pass may begin new work.
  public var passBudget = Duration.seconds(120)
  /// The maximum number of jobs that a master pass executes at once.
  public var passConcurrency = 8
  /// The interval of housekeeping.
  public var housekeeping = Duration.minutes(5)
  /// The interval at which an attempt asks the store for a request to cancel it.
  public var cancellationPoll = Duration.seconds(5)
  /// The lateness up to which a scheduled time counts as met.
  public var misfireGrace = Duration.minutes(5)
  /// The time by which a lease outlasts the attempt's time limit.
  public var leaseMargin = Duration.seconds(15)
  /// The retention of entries in the pass journal.
  public var journalRetention = Duration.days(30)
  /// The retention of a run's log.
  public var logRetention = Duration.days(7)
  /// The workers of the deployment, if it has any.
  public var workers = ForecastWorkers()

  /// Creates a deployment with the default options of a runtime.
  ///
  /// - Parameter kind: the components that trigger and execute runs.
  public init(_ kind: Kind = .cloudTasks) {
    self.kind = kind
    scheduleOwner = kind == .cloudTasks ? .cloudScheduler : .masterPass
  }

  /// The settings of the runtime's decisions in the deployment.
  var settings: PlanSettings {
    var settings = PlanSettings(
      owner: "forecast", retryOwner: kind == .cloudTasks ? .runtime : .pass, scheduleOwner: scheduleOwner)
    settings.leaseMargin = leaseMargin
    settings.misfireGrace = misfireGrace
    return settings
  }
}

/// The workers of a deployment.
public struct ForecastWorkers: Hashable, Sendable {
  /// The number of workers.
  public var count = 1
  /// The number of queries of one poll of the store.
  public var queriesPerPoll = 2
  /// The time between two polls of the store.
  public var pollInterval = Duration.seconds(1)
  /// The interval at which edited documents are applied.
  public var reconcileInterval = Duration.seconds(10)
  /// The interval of heartbeats; nil for none.
  public var heartbeat: Duration? = .seconds(15)

  /// Creates one worker with the default options.
  public init() {}
}
