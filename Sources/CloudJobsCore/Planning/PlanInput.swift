/// Spans that the decisions of one runtime share.
public struct PlanSettings: Hashable, Sendable {
  /// The name under which this instance holds leases.
  public var owner: String
  /// How much longer than an attempt's time limit its lease lasts.
  public var leaseMargin = Duration.seconds(15)
  /// How long after its time a run that nobody delivered is looked at by the sweep.
  public var sweepDelay = Duration.seconds(60)
  /// How much before its time a delivery is still taken: the clocks of queue and store differ a little.
  public var earlyTolerance = Duration.seconds(2)
  /// How much before its time a task counts as a stage on the way there, and not as one that the queue should repeat.
  public var stagingThreshold = Duration.minutes(10)
  /// How late a time of a schedule may be served without counting as missed.
  public var misfireGrace = Duration.minutes(5)
  /// What fires the schedules of scheduled jobs.
  public var scheduleOwner = ScheduleOwner.cloudScheduler
  /// How long a run waits before it looks again whether the one before it has ended.
  public var overlapDelay = Duration.seconds(30)

  /// The standard spans.
  ///
  /// - Parameter owner: the name under which this instance holds leases.
  public init(owner: String) {
    self.owner = owner
  }
}

/// All that a decision about a delivery depends on.
public struct PlanInput: Sendable {
  /// What came in.
  public var delivery: Delivery
  /// The run that it asks for.
  public var runID: RunID
  /// The job as it stands.
  public var job: ResolvedJob
  /// The run, where it exists.
  public var run: Run?
  /// The job's latest other run, where overlap matters.
  public var previous: Run?
  /// How the last occasion of each dependency went.
  public var dependencies: [JobID: JobStatus]
  /// The store's time.
  public var now: Timestamp
  /// The runtime's spans.
  public var settings: PlanSettings

  /// An input.
  public init(
    delivery: Delivery, runID: RunID, job: ResolvedJob, run: Run? = nil, previous: Run? = nil,
    dependencies: [JobID: JobStatus] = [:], now: Timestamp, settings: PlanSettings
  ) {
    self.delivery = delivery
    self.runID = runID
    self.job = job
    self.run = run
    self.previous = previous
    self.dependencies = dependencies
    self.now = now
    self.settings = settings
  }
}
