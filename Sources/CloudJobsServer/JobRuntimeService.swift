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
  private let mountPath: String
  /// Opens when the worker may start and its start has been told; nil where it may start at once.
  var start: Latch?

  /// The service of a runtime.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - drainLimit: how long attempts under way may go on after shutdown has begun.
  ///   - worker: how the worker behaves; nil for none. A runtime with a queue, such as Cloud Tasks, or with a store in
  ///     the cloud gets none in any case (``CloudJobs/JobRuntime/needsWorker``).
  ///   - mountPath: the path of the handler, for the line that says at the start what triggers the jobs.
  public init(
    _ runtime: JobRuntime, drainLimit: Duration = .seconds(6), worker: JobWorker.Options? = JobWorker.Options(),
    mountPath: String = "/jobs"
  ) {
    self.runtime = runtime
    self.drainLimit = drainLimit
    self.worker = worker
    self.mountPath = mountPath
  }

  /// Executes what comes due until graceful shutdown, and drains.
  ///
  /// It logs first what triggers the jobs, so that no schedule waits unnoticed.
  public func run() async throws {
    if start == nil { logTriggers() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let worker, runtime.needsWorker {
        group.addTask {
          await start?.wait()
          if !Task.isCancelled { await JobWorker(runtime, options: worker).run() }
        }
      }
      try await gracefulShutdown()
      await runtime.drain(within: drainLimit)
      start?.open()
      try await group.waitForAll()
    }
  }

  /// Logs what triggers the jobs.
  func logTriggers() {
    runtime.logTriggers(hasWorker: worker != nil && runtime.needsWorker, mountPath: mountPath)
  }
}
#endif
