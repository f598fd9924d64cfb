#if Server
public import CloudJobs
import Logging
public import ServiceLifecycle

/// The service of a runtime in a service group: executes due work if no queue delivers it, and drains on shutdown.
///
/// ``JobServer`` contains it; a custom server runs it beside its router:
///
/// ```swift
/// router.mount(runtime)
/// application.addServices(JobRuntimeService(runtime))
/// ```
public struct JobRuntimeService: Service {
  private let runtime: JobRuntime
  private let configuration: JobServerConfiguration
  /// Opens when the worker may start and the triggers have been logged; nil if it may start immediately.
  var start: Latch?
  /// Called before the watchdog exits the process.
  var beforeExit: (@Sendable () -> Void)?

  /// Creates the service of a runtime.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - drainLimit: the time that running attempts may take after the start of the shutdown.
  ///   - worker: the worker's options; nil for none. A runtime with a queue, such as Cloud Tasks, or with a remote
  ///     store never has one (``/CloudJobs/JobRuntime/needsWorker``).
  ///   - mountPath: the path of the handler, for the log line that names the jobs' triggers.
  public init(
    _ runtime: JobRuntime, drainLimit: Duration = .seconds(6), worker: JobWorker.Options? = JobWorker.Options(),
    mountPath: String = "/jobs"
  ) {
    var configuration = JobServerConfiguration()
    (configuration.drainLimit, configuration.worker, configuration.mountPath) = (drainLimit, worker, mountPath)
    self.init(runtime, configuration)
  }

  /// Creates the service of a runtime by the configuration of a server, for a program that has a worker and no server.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - configuration: the limits and the worker's options; the address is not used.
  public init(_ runtime: JobRuntime, _ configuration: JobServerConfiguration) {
    self.runtime = runtime
    self.configuration = configuration
  }

  /// Runs a whole program that has a worker and no server, with the settings of the environment and of a file.
  ///
  /// ```swift
  /// await JobRuntimeService.main { settings in
  ///   JobRuntime(jobs, store: store, authentication: .trustLoopback, options: settings.runtime)
  /// }
  /// ```
  ///
  /// Returns after a shutdown without losses. After an error, such as a setting that does not exist, it writes the
  /// error and its remedy to standard error and exits with status 1.
  ///
  /// - Parameters:
  ///   - base: the settings in code.
  ///   - makeRuntime: creates the runtime with the settings; its errors are reported like any other.
  public static func main(
    settings base: JobSettings = JobSettings(),
    _ makeRuntime: @Sendable (JobSettings) async throws -> JobRuntime
  ) async {
    do {
      let settings = try await JobSettings.load(over: base).observed
      try await ProgramObservation.run(settings.server) {
        try await JobRuntimeService(try await makeRuntime(settings), settings.server).runUntilSignal()
      }
    } catch {
      JobServer.exit(with: error)
    }
  }

  /// Executes due work until SIGTERM or SIGINT, and exits within a limit after that, as
  /// ``JobServer/runUntilSignal()`` does: for a program that has a worker and no server.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable` if the store can't be read.
  public func runUntilSignal() async throws {
    await runtime.runSubprocessAttempt()
    try await JobServer.runUntilSignal(
      [.init(service: self, successTerminationBehavior: .gracefullyShutdownGroup)], draining: runtime, configuration,
      logger: runtime.options.logger)
  }

  /// Executes due work until graceful shutdown, or until the memory is almost used up, and drains.
  ///
  /// The jobs' triggers are logged first, so that no schedule waits unnoticed.
  public func run() async throws {
    await runtime.runSubprocessAttempt()
    if start == nil {
      try await runtime.prepare()
      logTriggers()
    }
    try await runtime.watch(beforeExit: beforeExit) { () async throws in try await work() }
  }

  private func work() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let worker = configuration.worker, runtime.needsWorker {
        group.addTask {
          await start?.wait()
          if !Task.isCancelled { await JobWorker(runtime, options: worker).run() }
        }
      }
      try await untilShutdown()
      // A program whose start failed, because its port is in use, has not begun and stops nothing.
      let hasBegun = start?.isOpen ?? true
      let logger = runtime.options.logger
      if hasBegun { logger.info("Stopping.", metadata: ["attempts": "\(runtime.activeAttemptCount)"]) }
      if hasBegun { await runtime.drain(within: configuration.drainLimit) } else { group.cancelAll() }
      if hasBegun { logger.info("Stopped.", metadata: ["attemptsLeft": "\(runtime.activeAttemptCount)"]) }
      start?.open()
      try await group.waitForAll()
    }
  }

  /// Waits for a graceful shutdown, or until the memory is almost used up.
  private func untilShutdown() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await gracefulShutdown() }
      group.addTask { await runtime.memoryExhaustion() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Logs the jobs' triggers.
  func logTriggers() {
    runtime.logTriggers(
      worker: runtime.needsWorker ? configuration.worker : nil, mountPath: configuration.mountPath)
  }
}
#endif
