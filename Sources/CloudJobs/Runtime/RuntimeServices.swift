import CloudJobsCore
import Logging
import Synchronization

/// The shared parts of one runtime: each component takes from here what it needs.
final class RuntimeServices: Sendable {
  let store: any JobStore
  let queue: any TaskQueue
  let options: RuntimeOptions
  private let unboundedSettings: PlanSettings
  let events: JobEvents
  let metrics: RuntimeMetrics
  let health: HealthMonitor
  let client: StoreClient
  let payloads: StoredPayloads
  let redaction: RedactionRule?
  let active: ActiveAttempts
  let deadlines: Deadlines
  let watchdog: Watchdog
  let lanes: ExecutionLanes
  let memory: MemoryGuard
  let wakeUp: WakeUps
  let documentLog: DocumentLog
  let journalNumbers: JournalNumbers
  /// The time of the steady clock at which attempts must end, because the request ends in which they execute; nil if
  /// there is none.
  let attemptEnd: Timestamp?
  private let jobs: InstanceJobs

  /// The jobs of this instance.
  var registry: JobRegistry { jobs.registry.withLock { $0 } }

  /// The clock of times that are told, such as those of events.
  var clock: any JobClock { options.clock }
  /// The clock of spans: of time limits, intervals and delays.
  let steadyClock: any JobClock
  var logger: Logger { options.logger }

  init(_ registry: JobRegistry, _ store: any JobStore, _ queue: any TaskQueue, _ options: RuntimeOptions) {
    jobs = InstanceJobs(registry.withDefaults(options.defaults))
    active = ActiveAttempts()
    wakeUp = WakeUps()
    documentLog = DocumentLog()
    journalNumbers = JournalNumbers()
    attemptEnd = nil
    self.store = store
    self.queue = queue
    self.options = options
    unboundedSettings = options.planSettings(retryOwner: queue.retryOwner)
    payloads = StoredPayloads(codec: options.payloadCodec)
    redaction = RedactionRule(options)
    metrics = RuntimeMetrics()
    events = JobEvents(logger: options.logger, metrics: metrics)
    health = HealthMonitor(
      HealthState(
        startedAt: options.clock.now(), expectations: HealthExpectations(queue.retryOwner, options, hasWorker: false)),
      logger: options.logger)
    steadyClock = options.clock is SystemClock ? SteadyClock() : options.clock
    deadlines = Deadlines(clock: steadyClock, executor: options.executor)
    watchdog = Watchdog(options)
    lanes = ExecutionLanes(options)
    let isLive = options.clock is SystemClock
    memory = MemoryGuard(options, read: options.memoryReading ?? { isLive ? MemoryReading.system($0) : nil })
    client = StoreClient(
      store: store, clock: options.clock, steadyClock: steadyClock, random: options.random, retry: options.storeRetry,
      health: health, metrics: metrics)
  }

  private init(_ other: RuntimeServices, attemptEnd: Timestamp?, _ settings: PlanSettings) {
    self.attemptEnd = attemptEnd
    unboundedSettings = settings
    (store, queue, options, jobs) = (other.store, other.queue, other.options, other.jobs)
    steadyClock = other.steadyClock
    (events, health, client, payloads) = (other.events, other.health, other.client, other.payloads)
    metrics = other.metrics
    (redaction, active, deadlines, watchdog) = (other.redaction, other.active, other.deadlines, other.watchdog)
    (lanes, memory, wakeUp, documentLog) = (other.lanes, other.memory, other.wakeUp, other.documentLog)
    journalNumbers = other.journalNumbers
  }

  /// Returns the same instance for attempts that execute within a request.
  ///
  /// - Parameter end: the time of the steady clock at which they must end. No lease outlasts it by more than the margin
  ///   of leases.
  /// - Returns: services that share all their parts with these.
  func bounded(by end: Timestamp) -> RuntimeServices {
    RuntimeServices(self, attemptEnd: end, unboundedSettings)
  }

  /// Returns the same instance for schedules whose runs other processes execute.
  func withoutExecution() -> RuntimeServices {
    var settings = unboundedSettings
    settings.executesRuns = false
    return RuntimeServices(self, attemptEnd: attemptEnd, settings)
  }

