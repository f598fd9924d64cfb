#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Serves gRPC calls: requests of HTTP/2 whose content type is `application/grpc`.
///
/// Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
struct GRPCResponder: Sendable {
  private static let contentType = "application/grpc"

  let api: EmulatorAPI
  private let router = GRPCRouter()

  /// Creates a responder.
  init(_ api: EmulatorAPI) {
    self.api = api
  }

  /// Whether a request is a gRPC call whose messages are protocol buffers.
  static func isCall(_ head: HTTPRequest) -> Bool {
    let type = head.headerFields[.contentType]?.prefix { $0 != ";" }.lowercased() ?? ""
    return head.method == .post && [contentType, contentType + "+proto"].contains(type)
  }

  /// Returns the answer to a call.
  func response(to request: Request) -> Response {
    Self.response { writer in
      do {
        return try await respond(to: request, &writer)
      } catch let fault as ServiceFault {
        return fault
      }
    }
  }

  /// Returns the answer to a call that is refused before it is read.
  static func response(_ fault: ServiceFault) -> Response { response { _ in fault } }

  /// Returns an answer whose body a closure writes.
  ///
  /// - Parameter write: writes the messages, and returns why the call failed, or nil.
  /// - Returns: the answer.
  private static func response(
    _ write: @escaping @concurrent @Sendable (inout any ResponseBodyWriter) async throws -> ServiceFault?
  ) -> Response {
    Response(
      status: .ok, headers: [.contentType: contentType, .grpcAcceptEncoding: "identity,gzip"],
      body: ResponseBody { writer in
        let fault = try await write(&writer)
        var trailers = HTTPFields()
        for trailer in GRPCStatus.trailers(fault) {
          if let name = HTTPField.Name(trailer.name) { trailers[name] = trailer.value }
        }
        try await writer.finish(trailers)
      })
  }

  @concurrent
  private func respond(to request: Request, _ writer: inout any ResponseBodyWriter) async throws -> ServiceFault? {
    let entry = try router.method(request.head.path ?? "", host: request.head.authority ?? "")
    let body = GRPCBody(request, entry, router)
    let response = Message(of: entry.method.response, in: .google)
    switch entry.path {
    case "google.firestore.v1.Firestore/Listen":
      try await listen(body, ListenSession(response), until: try Self.deadline(request), &writer)
    case "google.firestore.v1.Firestore/Write":
      var session = WriteSession(response)
      for try await request in body {
        let result = try await perform(try session.commit(request))
        try await write(session.response(result), &writer)
      }
    case "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo":
      for try await request in body { try await write(Reflection.google.answer(request, response), &writer) }
    case "grpc.health.v1.Health/Watch": try await watch(MethodCall(entry, try await body.only()), &writer)
    default:
      let call = MethodCall(entry, try await body.only())
      try await write(try await api.perform(call).get(), &writer)
    }
    return nil
  }

  @concurrent
  private func write(_ message: Message, _ writer: inout any ResponseBodyWriter) async throws {
    let frame = GRPCFrameReader.Frame(bytes: ProtobufWriter.bytes(message))
    try await writer.write(ByteBuffer(bytes: GRPCFrameReader.body(frame)))
  }

  /// Writes messages together: each write is a task of the event loop, with a flush.
  @concurrent
  private func write(_ messages: [Message], _ writer: inout any ResponseBodyWriter) async throws {
    var buffer = ByteBuffer()
    for message in messages {
      let frame = GRPCFrameReader.Frame(bytes: ProtobufWriter.bytes(message))
      buffer.writeBytes(GRPCFrameReader.body(frame))
      guard buffer.readableBytes >= 32_768 else { continue }
      try await writer.write(buffer)
      buffer = ByteBuffer()
    }
    if buffer.readableBytes > 0 { try await writer.write(buffer) }
  }

  private func perform(_ commit: Message?) async throws(ServiceFault) -> Message? {
    guard let commit, let entry = MethodTable.google.entries["google.firestore.v1.Firestore/Commit"] else { return nil }
    return try await api.perform(MethodCall(entry, commit)).get().first
  }

