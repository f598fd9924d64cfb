#if Server
public import CloudJobs
public import CloudJobsCore
import CloudJobsHTTPServer
import Hummingbird
package import Logging
public import ServiceLifecycle
import Tracing

/// A job runtime behind Hummingbird, as a service whose `run()` is its lifetime.
///
/// On graceful shutdown it accepts no more work, waits some seconds for running attempts, cancels the remaining
/// handlers, and returns once they have ended.
public struct JobServer: Service {
  private let runtime: JobRuntime
  private let configuration: JobServerConfiguration
  private let onReady: @Sendable (_ port: Int) async -> Void

  /// Creates a server for a runtime.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - configuration: the address, the mount path and the limits.
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
  /// Signals are left to the caller. If the memory is almost used up (``/CloudJobs/MemoryLimits``), it drains and
  /// returns. If handlers block the shared pool of threads and exceed their time limits, the process exits
  /// (``/CloudJobs/WatchdogLimits``). The lease of a handler that ignores its cancellation is kept, because the process
  /// may live on; ``runUntilSignal()`` is for a process that does nothing else.
  ///
  /// - Throws: ``/CloudJobsCore/JobError``: `permissionDenied` if the address is not safe for the handler or for the
  ///   dashboard, `invalidField` if `PORT` is not a port or the dashboard's path is none or one of the handler's,
  ///   `addressUnavailable` if the address can't be bound, `storeUnavailable` if the store can't be read.
  public func run() async throws {
    await runtime.runSubprocessAttempt()
    // Services are stopped last to first: while the runtime drains, new claims are rejected, and the socket still
    // answers deliveries with 503.
    var work = JobRuntimeService(runtime, configuration)
    // An instance that can't listen has done nothing.
    work.start = Latch()
    let server = try http(announcing: work)
    work.beforeExit = { [connections = server.connections] in
      connections.refuseRequests()
      // The event loops need a moment.
      FinalPause.wait()
    }
    try await runtime.prepare()
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: server), .init(service: work, successTerminationBehavior: .gracefullyShutdownGroup),
        ], logger: runtime.options.logger))
    try await group.run()
  }

  /// Serves until SIGTERM or SIGINT, and exits within a limit after that.
  ///
  /// The process ends within ``JobServerConfiguration/exitLimit``, whatever is still running; a second signal ends it
  /// immediately. Handlers are cancelled at ``JobServerConfiguration/drainLimit``. If one ignores its cancellation, its
  /// lease is released and the process exits, with status 0 if all leases were released and 1 otherwise.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` as ``run()`` does.
  public func runUntilSignal() async throws {
    await runtime.runSubprocessAttempt()
    try await Self.runUntilSignal(
      [.init(service: self, successTerminationBehavior: .gracefullyShutdownGroup)], draining: runtime, configuration,
      logger: runtime.options.logger)
  }

  /// Runs services around a runtime until one ends the group, or until a signal.
  package static func runUntilSignal(
    _ services: [ServiceGroupConfiguration.ServiceConfiguration], draining runtime: JobRuntime,
    _ configuration: JobServerConfiguration, logger: Logger
  ) async throws {
    if configuration.drainLimit > configuration.processDrainLimit {
      logger.warning(
        """
        Attempts have \(configuration.processDrainLimit) to end after SIGTERM, not \(configuration.drainLimit) as \
        server.drainLimit says: the process exits \(configuration.exitLimit) after the signal. Raise server.exitLimit.
        """)
    }
    let lifetime = ProcessLifetime(exitLimit: configuration.exitLimit, logger: logger)
    try await lifetime.run(services) { clock in
      if await runtime.drain(within: configuration.processDrainLimit, by: clock) == 0 { return .ended }
      let isNothingLost = await runtime.releaseLeases()
      InstrumentationSystem.tracer.forceFlush()
      return .exits(isNothingLost: isNothingLost)
    }
  }

  /// Runs a whole program: creates a runtime, serves it until SIGTERM or SIGINT, and reports an error in one line.
  ///
  /// The address is that of the environment variables `HOST` and `PORT`; those of the settings `server.logFormat` and
  /// `server.traceFile` count too.
  ///
  /// ```swift
  /// @main enum Service {
  ///   static func main() async {
  ///     await JobServer.main(dashboard: .loopback) {
  ///       JobRuntime(jobs, store: MemoryStore(), authentication: .trustLoopback)
  ///     }
  ///   }
  /// }
  /// ```
  ///
  /// Returns after a shutdown without losses. After an error it writes the error and its remedy to standard error and
  /// exits with status 1.
  ///
  /// - Parameters:
  ///   - dashboard: the dashboard, such as ``DashboardOptions/loopback``; nil for that of the configuration.
  ///   - configuration: the configuration, which takes precedence over the variables.
  ///   - makeRuntime: creates the runtime; its errors are reported like any other.
  public static func main(
    dashboard: DashboardOptions? = nil, configuration: JobServerConfiguration = JobServerConfiguration(),
    _ makeRuntime: @Sendable () async throws -> JobRuntime
  ) async {
    do {
      var configuration = try configuration.observed
      configuration.dashboard = dashboard ?? configuration.dashboard
      try await ProgramObservation.run(configuration) { [configuration] in
        try await JobServer(try await makeRuntime(), configuration: configuration).runUntilSignal()
      }
    } catch {
      exit(with: error)
    }
  }

  /// Runs a whole program with the settings of the environment and of a file; otherwise like
  /// ``main(dashboard:configuration:_:)``.
  ///
  /// ```swift
  /// await JobServer.main { settings in
  ///   JobRuntime(jobs, store: store, authentication: authentication, options: settings.runtime)
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - base: the settings in code, over which the environment and the file go.
  ///   - makeRuntime: creates the runtime with the settings; its errors are reported like any other.
  public static func main(
    settings base: JobSettings = JobSettings(), _ makeRuntime: @Sendable (JobSettings) async throws -> JobRuntime
  ) async {
    do {
      let settings = try await JobSettings.load(over: base).observed
      try await ProgramObservation.run(settings.server) {
        try await JobServer(try await makeRuntime(settings), configuration: settings.server).runUntilSignal()
      }
    } catch {
      exit(with: error)
    }
  }

  /// Exits a program that can't start: writes the error and its remedy as one line to standard error, with status 1.
  ///
  /// ``main(dashboard:configuration:_:)`` does so itself; this is for other entry points.
  ///
  /// - Parameter error: any error.
  public static func exit(with error: any Error) -> Never {
    ProcessExit.fail(with: error)
  }

  private func http(
    announcing work: JobRuntimeService
  ) throws(JobError) -> BoundedHTTPServer<RouterResponder<JobRequestContext>> {
    let configuration = try configuration.completed(by: ProcessVariables.all)
    let router = Router(context: JobRequestContext.self)
    let host = try configuration.address(under: runtime.authentication)
    if let dashboard = configuration.dashboard {
      try dashboard.checkPath(beside: configuration.mountPath)
      try dashboard.checkAccess(at: host)
      router.mountDashboard(runtime, dashboard)
    }
    router.mount(runtime, at: configuration.mountPath)
    var server = BoundedHTTPServer(
      router.buildResponder(), host: host, port: configuration.port ?? JobServerConfiguration.defaultPort,
      portRemedy: "set PORT to another",
      logger: runtime.options.logger, refusalBody: { HandlerResponse($0.error).body })
    server.limits = configuration.limits
    server.onReady = { [onReady] port in
      work.logTriggers()
      if let dashboard = configuration.dashboard {
        runtime.options.logger.notice("\(dashboard.place(at: host, port: port))")
      }
      work.start?.open()
      await onReady(port)
    }
    return server
  }
}

