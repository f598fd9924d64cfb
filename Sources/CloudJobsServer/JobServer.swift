#if Server
public import CloudJobs
import CloudJobsCore
import Hummingbird
import Logging
import NIOCore
public import ServiceLifecycle
import UnixSignals

/// A job runtime behind Hummingbird: a whole service, whose `run()` is its lifetime.
///
/// On graceful shutdown it takes no more work, gives attempts under way some seconds, gives back the leases of the
/// rest, and returns.
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
  /// - Throws: ``JobError`` where the address is not safe, or an error of the socket.
  public func run() async throws {
    let host = try configuration.address(under: runtime.authentication)
    let router = Router(context: JobRequestContext.self)
    router.mount(runtime, at: configuration.mountPath)
    let onReady = onReady
    let application = Application(
      router: router,
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: configuration.port), serverName: nil),
      onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
      logger: runtime.options.logger)
    // Services are stopped last to first: while the runtime drains, the socket still answers new deliveries with 503.
    let work = JobRuntimeService(runtime, drainLimit: configuration.drainLimit, worker: configuration.worker)
    runtime.logTriggers(hasWorker: work.hasWorker, mountPath: configuration.mountPath)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(services: [application, work], logger: runtime.options.logger))
    try await group.run()
  }

  /// Serves until SIGTERM or SIGINT, and makes sure that the process ends in time after that.
  ///
  /// - Throws: as ``run()`` does.
  public func runUntilSignal() async throws {
    let deadline = ExitDeadline(after: configuration.exitLimit)
    defer { deadline.disarm() }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [self], gracefulShutdownSignals: [.sigterm, .sigint], logger: runtime.options.logger))
    try await group.run()
  }
}
#endif
