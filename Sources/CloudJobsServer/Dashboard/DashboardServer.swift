#if Server
package import CloudJobs
package import CloudJobsCore
import CloudJobsHTTPServer
import Hummingbird
import ServiceLifecycle
import Synchronization

/// A server of a dashboard alone, beside the services that execute the runs of the store.
package struct DashboardServer: Service {
  private let runtime: JobRuntime
  private let options: DashboardOptions
  private let host: String
  private let port: Int
  private let onReady: @Sendable (_ url: String) throws -> Void

  /// Creates a server, which does not listen yet.
  ///
  /// - Parameters:
  ///   - runtime: the runtime, of which nothing is executed.
  ///   - options: the options of the dashboard.
  ///   - host: the address to bind.
  ///   - port: the port to bind; 0 for any free port.
  ///   - onReady: called with the address of the dashboard once the server listens; an error ends the server.
  /// - Throws: ``/CloudJobsCore/JobError`` `permissionDenied` for a dashboard that others could reach without a
  ///   credential, `invalidField` for an invalid path.
  package init(
    _ runtime: JobRuntime, _ options: DashboardOptions, host: String, port: Int,
    onReady: @escaping @Sendable (_ url: String) throws -> Void
  ) throws(JobError) {
    if let fault = options.pathFault { throw fault }
    try options.checkAccess(at: host)
    (self.runtime, self.options, self.host, self.port, self.onReady) = (runtime, options, host, port, onReady)
  }

  /// Serves until graceful shutdown.
  package func run() async throws {
    let router = Router(context: JobRequestContext.self)
    router.mountDashboard(runtime, options)
    router.get("/") { [options] _, _ in Response(status: .found, headers: [.location: options.normalizedPath]) }
    var server = BoundedHTTPServer(
      router.buildResponder(), host: host, port: port, portRemedy: "name another with --port",
      logger: runtime.options.logger, refusalBody: { HandlerResponse($0.error).body })
    let (failure, failed) = (Failure(), Latch())
    server.onReady = { [onReady, options, host] port in
      do {
        try onReady(options.url(at: host, port: port))
      } catch {
        failure.error.withLock { $0 = error }
        failed.open()
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { [server] group in
      group.addTask { try await server.run() }
      group.addTask {
        await failed.wait()
        if let error = failure.error.withLock({ $0 }) { throw error }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Serves until SIGTERM or SIGINT.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `addressUnavailable` if the address can't be bound.
  package func runUntilSignal() async throws {
    try await JobServer.runUntilSignal(
      [.init(service: self, successTerminationBehavior: .gracefullyShutdownGroup)], draining: runtime,
      JobServerConfiguration(), logger: runtime.options.logger)
  }
}

/// The error with which a server's start ended.
private final class Failure: Sendable {
  let error = Mutex<(any Error)?>(nil)
}

extension DashboardOptions {
  /// Checks that nobody reaches the dashboard without a credential but the browsers of this machine.
  ///
  /// - Parameter host: the address to bind.
  /// - Throws: ``/CloudJobsCore/JobError`` `permissionDenied`.
  func checkAccess(at host: String) throws(JobError) {
    if !access.isLoopback || Self.isLoopback(host) { return }
    throw JobError(
      .permissionDenied,
      "Others reach \(host.prefix(80)), and the dashboard asks for no password. Set CLOUD_JOBS_DASHBOARD_PASSWORD or "
        + "give the dashboard another access, or bind 127.0.0.1.", field: "dashboard access")
  }

  /// Returns the line that tells where the dashboard is.
  func place(at host: String, port: Int) -> String {
    Self.isLoopback(host)
      ? "The dashboard is at \(url(at: host, port: port))" : "The dashboard is at \(normalizedPath) of port \(port)."
  }

  /// Returns the address of the dashboard on this machine.
  func url(at host: String, port: Int) -> String {
    let name = host == "0.0.0.0" || host == "::" ? "localhost" : host.contains(":") ? "[\(host)]" : host
    return "http://\(name):\(port)\(normalizedPath)"
  }

  private static func isLoopback(_ host: String) -> Bool { host == "localhost" || Peer.address(host).isLoopback }
}
#endif
