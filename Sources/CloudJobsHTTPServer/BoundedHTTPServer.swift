#if Server
package import CloudJobsCore
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// A Hummingbird application whose connections have bounds, and whose shutdown has one.
///
/// On graceful shutdown it accepts no more, answers what is being answered, closes everything else, and after
/// ``closeLimit`` cancels what is still open.
package struct BoundedHTTPServer<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
  /// The address to bind.
  package var host: String
  /// The port to bind; 0 means any free one.
  package var port: Int
  /// What users change to get another port, as a sentence's end: `set PORT to another`.
  package var portRemedy: String
  /// The connections' bounds.
  package var limits = HTTPServerLimits()
  /// The `Server` field of answers.
  package var serverName: String?
  /// How long answers under way may go on after the graceful shutdown.
  package var closeLimit = Duration.seconds(1)
  /// Where the server logs to.
  package var logger: Logger
  /// The body of an answer that the server gives before anything is executed.
  package var refusalBody: @Sendable (HTTPRefusal) -> [UInt8]
  /// Called with the port once the server listens.
  package var onReady: @Sendable (_ port: Int) async -> Void = { _ in }
  private let responder: Responder

  /// A server that does not listen yet.
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

  /// Serves until graceful shutdown, or until the task is cancelled.
  ///
  /// - Throws: ``JobError`` `addressUnavailable` where the address can't be bound.
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

  private var application: Application<Responder> {
    let (limits, refusalBody, onReady) = (limits, refusalBody, onReady)
    let connections = MaximumAvailableConnections(limits.maxConnections, logger: logger)
    return Application(
      responder: responder,
      server: HTTPServerBuilder { responder in
        GuardedChannel(base: HTTP1Channel(responder: responder), limits: limits, refusalBody: refusalBody)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: serverName, availableConnectionsDelegate: connections),
      onServerRunning: { channel in
        // One connection at a time is accepted, so that the bound on them is exact.
        try? await channel.setOption(.maxMessagesPerRead, value: 1).get()
        await onReady(channel.localAddress?.port ?? 0)
      },
      logger: logger)
  }
}

/// Hummingbird's channel of HTTP/1, with a guard behind the decoder.
private struct GuardedChannel: ServerChildChannel {
  let base: HTTP1Channel
  let limits: HTTPServerLimits
  let refusalBody: @Sendable (HTTPRefusal) -> [UInt8]

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    let (limits, refusalBody) = (limits, refusalBody)
    return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      try pipeline.addHandler(ConnectionGuard(limits: limits, refusalBody: refusalBody), position: .after(decoder))
      return value
    }
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    await base.handle(value: value, logger: logger)
  }
}

extension JobError {
  /// A failure to bind an address, by name and with its remedy; nil where the error is another.
  package init?(binding host: String, port: Int, remedy: String, _ error: any Error) {
    guard let error = error as? IOError else {
      guard error is NIOConnectionError else { return nil }
      self.init(
        .addressUnavailable, "The host \(host) is not known. Give an address of this machine, such as 127.0.0.1.",
        field: "HOST")
      return
    }
    self.init(bindingErrno: error.errnoCode, host: host, port: port, remedy: remedy)
  }

  private init?(bindingErrno code: CInt, host: String, port: Int, remedy: String) {
    switch BindFailure(code) {
    case .inUse:
      self.init(
        .addressUnavailable, "Port \(port) is in use. Stop the other program, or \(remedy).", field: "PORT",
        nativeCode: "EADDRINUSE")
    case .notPermitted:
      self.init(
        .addressUnavailable, "Port \(port) needs rights that this process does not have; \(remedy).", field: "PORT",
        nativeCode: "EACCES")
    case .notHere:
      self.init(
        .addressUnavailable, "This machine does not have the address \(host). Bind 127.0.0.1 or 0.0.0.0.",
        field: "HOST", nativeCode: "EADDRNOTAVAIL")
    case nil: return nil
    }
  }
}
#endif
