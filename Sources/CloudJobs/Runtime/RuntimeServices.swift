import CloudJobsCore
import Logging
import Synchronization

/// The shared parts of one runtime: each component takes from here what it needs.
final class RuntimeServices: Sendable {
  let registry: JobRegistry
  let store: any JobStore
  let queue: any TaskQueue
  let options: RuntimeOptions
  let settings: PlanSettings
  let events: JobEvents
  let health: HealthMonitor
  let client: StoreClient
  let active = ActiveAttempts()
  let wakeUp = WakeUp()
  let documentLog = DocumentLog()
  private let resolved = Mutex<[JobID: (configuration: JobConfiguration?, job: ResolvedJob)]>([:])
  private let prepared = Mutex(false)

  var clock: any JobClock { options.clock }
  var logger: Logger { options.logger }

  init(_ registry: JobRegistry, _ store: any JobStore, _ queue: any TaskQueue, _ options: RuntimeOptions) {
    self.registry = registry
    self.store = store
    self.queue = queue
    self.options = options
    settings = options.planSettings(retryOwner: queue.retryOwner)
    events = JobEvents(logger: options.logger)
    health = HealthMonitor(
      HealthState(
        startedAt: options.clock.now(), expectations: HealthExpectations(queue.retryOwner, options, hasWorker: false)),
      logger: options.logger)
    client = StoreClient(
      store: store, clock: options.clock, random: options.random, retry: options.storeRetry, health: health)
  }

  /// Returns the effective job under a document's configuration; parsed once for each edit of the document.
  func resolve(_ definition: JobDefinition, _ configuration: JobConfiguration?) throws(JobError) -> ResolvedJob {
    if let known = resolved.withLock({ $0[definition.id] }), known.configuration == configuration { return known.job }
    let job = try ResolvedJob(definition, configuration: configuration, zones: registry.zones)
    resolved.withLock { $0[definition.id] = (configuration, job) }
    return job
  }

  /// Returns the limits whose ledgers are read ahead of a claim: those of the job's document as last seen, or of its
  /// definition; none where the store is on the same machine, as it refuses a claim as cheaply.
  func expectedLimits(of definition: JobDefinition) -> [JobLimit] {
    if store is any DueTimeStore { return [] }
    return resolved.withLock { $0[definition.id] }?.job.limits ?? definition.policy.limits(of: definition.id)
  }

  /// Emits an event about a run, at the current time.
  func emit(_ name: JobEvent.Name, _ run: Run) {
    events.emit(JobEvent(name, job: run.job, run: run, time: clock.now()))
  }

  /// Whether the documents have been reconciled since the start.
  var isPrepared: Bool {
    get { prepared.withLock { $0 } }
    set { prepared.withLock { $0 = newValue } }
  }
}
