import CloudJobsCore
import Logging
import Synchronization

/// A worker: it executes in this process what comes due in a runtime's store, delayed and retried runs and the
/// schedules of jobs.
///
/// It sleeps until the next due time, is woken by each enqueue in the process, and queries the store once per
/// ``Options/pollInterval`` for changes by other processes; a ``WakingStore`` tells it of those at once. Any number of
/// workers may share a store: each run is claimed by a conditional write.
///
/// A runtime whose queue delivers runs, such as Cloud Tasks, needs no worker.
public struct JobWorker: Sendable {
  /// The options of a worker.
  public struct Options: Hashable, Sendable {
    /// The maximum number of attempts that execute at once.
    public var concurrency = 64
    /// The maximum time between two polls of the store; a poll costs one query.
    public var pollInterval = Duration.seconds(1)
    /// The interval at which edited documents are applied; it reads the documents of all registered jobs.
    public var reconcileInterval = Duration.seconds(10)

    /// Creates the default options: 64 attempts at once, a poll a second, edited documents within 10 seconds.
    public init() {}
  }

  private let runtime: JobRuntime
  private let options: Options

  /// Creates a worker.
  ///
  /// - Parameters:
  ///   - runtime: the runtime whose jobs it executes.
  ///   - options: the worker's options.
  public init(_ runtime: JobRuntime, options: Options = Options()) {
    self.runtime = runtime
    self.options = options
  }

  /// Executes what comes due, until the runtime drains or the task is cancelled.
  ///
  /// It waits for attempts under way when the runtime drains; cancelling the task cancels them.
  public func run() async {
    await runtime.runSubprocessAttempt()
    await runtime.services.watchdog.watch(runtime.services) { await runLoop() }
  }

  private func runLoop() async {
    await withTaskGroup(of: Void.self) { subscription in
      if let store = runtime.services.store as? any WakingStore {
        subscription.addTask { [wakeUp = runtime.services.wakeUp] in
          for await _ in store.wakeUps() { wakeUp.call() }
        }
      }
      await withDiscardingTaskGroup { group in
        let loop = WorkerLoop(runtime.services, options)
        await loop.run { work in group.addTask { await work() } }
      }
      subscription.cancelAll()
    }
  }
}

/// One run of a worker.
private final class WorkerLoop: Sendable {
  private let services: RuntimeServices
  private let options: JobWorker.Options
  private let state: Mutex<WorkerState>
  private let dueJobs: DueJobProcessor
  private let sweeper: RunSweeper
  private var clock: any JobClock { services.clock }

  /// The number of due runs that are read at a time, beyond those in process.
  private static let pageSize = 256

  init(_ services: RuntimeServices, _ options: JobWorker.Options) {
    self.services = services
    self.options = options
    dueJobs = DueJobProcessor(services)
    sweeper = RunSweeper(services)
    state = Mutex(WorkerState(limit: options.concurrency, queueOrder: services.options.queueOrder))
  }

  func run(_ start: (@escaping @Sendable () async -> Void) -> Void) async {
    services.health.note { [services] state in
      state.expectations = HealthExpectations(services.settings.retryOwner, services.options, hasWorker: true)
    }
    var upkeep = Upkeep(options, services)
    while !Task.isCancelled, !services.active.isDraining {
      var wake = clock.now() + options.pollInterval
      do throws(StoreError) {
        try await upkeep.perform()
        wake = min(wake, try await poll(start))
        services.health.note { [now = clock.now()] state in state.passEnded(at: now) }
      } catch {
        // The calls were retried already; the health report tells of the trouble.
        services.logger.debug("The worker could not poll the store.", metadata: ["error": "\(error)"])
      }
      services.health.log(at: clock.now())
      await services.wakeUp.wait(until: wake, clock)
    }
  }

  /// Starts what is due and fits.
  ///
  /// - Returns: the time of the next poll at the latest.
  private func poll(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) -> Timestamp {
    let local = clock.now()
    let times = try await dueTimes()
    services.health.note { $0.observe(storeTime: times.time, at: local) }
    await HealthReporter(services).updateOverdue(knowing: times)
    if let earliest = times.earliest, earliest <= times.time {
      try await startJobs(start)
      try await startRuns(start)
    }
    var wake = Timestamp.distantFuture
    // The local clock only measures how far away a time of the store's clock is.
    if let next = times.next { wake = local + (next - times.time) }
    if let retry = state.withLock({ $0.free > 0 ? $0.nextRetry : nil }), retry > local { wake = min(wake, retry) }
    return wake
  }