extension HTTPRefusal {
  /// The rejection as one of the handler's errors.
  var error: JobError {
    switch self {
    case .missingHost, .severalHosts: JobError(.invalidField, message, field: "Host")
    case .slowBody: JobError(.malformedEnvelope, message)
    case .shuttingDown, .processEnds: JobError(.shuttingDown, message)
    }
  }
}

/// The address, mount path and limits of a ``JobServer``.
public struct JobServerConfiguration: Sendable {
  /// The port if neither the configuration nor the environment names one.
  public static let defaultPort = 8_080

  /// The address to bind; nil for the environment variable `HOST`.
  ///
  /// If that is unset, loopback if only loopback callers are trusted, otherwise all addresses.
  public var host: String?
  /// The port to bind; 0 for any free port, nil for the environment variable `PORT`, or 8080 if that is unset.
  public var port: Int?
  /// The path of the handler.
  public var mountPath = "/jobs"
  /// The options of the dashboard; nil for no dashboard.
  ///
  /// One that asks for no credential is served on loopback only.
  public var dashboard: DashboardOptions?
  /// The options of the worker that executes due work if the local store is the queue; nil for no worker.
  public var worker: JobWorker.Options? = JobWorker.Options()
  /// The time that running attempts may take after SIGTERM or a graceful shutdown before they are cancelled.
  public var drainLimit = Duration.seconds(6)
  /// The time after SIGTERM or SIGINT at which the process exits in any case.
  ///
  /// Cloud Run sends SIGKILL after 10 seconds
  /// (<https://cloud.google.com/run/docs/container-contract#instance-shutdown>).
  public var exitLimit = Duration.seconds(9)
  /// The maximum number of connections served; more wait until one ends.
  public var maxConnections = HTTPServerLimits().maxConnections
  /// The timeout of a request head, and of the body after it.
  public var requestTimeout = HTTPServerLimits().requestTimeout
  /// The timeout of an idle connection.
  public var idleTimeout = HTTPServerLimits().idleTimeout
  /// The form of the log on standard error, for ``JobServer/main(dashboard:configuration:_:)`` and the like.
  ///
  /// It is that of the runtime's logger, unless the program has set up a logging system or a logger of its own.
  public var logFormat = LogFormat.auto
  /// The path of a file to which ``JobServer/main(dashboard:configuration:_:)`` and the like append traces
  /// (``TraceFile``); nil for none.
  public var traceFile: String?

