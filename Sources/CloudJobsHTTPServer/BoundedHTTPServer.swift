#if Server
import CloudJobsCore
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// A Hummingbird application with limits on its connections and on its shutdown.
///
/// On graceful shutdown it accepts no new connections, completes responses in progress, closes all other connections,
/// and cancels what is still open after ``closeLimit``.
package struct BoundedHTTPServer<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
  /// The address to bind.
  package var host: String
  /// The port to bind; 0 for any free port.
  package var port: Int
  /// The remedy for an unavailable port, as the end of a sentence: `set PORT to another`.
  package var portRemedy: String
  /// Whether connections may speak HTTP/2, with prior knowledge.
  package var acceptsHTTP2 = false
  /// The limits of connections.
  package var limits = HTTPServerLimits()
  /// The `Server` header field of responses.
  package var serverName: String?
  /// The time that responses in progress may take after a graceful shutdown.
  package var closeLimit = Duration.seconds(1)
  /// The server's logger.
  package var logger: Logger
  /// Returns the body of a response that the server gives before the application runs.
  package var refusalBody: @Sendable (HTTPRefusal) -> [UInt8]
  /// A function called with the port once the server listens.
  package var onReady: @Sendable (_ port: Int) async -> Void = { _ in }
  /// The connections of the server.
  package let connections = OpenConnections()
  private let responder: Responder

  /// Creates a server, which does not listen yet.
  package init(
    _ responder: Responder, host: String, port: Int, portRemedy: String, logger: Logger,
    refusalBody: @escaping @Sendable (HTTPRefusal) -> [UInt8]
  ) {
    self.responder = responder
    self.host = host
    self.port = port
    self.portRemedy = portRemedy
    self.logger = logger
    self.refusalBody = refusalBody
  }

  /// Serves until a graceful shutdown or the cancellation of the task.
  ///
  /// - Throws: ``JobError`` `addressUnavailable` if the address can't be bound.
  package func run() async throws {
    let application = application
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        group.addTask {
          try await gracefulShutdown()
          try await SystemClock().sleep(until: SystemClock().now() + closeLimit)
        }
        defer { group.cancelAll() }
        try await group.next()
      }
    } catch {
      throw JobError(binding: host, port: port, remedy: portRemedy, error) ?? error
    }
  }

  private var application: Application<HeadResponder<Responder>> {
    let (limits, refusalBody, onReady, acceptsHTTP2) = (limits, refusalBody, onReady, acceptsHTTP2)
    let openConnections = connections
    let connections = MaximumAvailableConnections(limits.maxConnections, logger: logger)
    return Application(
      responder: HeadResponder(base: responder),
      server: HTTPServerBuilder { responder in
        let channel = GuardedChannel(
          base: HTTP1Channel(responder: responder), limits: limits, connections: openConnections,
          refusalBody: refusalBody)
        return if acceptsHTTP2 { OnePortChannel(channel, limits: limits) } else { channel }
      },
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: serverName, availableConnectionsDelegate: connections),
      onServerRunning: { channel in
        // Accepts one connection at a time, so that the connection limit is exact.
        try? await channel.setOption(.maxMessagesPerRead, value: 1).get()
        await onReady(channel.localAddress?.port ?? 0)
      },
      logger: logger)
  }
}

/// A responder whose responses to HEAD have no body, as RFC 9110, section 9.3.2, requires.
///
/// Hummingbird sends the body that a responder returns.
package struct HeadResponder<Base: HTTPResponder>: HTTPResponder {
  let base: Base

  @concurrent
  package func respond(to request: Request, context: Base.Context) async throws -> Response {
    let response = try await base.respond(to: request, context: context)
    return request.method == .head ? response.createHeadResponse() : response
  }
}

/// Hummingbird's HTTP/1 channel with a connection guard behind the decoder.
struct GuardedChannel: ServerChildChannel {
  let base: HTTP1Channel
  let limits: HTTPServerLimits
  let connections: OpenConnections
  let refusalBody: @Sendable (HTTPRefusal) -> [UInt8]

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    let (limits, connections, refusalBody) = (limits, connections, refusalBody)
    return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      try pipeline.addHandler(
        ConnectionGuard(limits: limits, connections: connections, refusalBody: refusalBody), position: .after(decoder))
      return value
    }
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    await base.handle(value: value, logger: logger)
  }
}
#endif
