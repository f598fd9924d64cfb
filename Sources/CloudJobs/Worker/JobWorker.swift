import CloudJobsCore
import Logging
import Synchronization

/// Executes what comes due in a runtime's store, in this process: delayed and retried runs, and the jobs' schedules.
///
/// It sleeps until the next due time, is woken by each enqueue in the process, and looks at the store once per
/// ``Options/pollInterval`` for what other processes have changed. Any number of workers may share a store: each run is
/// claimed by a conditional write.
///
/// A runtime whose queue delivers runs, such as Cloud Tasks, needs no worker.
public struct JobWorker: Sendable {
  /// How a worker behaves.
  public struct Options: Hashable, Sendable {
    /// The number of attempts that execute at once.
    public var concurrency = 64
    /// The longest time between two looks at the store; one look costs one query.
    public var pollInterval = Duration.seconds(1)
    /// How often edited job documents are looked for; a look reads the documents of all registered jobs.
    public var reconcileInterval = Duration.seconds(10)

    /// 64 attempts at once, one look a second, edited documents within 10 seconds.
    public init() {}
  }

  private let runtime: JobRuntime
  private let options: Options

  /// A worker that has not been started.
  ///
  /// - Parameters:
  ///   - runtime: whose jobs it executes.
  ///   - options: how it behaves.
  public init(_ runtime: JobRuntime, options: Options = Options()) {
    self.runtime = runtime
    self.options = options
  }

  /// Executes what comes due, until the runtime drains or the task is cancelled.
  ///
  /// Attempts under way when the runtime drains are waited for; cancelling the task cancels them.
  public func run() async {
    await withDiscardingTaskGroup { group in
      let loop = WorkerLoop(runtime, options)
      await loop.run { work in group.addTask { await work() } }
    }
  }
}

/// One run of a worker.
private final class WorkerLoop: Sendable {
  private let runtime: JobRuntime
  private let options: JobWorker.Options
  private let state: Mutex<WorkerState>
  private var clock: any JobClock { runtime.clock }

  /// Largest number of records that are read at a time beyond those in hand.
  private static let page = 256

  init(_ runtime: JobRuntime, _ options: JobWorker.Options) {
    self.runtime = runtime
    self.options = options
    state = Mutex(WorkerState(limit: options.concurrency))
  }

  func run(_ start: (@escaping @Sendable () async -> Void) -> Void) async {
    runtime.workerStarts()
    var upkeep = Upkeep(
      reconcileInterval: options.reconcileInterval, housekeeping: runtime.options.housekeeping)
    while !Task.isCancelled, !runtime.active.isDraining {
      var wake = clock.now() + options.pollInterval
      do throws(StoreError) {
        try await upkeep.perform(on: runtime)
        wake = min(wake, try await look(start))
        runtime.health.note { [now = clock.now()] state in state.passEnded(at: now) }
      } catch {
        // The calls were tried again already; the health report tells of the trouble.
        runtime.options.logger.debug("The worker could not look at the store.", metadata: ["error": "\(error)"])
      }
      runtime.health.log(at: clock.now())
      await runtime.wakeUp.wait(until: wake, clock)
    }
  }

  /// Starts what is due and fits, and tells when to look again at the latest.
  private func look(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) -> Timestamp {
    let local = clock.now()
    let times = try await runtime.dueTimes()
    runtime.health.note { $0.observe(storeTime: times.time, at: local) }
    await runtime.updateOverdue(knowing: times)
    if let earliest = times.earliest, earliest <= times.time { try await startDue(start) }
    var wake = Timestamp.distantFuture
    // The local clock only measures how far away a time of the store's clock is.
    if let next = times.next { wake = local + (next - times.time) }
    if let retry = state.withLock({ $0.free > 0 ? $0.nextRetry : nil }), retry > local { wake = min(wake, retry) }
    return wake
  }

  private func startDue(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) {
    try await startJobs(start)
    try await startRuns(start)
  }

  private func startJobs(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) {
    var cursor: StoreCursor?
    repeat {
      let page = try await runtime.duePage(after: cursor)
      cursor = page.next
      let now = clock.now()
      let startable = page.records.filter { record in
        state.withLock { $0.isStartable(.job(record.id), at: now) }
      }
      guard !startable.isEmpty else { continue }
      let records = StorePage(records: startable, next: nil, time: page.time)
      let (jobs, context) = try await runtime.dueJobs(with: records)
      for job in jobs {
        let item = WorkItem.job(job.record.id)
        guard state.withLock({ $0.start(item, at: now) }) else { continue }
        start { [self] in await serve(job, item, context) }
      }
    } while cursor != nil && state.withLock { $0.free > 0 }
  }

  /// Serves a due job.
  ///
  /// It is let go of as soon as it is no longer due, so that its next occurrence is seen in time though an attempt is
  /// still under way.
  private func serve(_ job: DueJob, _ item: WorkItem, _ context: PassContext) async {
    var isFinished = false
    let result = await runtime.serve(job, context) {
      isFinished = true
      finish(item, hasProgressed: true)
    }
    if !isFinished { finish(item, hasProgressed: result?.hasProgressed ?? false) }
    do throws(StoreError) {
      try await runtime.keep(result?.lines ?? [], time: context.reading.time, name: job.record.id)
    } catch {
      runtime.options.logger.warning(
        "The pass journal could not be written.", metadata: ["jobId": "\(job.record.id)", "error": "\(error)"])
    }
  }

  private func startRuns(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) {
    var cursor: StoreCursor?
    repeat {
      let (free, active) = state.withLock { ($0.free, $0.activeCount) }
      guard free > 0 else { return }
      let page = try await runtime.wakingPage(after: cursor, limit: min(Self.page, free) + active)
      cursor = page.next
      let now = clock.now()
      for record in page.records {
        let item = WorkItem.run(record.id)
        guard state.withLock({ $0.start(item, at: now) }) else { continue }
        start { [self] in finish(item, hasProgressed: await runtime.execute(record)) }
      }
    } while cursor != nil
  }

  private func finish(_ item: WorkItem, hasProgressed: Bool) {
    let now = clock.now()
    let isLookNeeded = state.withLock { $0.finish(item, hasProgressed: hasProgressed, at: now) }
    if isLookNeeded { runtime.wakeUp.call() }
  }
}