  /// Reads the times at which jobs and runs come due; a store without ``DueTimeStore`` is asked for what is due now.
  private func dueTimes() async throws(StoreError) -> DueTimes {
    if let store = services.store as? any DueTimeStore {
      return try await services.client.call { () async throws(StoreError) in try await store.dueTimes() }
    }
    let jobs = try await dueJobs.page(after: nil)
    let runs = try await sweeper.page(after: nil, limit: 1)
    let times = jobs.records.compactMap(\.nextRun) + runs.records.map { (try? $0.run.get())?.wakeAt ?? runs.time }
    return DueTimes(time: max(jobs.time, runs.time), earliest: times.min(), next: nil)
  }

  private func startJobs(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) {
    var cursor: StoreCursor?
    repeat {
      let page = try await dueJobs.page(after: cursor)
      cursor = page.next
      let now = clock.now()
      let startable = page.records.filter { record in
        state.withLock { $0.isStartable(.job(record.id), at: now) }
      }
      guard !startable.isEmpty else { continue }
      let (jobs, context) = try await dueJobs.load(StorePage(records: startable, next: nil, time: page.time))
      for job in jobs {
        let item = WorkItem.job(job.record.id)
        guard state.withLock({ $0.start(item, at: now) }) else { continue }
        start { [self] in await process(job, item, context) }
      }
    } while cursor != nil && state.withLock { $0.free > 0 }
  }

  /// Processes a due job.
  ///
  /// The item ends as soon as the job is no longer due, so that its next occurrence starts on time even if an attempt
  /// is still under way.
  private func process(_ job: DueJob, _ item: WorkItem, _ context: DueJobContext) async {
    var isFinished = false
    let result = await dueJobs.process(job, context) {
      isFinished = true
      finish(item, hasProgressed: true)
    }
    if !isFinished { finish(item, hasProgressed: result?.hasProgressed ?? false) }
    do throws(StoreError) {
      try await PassJournal(services).append(result?.lines ?? [], time: context.reading.time, name: job.record.id)
    } catch {
      services.logger.warning(
        "The pass journal could not be written.", metadata: ["jobId": "\(job.record.id)", "error": "\(error)"])
    }
  }

  private func startRuns(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) {
    if state.withLock({ $0.free == 0 }) { return state.withLock { $0.noteChange() } }
    if state.withLock({ $0.needsReading(at: clock.now(), afterAtMost: options.pollInterval) }) { try await readRuns() }
    while let record = state.withLock({ $0.startNext(at: clock.now()) }) {
      start { [self] in finish(.run(record.id), hasProgressed: await execute(record)) }
    }
  }

  /// Reads the runs that are due, until there are enough to choose from.
  private func readRuns() async throws(StoreError) {
    var cursor: StoreCursor?
    var records: [RunRecord] = []
    let (count, active) = state.withLock { (max(Self.pageSize, $0.free), $0.activeCount) }
    repeat {
      let page = try await sweeper.page(after: cursor, limit: count + active)
      cursor = page.next
      let now = clock.now()
      records += state.withLock { state in page.records.filter { state.isStartable(.run($0.id), at: now) } }
    } while cursor != nil && records.count < count
    state.withLock { $0.setDue(records, at: clock.now()) }
  }

  /// Executes the next attempt of a run that has come due.
  ///
  /// - Returns: whether the run has changed in the store, by this instance or by another.
  private func execute(_ record: RunRecord) async -> Bool {
    guard let (run, _) = sweeper.recoveryPlan(for: record, now: clock.now()),
      services.registry.jobs[run.job] != nil
    else {
      return false
    }
    let result = await DeliveryProcessor(services).process(run.nextDelivery)
    return result.hasChangedRun || result.status == .duplicate
  }

  private func finish(_ item: WorkItem, hasProgressed: Bool) {
    let now = clock.now()
    let isPollNeeded = state.withLock { state in
      let isPollNeeded = state.finish(item, hasProgressed: hasProgressed, at: now)
      if isPollNeeded, case .run = item { state.hasRoomForDue = true }
      return isPollNeeded
    }
    if isPollNeeded { services.wakeUp.call() }
  }
}

/// The periodic work of a worker besides executing: it applies edited documents, and purges expired records.
private struct Upkeep: Sendable {
  private let services: RuntimeServices
  private let reconcileInterval: Duration
  private var nextReconcile = Timestamp.distantPast
  private var nextHousekeeping = Timestamp.distantPast

  init(_ options: JobWorker.Options, _ services: RuntimeServices) {
    self.services = services
    reconcileInterval = options.reconcileInterval
  }

  /// Performs what is due.
  ///
  /// - Throws: ``StoreError`` `unavailable`.
  mutating func perform() async throws(StoreError) {
    let now = services.clock.now()
    guard now >= nextReconcile || now >= nextHousekeeping else { return }
    let reconciler = DocumentReconciler(services)
    let documents = try await reconciler.reconcile()
    nextReconcile = now + reconcileInterval
    guard now >= nextHousekeeping else { return }
    await reconciler.announce(documents)
    try await RetentionPurge(services).run(until: now + .seconds(1))
    nextHousekeeping = now + services.options.housekeeping
  }
}