  // MARK: Streams that wait

  /// The interval at which the health is told again, so that the stream of a client that is gone ends.
  private static let watchInterval = Duration.seconds(30)

  @concurrent
  private func watch(_ call: MethodCall, _ writer: inout any ResponseBodyWriter) async throws {
    let clock = SystemClock()
    while true {
      for response in try await api.perform(call).get() { try await write(response, &writer) }
      try await clock.sleep(until: clock.now() + Self.watchInterval)
    }
  }

  /// Returns the end of a call's time limit.
  private static func deadline(_ request: Request) throws(ServiceFault) -> Timestamp {
    guard let text = request.headers[.grpcTimeout] else { return .distantFuture }
    guard let timeout = GRPCStatus.timeout(text) else {
      throw .invalidArgument("The grpc-timeout \(text) is not a number with one of the units H, M, S, m, u and n.")
    }
    return SystemClock().now() + timeout
  }

  /// What a listener waits for.
  fileprivate enum ListenEvent: Sendable {
    case request(Message)
    case commit
  }

  @concurrent
  private func listen(
    _ body: GRPCBody, _ session: ListenSession, until deadline: Timestamp, _ writer: inout any ResponseBodyWriter
  ) async throws {
    let session = OpenSession(session)
    let (events, continuation) = AsyncThrowingStream.makeStream(of: ListenEvent.self)
    let emulator = api.emulator
    // Whether commits wait to be told: as often as they are signalled, they are told together.
    let pending = PendingCommits()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // The end of the client's requests ends the stream.
        do {
          for try await request in body { continuation.yield(.request(request)) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      group.addTask {
        while true {
          let seen = emulator.commitGeneration
          if pending.add() { continuation.yield(.commit) }
          try await emulator.waitForCommit(after: seen)
        }
      }
      group.addTask {
        try await SystemClock().sleep(until: deadline)
        continuation.finish(throwing: ServiceFault(.deadlineExceeded, "The time limit of the call has passed."))
      }
      defer { group.cancelAll() }
      for try await event in events {
        if case .commit = event { pending.take() }
        let responses = try await api.firestore.run { () throws(ServiceFault) in
          try session.handle(event, emulator)
        }
        // What a listener is told would survive the process.
        if !responses.isEmpty { try await api.makeDurable() }
        try await write(responses, &writer)
        // Of many commits some are told at a time; requests come in between.
        if case .commit = event, !responses.isEmpty, pending.add() { continuation.yield(.commit) }
      }
    }
  }
}

/// Whether commits wait to be told.
private final class PendingCommits: Sendable {
  private let isPending = Atomic(false)

  /// Adds a commit; returns whether it is the first one that waits.
  func add() -> Bool { !isPending.exchange(true, ordering: .acquiringAndReleasing) }

  /// Takes all that wait.
  func take() { isPending.store(false, ordering: .releasing) }
}

/// A session that is changed in place: a copy of it would copy what it knows of its documents at each commit.
private final class OpenSession: Sendable {
  private let session: Mutex<ListenSession>

  init(_ session: ListenSession) {
    self.session = Mutex(session)
  }

  /// Handles an event under Firestore's lock.
  func handle(_ event: GRPCResponder.ListenEvent, _ emulator: LiveEmulator) throws(ServiceFault) -> [Message] {
    try session.withLock { (session) throws(ServiceFault) in
      try emulator.withFirestore { (firestore, now) throws(ServiceFault) in
        guard case .request(let request) = event else { return try session.advance(&firestore, at: now) }
        return try session.handle(request, &firestore, at: now)
      }
    }
  }
}

extension HTTPField.Name {
  /// How the messages of a gRPC call are compressed.
  static let grpcEncoding = HTTPField.Name("grpc-encoding") ?? .contentEncoding
  /// The time limit of a gRPC call.
  static let grpcTimeout = HTTPField.Name("grpc-timeout") ?? .retryAfter
  /// The encodings that the server reads.
  static let grpcAcceptEncoding = HTTPField.Name("grpc-accept-encoding") ?? .acceptEncoding
}
#endif
