public import CloudJobsCore
import Synchronization

/// The runtime: takes deliveries, decides, executes under a lease, and commits before it answers.
///
/// It holds no state that a restart would lose; any number of instances may share a store.
public final class JobRuntime: Sendable {
  /// What happens, as it happens.
  public let events: JobEvents
  /// The clock of this instance.
  public let clock: any JobClock
  /// The store.
  public let store: any JobStore
  /// The queue.
  public let queue: any TaskQueue
  /// How this runtime behaves.
  public let options: RuntimeOptions
  let registry: JobRegistry
  /// Who may call the handler.
  public let authentication: Authentication
  let settings: PlanSettings
  let access: StoreAccess
  let active = ActiveRuns()
  let wakeUp = WakeUp()
  let health: HealthMonitor
  let notes = DocumentNotes()
  private let resolved = Mutex<[JobID: (configuration: JobConfiguration?, job: ResolvedJob)]>([:])

  /// A runtime over a store and a queue.
  ///
  /// It reads and completes the documents of periodic jobs first, so that the first pass finds them.
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - store: where documents and runs live.
  ///   - queue: what delivers runs later; by default the store itself, from which a worker takes them.
  ///   - authentication: who may call the handler.
  ///   - options: how the runtime behaves.
  /// - Throws: ``JobError`` `storeUnavailable`.
  public init(
    _ registry: JobRegistry, store: any JobStore, queue: any TaskQueue = .store, authentication: Authentication,
    options: RuntimeOptions = RuntimeOptions()
  ) async throws(JobError) {
    self.registry = registry
    self.store = store
    self.queue = queue
    self.authentication = authentication
    self.options = options
    clock = options.clock
    events = JobEvents(logger: options.logger)
    health = HealthMonitor(
      HealthState(
        startedAt: options.clock.now(), expectations: HealthExpectations(queue.retryOwner, options, hasWorker: false)),
      logger: options.logger)
    access = StoreAccess(
      store: store, clock: options.clock, random: options.random, retry: options.storeRetry, health: health)
    var settings = PlanSettings(owner: options.owner ?? options.random.token())
    settings.leaseMargin = options.leaseMargin
    settings.sweepDelay = queue.retryOwner == .runtime ? options.sweepDelay : .zero
    settings.misfireGrace = options.misfireGrace
    settings.scheduleOwner = options.scheduleOwner ?? (queue.retryOwner == .pass ? .masterPass : .cloudScheduler)
    self.settings = settings
    do throws(StoreError) {
      _ = try await reconcileDocuments()
    } catch {
      throw JobError(error)
    }
  }

  /// The job as it stands under a document, parsed once for each edit of the document.
  func resolve(_ definition: JobDefinition, _ configuration: JobConfiguration?) throws(JobError) -> ResolvedJob {
    if let known = resolved.withLock({ $0[definition.id] }), known.configuration == configuration { return known.job }
    let job = try ResolvedJob(definition, configuration: configuration, zones: registry.zones)
    resolved.withLock { $0[definition.id] = (configuration, job) }
    return job
  }
}