  /// Creates a configuration.
  ///
  /// - Parameters:
  ///   - host: the address to bind; nil for the variable `HOST`, or the safe default.
  ///   - port: the port to bind; nil for the variable `PORT`, or 8080.
  public init(host: String? = nil, port: Int? = nil) {
    self.host = host
    self.port = port
  }

  /// Creates a configuration from environment variables: `PORT`, as Cloud Run sets it, and `HOST`.
  ///
  /// - Parameter environment: the variables.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` if `PORT` is not a port, or `HOST` is neither an IP address
  ///   nor a host name.
  public init(environment: [String: String]) throws(JobError) {
    self = try JobServerConfiguration().completed(by: environment)
  }

  /// Returns the configuration with missing values taken from environment variables.
  package func completed(by environment: [String: String]) throws(JobError) -> Self {
    var configuration = self
    configuration.host = host ?? environment["HOST"].flatMap { $0.isEmpty ? nil : $0 }
    if let host = configuration.host, !HostName.isNameOrAddress(host) {
      throw JobError(
        .invalidField, "HOST must be an IP address or a host name, without a scheme or a port: 127.0.0.1.",
        field: "HOST")
    }
    if let port {
      guard (0...65_535).contains(port) else {
        throw JobError(.invalidField, "The port \(port) is invalid. Give a number from 0 to 65535.", field: "port")
      }
      return configuration
    }
    configuration.port = Self.defaultPort
    if let text = environment["PORT"], !text.isEmpty {
      guard let port = Int(text), (0...65_535).contains(port) else {
        throw JobError(.invalidField, "PORT must be a number from 0 to 65535.", field: "PORT")
      }
      configuration.port = port
    }
    return configuration
  }

  /// Returns the address to bind under an authentication.
  ///
  /// - Parameter authentication: the runtime's authentication.
  /// - Returns: the address.
  /// - Throws: ``/CloudJobsCore/JobError`` `permissionDenied` if the configured address would expose a handler that
  ///   trusts every caller.
  public func address(under authentication: Authentication) throws(JobError) -> String {
    guard let host else { return authentication.allowsRemotePeers ? "0.0.0.0" : "127.0.0.1" }
    guard authentication.allowsRemotePeers || host == "localhost" || Peer.address(host).isLoopback else {
      throw JobError(
        .permissionDenied,
        "Binding \(host) needs an authentication other than trustLoopback. Configure one, or bind 127.0.0.1.",
        field: "HOST")
    }
    return host
  }

  var limits: HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.maxConnections = max(1, maxConnections)
    limits.requestTimeout = requestTimeout
    limits.idleTimeout = idleTimeout
    return limits
  }

  /// The drain time of a process that must exit within ``exitLimit``: cancelled handlers, leases and sockets need the
  /// last three seconds.
  package var processDrainLimit: Duration { min(drainLimit, max(.zero, exitLimit - .seconds(3))) }
}
#endif
