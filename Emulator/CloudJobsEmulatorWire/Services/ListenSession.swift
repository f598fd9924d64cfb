package import CloudJobsCore
package import CloudJobsEmulator

/// The stream of `google.firestore.v1.Firestore/Listen`: targets in, changes out.
///
/// A resume token is the time up to which all changes were told, so that it outlives its stream and the emulator.
package struct ListenSession: Sendable {
  private var listener: FirestoreListener?
  private var resetCount: UInt64?
  private let empty: Message

  /// Creates a session without targets.
  ///
  /// - Parameter response: an empty `ListenResponse`.
  package init(_ response: Message) {
    empty = response
  }

  /// Handles a request.
  ///
  /// - Parameters:
  ///   - request: a `ListenRequest`.
  ///   - firestore: the service.
  ///   - now: the time.
  /// - Returns: the responses.
  /// - Throws: ``ServiceFault`` `invalidArgument`, which ends the stream.
  package mutating func handle(
    _ request: Message, _ firestore: inout FirestoreService, at now: Timestamp
  ) throws(ServiceFault) -> [Message] {
    try checkReset(firestore)
    let database = try Firestore.Name(parent: request.string("database") + "/documents").database
    var listener = self.listener ?? FirestoreListener(to: database)
    guard listener.database == database else {
      throw .invalidArgument("All requests of a stream must be for the same database, '\(listener.database)'.")
    }
    let events: [Firestore.ListenEvent]
    switch request.choice("target_change") {
    case "add_target":
      let target = try Firestore.ListenTarget(request.message("add_target") ?? request.empty("add_target"))
      events = listener.add(target, &firestore, at: now)
    case "remove_target": events = listener.remove(Int32(truncatingIfNeeded: request.int("remove_target")))
    default: throw .invalidArgument("A listen request must have one of addTarget and removeTarget.")
    }
    self.listener = listener
    return events.map { message($0) }
  }

  /// Returns the responses for the next commits; none if none of them matters.
  ///
  /// - Parameters:
  ///   - firestore: the service.
  ///   - now: the time.
  /// - Returns: the responses.
  /// - Throws: ``ServiceFault`` `unavailable` after a reset of the emulator; clients listen again then.
  package mutating func advance(
    _ firestore: inout FirestoreService, at now: Timestamp
  ) throws(ServiceFault) -> [Message] {
    try checkReset(firestore)
    return (listener?.advance(&firestore, at: now) ?? []).map { message($0) }
  }

  private mutating func checkReset(_ firestore: FirestoreService) throws(ServiceFault) {
    guard firestore.resetCount == resetCount ?? firestore.resetCount else {
      throw ServiceFault(.unavailable, "The emulator was reset. Listen again.")
    }
    resetCount = firestore.resetCount
  }

  private func message(_ event: Firestore.ListenEvent) -> Message {
    var message = empty
    switch event {
    case .target(let change, let ids, let time, let cause):
      message.set("target_change") {
        $0.set("target_change_type", change)
        $0.set("target_ids", ids: ids)
        $0.set("read_time", time)
        if let time { $0.set("resume_token", ResumeToken.bytes(time)) }
        $0.set("cause", status: cause.map { RPCStatus(code: $0.code, message: $0.message) })
      }
    case .changed(let document, let ids, let removed):
      message.set("document_change") {
        $0.set("document") { $0.fill(document) }
        $0.set("target_ids", ids: ids)
        $0.set("removed_target_ids", ids: removed)
      }
    case .deleted(let name, let removed, let time):
      message.set("document_delete") { $0.fill(name, removed, time) }
    case .removed(let name, let removed, let time):
      message.set("document_remove") { $0.fill(name, removed, time) }
    case .filter(let id, let count):
      message.set("filter") {
        $0.set("target_id", Int(id))
        $0.set("count", count)
      }
    }
    return message
  }
}

/// A resume token: a time in microseconds.
enum ResumeToken {
  /// Returns the token of a time.
  static func bytes(_ time: Timestamp) -> [UInt8] {
    withUnsafeBytes(of: time.microseconds.bigEndian) { Array($0) }
  }

  /// Returns the time of a token; nil if it is none of the emulator's.
  static func time(_ bytes: [UInt8]) -> Timestamp? {
    guard bytes.count == 8 else { return nil }
    return Timestamp(microseconds: bytes.reduce(0) { $0 << 8 | Int64($1) })
  }
}

extension Firestore.ListenTarget {
  fileprivate init(_ message: Message) throws(ServiceFault) {
    let kind: Kind
    if let documents = message.message("documents") {
      var names: [Firestore.Name] = []
      for text in documents.texts("documents") { names.append(try Firestore.Name(document: text)) }
      kind = .documents(names)
    } else if let target = message.message("query"), let query = target.message("structured_query") {
      kind = .query(
        try Firestore.Query(query), parent: try Firestore.Name(parent: target.string("parent")))
    } else {
      throw .invalidArgument("A target must have one of documents and query.")
    }
    let token = message.bytes("resume_token")
    // A token of another emulator is like one that is too old.
    let resumeTime = token.isEmpty ? message.timestamp("read_time") : ResumeToken.time(token) ?? .distantPast
    self.init(
      id: Int32(truncatingIfNeeded: message.int("target_id")), kind: kind, resumeTime: resumeTime,
      isOnce: message.bool("once"))
  }
}

extension Message {
  fileprivate mutating func set(_ name: String, ids: [Int32]) {
    self[name] = .list(ids.map { .int(Int64($0)) })
  }

  fileprivate mutating func fill(_ name: Firestore.Name, _ removed: [Int32], _ time: Timestamp) {
    set("document", "\(name)")
    set("removed_target_ids", ids: removed)
    set("read_time", time)
  }
}
