#if Server
import NIOCore
import NIOHTTP1
import Synchronization

/// A channel handler that enforces a connection's limits: the shell around ``ConnectionState``, behind the HTTP/1
/// decoder.
final class ConnectionGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private var state: ConnectionState
  private let refusalBody: @Sendable (HTTPRefusal) -> [UInt8]
  private let connections: OpenConnections
  private var timer: (deadline: Duration, task: Scheduled<Void>)?

  init(
    limits: HTTPServerLimits, connections: OpenConnections,
    refusalBody: @escaping @Sendable (HTTPRefusal) -> [UInt8]
  ) {
    self.connections = connections
    state = ConnectionState(limits: limits, at: Self.time(.now()))
    self.refusalBody = refusalBody
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
    let eventLoop = context.eventLoop
    connections.add(ObjectIdentifier(self)) {
      eventLoop.execute { bound.value.handler.processEnds(bound.value.context) }
    }
    schedule(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    connections.remove(ObjectIdentifier(self))
    timer?.task.cancel()
    timer = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let now = Self.time(context.eventLoop.now)
    let action =
      switch unwrapInboundIn(data) {
      case .head(let head): state.head(ConnectionState.Head(head), at: now)
      case .body: state.body()
      case .end: state.end(at: now)
      }
    if action == .pass { context.fireChannelRead(data) } else { perform(action, context) }
    schedule(context)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    // No other handler reads any more.
    if state.isLingering { context.read() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is HTTPParserError else { return context.fireErrorCaught(error) }
    let action = state.malformed(at: Self.time(context.eventLoop.now))
    if action == .pass { context.fireErrorCaught(error) }
    schedule(context)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    var action = ConnectionState.Action.pass
    switch event {
    case ChannelEvent.inputClosed: action = state.inputClosed()
    case is ChannelShouldQuiesceEvent:
      state.shutDown(at: Self.time(context.eventLoop.now))
      schedule(context)
    default: break
    }
    if action == .pass { context.fireUserInboundEventTriggered(event) } else { perform(action, context) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    state.closed()
    context.fireChannelInactive()
    schedule(context)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let now = Self.time(context.eventLoop.now)
    var data = data
    let action: ConnectionState.Action
    switch unwrapOutboundIn(data) {
    case .head(var head):
      // Informational responses precede the final one.
      action = head.status.code < 200 ? (state.isLingering ? .drop : .pass) : state.responseHead(at: now)
      if state.announcesClose {
        head.headers.replaceOrAdd(name: "connection", value: "close")
        data = wrapOutboundOut(.head(head))
      }
    case .body: action = state.responseBody(at: now)
    case .end: action = state.responseEnd(at: now)
    }
    switch action {
    case .drop: promise?.fail(ChannelError.ioOnClosedChannel)
    case .pass: context.write(data, promise: promise)
    default:
      context.writeAndFlush(data, promise: promise)
      perform(action, context)
    }
    schedule(context)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    // The output is already closed; this handler reads and drops the rest of the input.
    if state.isLingering, mode != .all { promise?.succeed() } else { context.close(mode: mode, promise: promise) }
  }

  private func perform(_ action: ConnectionState.Action, _ context: ChannelHandlerContext) {
    switch action {
    case .pass, .drop: break
    case .refuse(let refusal):
      write(refusal, context)
      // Ends the application's wait for the rest of the request.
      context.fireErrorCaught(RefusedByServer(refusal: refusal))
      linger(context)
    case .linger: linger(context)
    case .close: context.close(promise: nil)
    }
  }

  private func linger(_ context: ChannelHandlerContext) {
    context.close(mode: .output, promise: nil)
    context.read()
  }

  private func write(_ refusal: HTTPRefusal, _ context: ChannelHandlerContext) {
    let body = context.channel.allocator.buffer(bytes: refusalBody(refusal))
    let headers: HTTPHeaders = [
      "content-type": "application/json; charset=utf-8", "content-length": "\(body.readableBytes)",
      "cache-control": "no-store", "connection": "close",
    ]
    let head = HTTPResponseHead(
      version: .http1_1, status: HTTPResponseStatus(statusCode: refusal.status), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  /// Schedules the timer for the state's deadline or earlier.
  private func schedule(_ context: ChannelHandlerContext) {
    guard let deadline = state.deadline else { return }
    if let timer, timer.deadline <= deadline { return }
    timer?.task.cancel()
    let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
    let time = NIODeadline.uptimeNanoseconds(UInt64(clamping: deadline.nanoseconds))
    let task = context.eventLoop.scheduleTask(deadline: time) { bound.value.handler.timeIsUp(bound.value.context) }
    timer = (deadline, task)
  }

  private func timeIsUp(_ context: ChannelHandlerContext) {
    timer = nil
    perform(state.expire(at: Self.time(context.eventLoop.now)), context)
    schedule(context)
  }

  private func processEnds(_ context: ChannelHandlerContext) {
    guard context.channel.isActive else { return }
    perform(state.processEnds(at: Self.time(context.eventLoop.now)), context)
  }

  private static func time(_ deadline: NIODeadline) -> Duration {
    .nanoseconds(Int64(clamping: deadline.uptimeNanoseconds))
  }
}

/// The open connections of a server, through which requests are answered when the application no longer can.
package final class OpenConnections: Sendable {
  private let refusals = Mutex<[ObjectIdentifier: @Sendable () -> Void]>([:])

  /// Answers 503 to every request that is waiting for the application, on the threads of the event loops.
  package func refuseRequests() {
    for refuse in refusals.withLock({ Array($0.values) }) { refuse() }
  }

  func add(_ connection: ObjectIdentifier, _ refuse: @escaping @Sendable () -> Void) {
    refusals.withLock { $0[connection] = refuse }
  }

  func remove(_ connection: ObjectIdentifier) {
    refusals.withLock { $0[connection] = nil }
  }
}

/// The error that an application sees when the server has answered the request itself.
struct RefusedByServer: Error {
  let refusal: HTTPRefusal
}

extension ConnectionState.Head {
  init(_ head: HTTPRequestHead) {
    hosts = head.headers[canonicalForm: "host"].count
    needsHost = (head.version.major, head.version.minor) >= (1, 1)
    keepsAlive = head.isKeepAlive
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    Int64(clamping: components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
  }
}
#endif