  /// The settings of decisions that are made now.
  var settings: PlanSettings {
    guard let attemptEnd else { return unboundedSettings }
    var settings = unboundedSettings
    settings.leaseLimit = max(.zero, attemptEnd - steadyClock.now()) + settings.leaseMargin
    return settings
  }

  /// Whether attempts may begin at this time.
  var mayBeginAttempts: Bool { !active.isDraining && (attemptEnd.map { steadyClock.now() < $0 } ?? true) }

  /// Admits a delivery or a due job, unless the memory is almost used up, the instance drains or the limit is reached.
  func admit(limit: Int) -> ActiveAttempts.Admission {
    switch memory.verdict() {
    case .admit: break
    case .refuse: return .memoryExhausted
    case .drain: active.startDraining()
    }
    return active.enter(limit: limit)
  }

  /// Admits a delivery; otherwise returns the refusal.
  func admitDelivery() -> JobError? {
    switch admit(limit: options.maxConcurrentDeliveries) {
    case .memoryExhausted: .memoryExhausted
    case .draining: .shuttingDown
    case .full:
      JobError(.overloaded, "This instance processes as many deliveries as it may. Deliver again later.")
    case .admitted: nil
    }
  }

  /// Returns the effective job under a document's configuration; parsed once for each edit of the document.
  func resolve(_ definition: JobDefinition, _ configuration: JobConfiguration?) throws(JobError) -> ResolvedJob {
    if let known = jobs.resolved.withLock({ $0[definition.id] }), known.configuration == configuration {
      return known.job
    }
    let job = try ResolvedJob(definition, configuration: configuration, zones: registry.zones)
    jobs.resolved.withLock { $0[definition.id] = (configuration, job) }
    return job
  }

  /// Removes a job from this instance.
  func unregister(_ job: JobID) {
    jobs.registry.withLock { $0.remove(job) }
  }

  /// Returns the limits whose ledgers are read ahead of a claim: those of the job's document as last seen, or of its
  /// definition; none where the store is on the same machine, as it refuses a claim as cheaply.
  func expectedLimits(of definition: JobDefinition) -> [JobLimit] {
    if store is any DueTimeStore { return [] }
    return jobs.resolved.withLock { $0[definition.id] }?.job.limits ?? definition.policy.limits(of: definition.id)
  }

  /// Returns the queue that delivers a job's runs: its own, or that of the service for heavy work.
  func queue(for job: JobID) -> any TaskQueue {
    options.heavy.otherQueue.flatMap { isHandedOver(job) ? $0 : nil } ?? queue
  }

  /// Returns whether the attempts of a job execute in another service.
  func isHandedOver(_ job: JobID) -> Bool {
    let policy = jobs.resolved.withLock { $0[job]?.job.policy } ?? registry.jobs[job]?.definition.policy
    return policy.map { lanes.route(of: $0) == .otherService } ?? false
  }

  /// Emits an event about a run, at the current time.
  func emit(_ name: JobEvent.Name, _ run: Run) {
    events.emit(JobEvent(name, job: run.job, run: run, time: clock.now()))
  }

  /// Emits an event about a run that has ended, and the one that reports every end.
  func emitEnd(_ name: JobEvent.Name, _ run: Run) {
    emit(name, run)
    emit(.completed, run)
  }

  /// Whether the documents have been reconciled since the start.
  var isPrepared: Bool {
    get { jobs.isPrepared.withLock { $0 } }
    set { jobs.isPrepared.withLock { $0 = newValue } }
  }
}

/// The jobs of an instance, and what it knows of their documents.
private final class InstanceJobs: Sendable {
  let registry: Mutex<JobRegistry>
  /// The effective jobs, each by the configuration that it was made from.
  let resolved = Mutex<[JobID: (configuration: JobConfiguration?, job: ResolvedJob)]>([:])
  /// Whether the documents have been reconciled since the start.
  let isPrepared = Mutex(false)

  init(_ registry: JobRegistry) {
    self.registry = Mutex(registry)
  }
}
