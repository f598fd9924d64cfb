#if Server
public import CloudJobs
public import ServiceLifecycle

/// A runtime's part in a service group: executes what comes due where no queue delivers it, and drains on shutdown.
///
/// ``JobServer`` contains it; a server of your own runs it beside its router:
///
/// ```swift
/// router.mount(runtime)
/// application.addServices(JobRuntimeService(runtime))
/// ```
public struct JobRuntimeService: Service {
  private let runtime: JobRuntime
  private let drainLimit: Duration
  private let worker: JobWorker.Options?

  /// The service of a runtime.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - drainLimit: how long attempts under way may go on after shutdown has begun.
  ///   - worker: how the worker behaves; nil for none. A runtime with a queue, such as Cloud Tasks, or with a store in
  ///     the cloud gets none in any case (``CloudJobs/JobRuntime/needsWorker``).
  public init(
    _ runtime: JobRuntime, drainLimit: Duration = .seconds(7), worker: JobWorker.Options? = JobWorker.Options()
  ) {
    self.runtime = runtime
    self.drainLimit = drainLimit
    self.worker = worker
  }

  /// Whether a worker runs.
  var hasWorker: Bool { worker != nil && runtime.needsWorker }

  /// Executes what comes due until graceful shutdown, and drains.
  public func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let worker, runtime.needsWorker { group.addTask { await JobWorker(runtime, options: worker).run() } }
      try await gracefulShutdown()
      await runtime.drain(within: drainLimit)
      try await group.waitForAll()
    }
  }
}
#endif
