#if Server
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// HTTP/1.1 and HTTP/2 with prior knowledge on one port without TLS: the first bytes of a connection tell which.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9113#section-3.3>.
struct OnePortChannel: HTTPChannelHandler {
  typealias Stream = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  /// A connection whose protocol is known.
  enum Connection: Sendable {
    case http1(HTTP1Channel.Value)
    case http2(NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>)
  }

  /// A connection whose protocol becomes known.
  struct Value: ServerChildChannelValue {
    let connection: EventLoopFuture<Connection>
    let channel: any Channel
  }

  let responder: Responder
  private let http1: GuardedChannel
  private let limits: HTTPServerLimits

  /// Creates the channel of a server's connections.
  init(_ http1: GuardedChannel, limits: HTTPServerLimits) {
    self.http1 = http1
    self.limits = limits
    responder = http1.base.responder
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let promise = channel.eventLoop.makePromise(of: Connection.self)
      let handler = PrefaceHandler(promise, timeout: limits.requestTimeout) { isHTTP2 in
        guard isHTTP2 else { return http1.setup(channel: channel, logger: logger).map { .http1($0) } }
        // The end of a client's side ends the connection: otherwise the streams of one that died stay open.
        return channel.setOption(.allowRemoteHalfClosure, value: false).flatMapThrowing {
          .http2(try multiplexer(channel))
        }
      }
      try channel.pipeline.syncOperations.addHandler(handler)
      return Value(connection: promise.futureResult, channel: channel)
    }
  }

  private func multiplexer(_ channel: any Channel) throws -> NIOHTTP2Handler.AsyncStreamMultiplexer<Stream> {
    var configuration = NIOHTTP2Handler.Configuration()
    configuration.connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.maxStreams),
      HTTP2Setting(parameter: .maxHeaderListSize, value: 16_384),
      HTTP2Setting(parameter: .initialWindowSize, value: limits.windowSize),
    ]
    configuration.connection.targetWindowSize = limits.windowSize
    configuration.stream.targetWindowSize = limits.windowSize
    // A client that cancels many calls at once is no attacker here.
    configuration.stream.streamResetFrameRateLimit.maximumCount = limits.maxStreams
    // A client that neither reads nor answers pings is gone, whatever TCP says.
    let timeout = TimeAmount(limits.idleTimeout + limits.requestTimeout)
    try channel.pipeline.syncOperations.addHandlers([
      IdleStateHandler(readTimeout: timeout), ConnectionEnd(grace: TimeAmount(limits.requestTimeout)),
    ])
    return try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
      mode: .server,
      connectionManagerConfiguration: .init(
        maxIdleTime: TimeAmount(limits.idleTimeout), maxAge: nil, maxGraceTime: TimeAmount(limits.shutdownGrace),
        keepalive: .init(pingInterval: TimeAmount(limits.idleTimeout), ackTimeout: TimeAmount(limits.requestTimeout))),
      http2HandlerConfiguration: configuration
    ) { stream in
      stream.eventLoop.makeCompletedFuture {
        try stream.pipeline.syncOperations.addHandlers([HTTP2FramePayloadToHTTPServerCodec(), CompleteRequests()])
        return try Stream(wrappingChannelSynchronously: stream)
      }
    }
  }

  func handle(value: Value, logger: Logger) async {
    do {
      let channel = value.channel
      let connection = try await withTaskCancellationHandler {
        try await value.connection.get()
      } onCancel: {
        channel.close(promise: nil)
      }
      switch connection {
      case .http1(let stream): await http1.handle(value: stream, logger: logger)
      case .http2(let multiplexer):
        defer { value.channel.close(promise: nil) }
        try await withThrowingDiscardingTaskGroup { group in
          for try await stream in multiplexer.inbound {
            group.addTask { await handleHTTP(asyncChannel: stream, logger: logger) }
          }
        }
      }
    } catch {
      logger.debug("A connection ended.", metadata: ["reason": "\(error)"])
    }
  }
}

/// Closes a connection of HTTP/2 whose client is gone, or that outlasts the server's shutdown.
private final class ConnectionEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let grace: TimeAmount

  init(grace: TimeAmount) {
    self.grace = grace
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    let channel = context.channel
    switch event {
    case IdleStateHandler.IdleStateEvent.read: return context.close(promise: nil)
    case is ChannelShouldQuiesceEvent: context.eventLoop.scheduleTask(in: grace) { channel.close(promise: nil) }
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }
}

/// Fails a request whose connection is lost before its end, which would look complete otherwise.
private final class CompleteRequests: ChannelInboundHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart

  private var isComplete = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .end = unwrapInboundIn(data) { isComplete = true }
    context.fireChannelRead(data)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if !isComplete { context.fireErrorCaught(ChannelError.inputClosed) }
    context.fireChannelInactive()
  }
}

/// Waits for the first bytes of a connection, sets up what they ask for, and takes itself out.
private final class PrefaceHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private let promise: EventLoopPromise<OnePortChannel.Connection>
  private let timeout: Duration
  private let configure: (_ isHTTP2: Bool) -> EventLoopFuture<OnePortChannel.Connection>
  private var received = ByteBuffer()
  private var timer: Scheduled<Void>?
  private var isConfiguring = false

  init(
    _ promise: EventLoopPromise<OnePortChannel.Connection>, timeout: Duration,
    configure: @escaping (_ isHTTP2: Bool) -> EventLoopFuture<OnePortChannel.Connection>
  ) {
    self.promise = promise
    self.timeout = timeout
    self.configure = configure
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: TimeAmount(timeout)) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    // It has no effect after the promise's success.
    promise.fail(ChannelError.eof)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    let start = received.readableBytesView.prefix(Self.preface.count)
    let isHTTP2 = start.elementsEqual(Self.preface.prefix(start.count))
    guard !isConfiguring, !isHTTP2 || start.count == Self.preface.count else { return }
    isConfiguring = true
    configure(isHTTP2).assumeIsolated().whenComplete { result in
      switch result {
      case .success(let connection):
        context.fireChannelRead(self.wrapInboundOut(self.received))
        context.fireChannelReadComplete()
        self.promise.succeed(connection)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
      case .failure(let error):
        self.promise.fail(error)
        context.close(promise: nil)
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Nothing was asked yet, or what was asked is not complete.
    let isEnd = event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed
    if isEnd, !isConfiguring { context.close(promise: nil) } else { context.fireUserInboundEventTriggered(event) }
  }
}
#endif
