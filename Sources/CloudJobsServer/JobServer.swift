#if Server
public import CloudJobs
import CloudJobsCore
import CloudJobsHTTPServer
import Hummingbird
package import Logging
public import ServiceLifecycle

/// A job runtime behind Hummingbird: a whole service, whose `run()` is its lifetime.
///
/// On graceful shutdown it takes no more work, gives attempts under way some seconds, cancels the handlers of the rest,
/// and returns once they have ended.
public struct JobServer: Service {
  private let runtime: JobRuntime
  private let configuration: JobServerConfiguration
  private let onReady: @Sendable (_ port: Int) async -> Void

  /// A server for a runtime.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - configuration: where and how to listen.
  ///   - onReady: called with the port once the server listens.
  public init(
    _ runtime: JobRuntime, configuration: JobServerConfiguration = JobServerConfiguration(),
    onReady: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
  ) {
    self.runtime = runtime
    self.configuration = configuration
    self.onReady = onReady
  }

  /// Serves until graceful shutdown.
  ///
  /// It leaves signals to whoever runs it, and keeps the lease of a handler that does not honour its cancellation: the
  /// process may live on. ``runUntilSignal()`` is for a process that has nothing else to do.
  ///
  /// - Throws: ``JobError``: `permissionDenied` where the address is not safe, `invalidField` where `PORT` is no port,
  ///   `addressUnavailable` where it can't be bound.
  public func run() async throws {
    // Services are stopped last to first: while the runtime drains, whatever claims work is refused, and the socket
    // still answers new deliveries with 503.
    var work = JobRuntimeService(
      runtime, drainLimit: configuration.drainLimit, worker: configuration.worker, mountPath: configuration.mountPath)
    // A copy that can't listen has done nothing.
    work.start = Latch()
    let services: [any Service] = [try http(announcing: work), work]
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(services: services, logger: runtime.options.logger))
    try await group.run()
  }

  /// Serves until SIGTERM or SIGINT, and makes sure that the process ends within
  /// ``JobServerConfiguration/exitLimit`` after that, whatever is open; a second signal ends it at once.
  ///
  /// At ``JobServerConfiguration/drainLimit`` handlers are cancelled. Where one goes on in spite of that, its lease is
  /// given back and the process exits, with the status 0 where that was possible for all of them and 1 otherwise.
  ///
  /// - Throws: ``JobError`` as ``run()`` does.
  public func runUntilSignal() async throws {
    try await Self.runUntilSignal(
      [.init(service: self)], draining: runtime, configuration, logger: runtime.options.logger)
  }

  /// Runs services around a runtime until one ends their group, or until a signal.
  package static func runUntilSignal(
    _ services: [ServiceGroupConfiguration.ServiceConfiguration], draining runtime: JobRuntime,
    _ configuration: JobServerConfiguration, logger: Logger
  ) async throws {
    let lifetime = ProcessLifetime(exitLimit: configuration.exitLimit, logger: logger)
    try await lifetime.run(services) { clock in
      if await runtime.drain(within: configuration.processDrainLimit, by: clock) == 0 { return .ended }
      return .exits(isNothingLost: await runtime.releaseLeases())
    }
  }

  /// The life of a whole program: makes a runtime, serves it at the address that the process's variables `HOST` and
  /// `PORT` name until SIGTERM or SIGINT, and tells an error in one line.
  ///
  /// ```swift
  /// @main enum Service {
  ///   static func main() async {
  ///     await JobServer.main { try await JobRuntime(jobs, store: try .sqlite(path: "jobs.db"), …) }
  ///   }
  /// }
  /// ```
  ///
  /// It returns after a shutdown in which nothing was lost. After an error it writes the error and its remedy to the
  /// standard error and exits with the status 1.
  ///
  /// - Parameters:
  ///   - configuration: where and how to listen, as far as the variables do not say it.
  ///   - makeRuntime: makes the runtime; what it throws is told like any error.
  public static func main(
    configuration: JobServerConfiguration = JobServerConfiguration(),
    _ makeRuntime: @Sendable () async throws -> JobRuntime
  ) async {
    do {
      try await JobServer(try await makeRuntime(), configuration: configuration).runUntilSignal()
    } catch {
      exit(with: error)
    }
  }

  /// Ends a program that can't start: writes the error and its remedy as one line to the standard error, and exits with
  /// the status 1.
  ///
  /// ``main(configuration:_:)`` does so by itself; this is for an entry point of another form.
  ///
  /// - Parameter error: any error.
  public static func exit(with error: any Error) -> Never {
    ProcessExit.fail(with: error)
  }

  private func http(announcing work: JobRuntimeService) throws(JobError) -> some Service {
    let configuration = try configuration.completed(by: ProcessVariables.all)
    let router = Router(context: JobRequestContext.self)
    router.mount(runtime, at: configuration.mountPath)
    var server = BoundedHTTPServer(
      router.buildResponder(), host: try configuration.address(under: runtime.authentication),
      port: configuration.port ?? JobServerConfiguration.defaultPort, portRemedy: "set PORT to another",
      logger: runtime.options.logger, refusalBody: { HandlerResponse($0.error).body })
    server.limits = configuration.limits
    server.onReady = { [onReady] port in
      work.logTriggers()
      work.start?.open()
      await onReady(port)
    }
    return server
  }
}

extension HTTPRefusal {
  /// The refusal as the handler's errors are told.
  fileprivate var error: JobError {
    switch self {
    case .missingHost, .severalHosts: JobError(.invalidField, message, field: "Host")
    case .slowBody: JobError(.malformedEnvelope, message)
    case .shuttingDown: JobError(.shuttingDown, message)
    }
  }
}
#endif
