import CloudJobsCore

/// A worker: it executes in this process what comes due in a runtime's store, delayed and retried runs and the
/// schedules of jobs.
///
/// Schedules and runs can be left to different workers: ``Options/runsSchedules``, ``Options/executesRuns``.
///
/// It sleeps until the next due time, is woken by each enqueue in the process, and queries the store once per
/// ``Options/pollInterval`` for changes by other processes; a ``WakingStore`` tells it of those at once. Any number of
/// workers may share a store: each run is claimed by a conditional write.
///
/// A runtime whose queue delivers runs, such as Cloud Tasks, needs no worker.
public struct JobWorker: Sendable {
  /// Whether the current task is one of a worker, whose cancellation ends the worker and is no failure of an attempt.
  ///
  /// A run that a handler executes inside its own attempt ends with that attempt instead.
  @TaskLocal static var ownsTask = false

  /// The options of a worker.
  public struct Options: Hashable, Sendable {
    /// The maximum number of attempts that execute at once.
    public var concurrency = 64
    /// The maximum time between two polls of the store; a poll costs one query.
    public var pollInterval = Duration.seconds(1)
    /// The interval at which edited documents are applied; it reads the documents of all registered jobs.
    public var reconcileInterval = Duration.seconds(10)
    /// Whether it starts the schedules of jobs; otherwise another worker or a master pass must.
    public var runsSchedules = true
    /// Whether it executes runs; otherwise it records those of schedules, and another worker must execute them.
    public var executesRuns = true
    /// The queues whose runs it executes and whose jobs' schedules it starts; nil for all.
    ///
    /// A run without a queue is in the queue `default`. What is in another queue stays due, for another worker.
    public var queues: Set<String>?
    /// The interval at which it tells the list of workers that it lives, each time with one write; nil keeps it out of
    /// the list.
    public var heartbeat: Duration? = .seconds(15)
    /// The time without a heartbeat after which the list shows it as lost, at least two intervals of heartbeats.
    ///
    /// That frees none of its runs: their leases expire by themselves.
    public var staleAfter = Duration.seconds(60)
    /// The name in the list of workers; nil for the names of the host and the process.
    public var name: String?

    /// Creates the default options: 64 attempts at once, a poll a second, edited documents within 10 seconds, schedules
    /// and runs, a heartbeat each 15 seconds.
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
    let loop = WorkerLoop(options.executesRuns ? runtime.services : runtime.services.withoutExecution(), options)
    let heartbeats = WorkerHeartbeats(runtime.services, options) { loop.load }
    await withTaskGroup(of: Void.self) { companions in
      if let store = runtime.services.store as? any WakingStore {
        companions.addTask { [wakeUp = runtime.services.wakeUp] in
          for await _ in store.wakeUps() { wakeUp.call() }
        }
      }
      companions.addTask { await heartbeats.run() }
      await withDiscardingTaskGroup { group in
        await loop.run { work in group.addTask { await Self.$ownsTask.withValue(true) { await work() } } }
        heartbeats.announceStop()
      }
      companions.cancelAll()
    }
    await heartbeats.remove()
  }
}
