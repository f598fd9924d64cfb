import CloudJobsCore
import CloudJobsEmulatorWire
import Testing

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

@Suite("The emulator's write-ahead log")
struct WriteAheadLogTests {
  private static let time = Timestamp(microseconds: 1_795_000_000_123_456)

  @Test(
    "each record round-trips",
    arguments: [
      .request(["method": "POST", "path": ["v2"]]), .moved(.seconds(-5)), .frozen(at: Self.time), .reset, .event(.wake),
      .event(.resumed),
      .event(.completed(DeliveryID(.tasks, 7), .timedOut)),
      .event(.completed(DeliveryID(.scheduler, .max / 2), .connectionFailed("é \"x\"\n"))),
      .event(.completed(DeliveryID(.tasks, 1), .response(status: 503, headers: [HeaderField("Retry-After", "9")]))),
    ] as [WriteAheadLogRecord.Change])
  func roundTrip(change: WriteAheadLogRecord.Change) throws {
    let record = WriteAheadLogRecord(time: Self.time, change: change)
    let json = try JSONValue(parsing: record.json.encoded, limits: .service)
    #expect(WriteAheadLogRecord(json: json) == record)
  }

  @Test(
    "a call round-trips",
    arguments: [
      ("PATCH", "/v2/projects/p/locations/l/queues/q?updateMask=rateLimits,retryConfig.maxAttempts", "{}"),
      ("DELETE", "/v1/projects/p/databases/d/documents/c/%C3%A9?currentDocument.exists=false", ""),
      ("POST", "/v1/projects/p/databases/d/documents:commit", #"{"transaction":"AP8="}"#),
    ])
  func call(method: String, target: String, body: String) throws {
    let request = RESTRequest(method: method, target: target, body: Array(body.utf8))
    let call = try HTTPRouter.google.call(for: request).get().call
    let json = try JSONValue(parsing: call.json.encoded, limits: .service)
    let stored = try #require(MethodCall(json: json, in: .google))
    #expect(stored.request == call.request && stored.entry.path == call.entry.path)
  }

  @Test(
    "invalid records are recognized",
    arguments: ["{}", "[]", #"{"at":1}"#, #"{"at":1,"event":"x"}"#, #"{"at":1,"event":"completed","service":"tasks"}"#])
  func noRecord(text: String) throws {
    #expect(WriteAheadLogRecord(json: try JSONValue(parsing: Array(text.utf8), limits: .service)) == nil)
  }

  @Test(
    "replaying any history from its start or a snapshot gives the same state and the same future",
    arguments: 1...25, [0, 1, 2])
  func replay(seed: UInt64, cuts: Int) throws {
    let live = WriteAheadLogHistory(seed: seed)
    for part in 0...cuts {
      if part > 0 {
        // Leaves deliveries in flight and due work undone for the snapshot.
        for _ in 0..<10 { _ = live.request() }
        live.perform(.wake)
        for _ in 0..<10 { _ = live.request() }
        live.rotate()
      }
      for _ in 0..<Int.random(in: 0...100, using: &live.random) { _ = live.step() }
    }
    let restarted = try live.restarted()
    // A restart repeats the deliveries in flight; the services are told, and so is the emulator that continued.
    live.perform(.resumed)
    _ = live.takeOutbox()
    #expect(restarted.picture == live.picture)
    #expect(restarted.takeOutbox() == live.open)
    for number in 0..<150 {
      let (expected, found) = (live.step(), restarted.step())
      try #require(found == expected, "in step \(number)")
    }
    #expect(restarted.picture == live.picture)
  }

  @Test("a snapshot keeps a queue's pending work and its slowdown")
  func moment() throws {
    var live = EmulatorState(tasks: .init(burstSize: 2), seed: 1)
    let name = try CloudTasks.QueueName("projects/p/locations/l/queues/q")
    let limits = CloudTasks.RateLimits(maxDispatchesPerSecond: .perSecond(8))
    _ = try live.tasks.createQueue(.init(name: name, rateLimits: limits), at: Self.time)
    for number in 0..<60 {
      let task = CloudTasks.NewTask(name: "\(name)/tasks/t\(number)", target: .http(HTTPTarget(url: "http://h/")))
      _ = try live.tasks.createTask(task, in: name, at: Self.time)
    }
    for case .deliver(let delivery) in live.handle(.wake, at: Self.time) {
      _ = live.handle(.completed(delivery.id, .response(status: 429)), at: Self.time)
    }
    _ = try live.tasks.runTask(try CloudTasks.TaskName("\(name)/tasks/t59"), at: Self.time)
    let log = MemoryWriteAheadLog()
    log.rotate(after: EmulatorSnapshot(live))
    var restored = try log.recovery(from: EmulatorState(tasks: .init(burstSize: 2), seed: 1)).snapshot.state
    for tenths in 0..<200 {
      let now = Self.time + .milliseconds(100 * tenths)
      try #require(restored.handle(.wake, at: now) == live.handle(.wake, at: now), "after \(tenths) tenths of a second")
    }
    #expect(live.tasks.inFlightCount > 20)
  }

  @Test(
    "a transaction open at a snapshot meets conflicts from before and after it",
    arguments: [2, 4, nil] as [Int?])
  func transaction(deletionSecond: Int?) throws {
    var state = EmulatorState(seed: 1)
    let document = try Firestore.Name(document: "projects/p/databases/(default)/documents/c/d")
    let database = document.database
    func change(_ state: inout EmulatorState, second: Int) throws {
      guard second == deletionSecond else { return }
      try state.firestore.deleteDocument(document, at: Self.time + .seconds(second))
    }
    _ = try state.firestore.updateDocument(document, fields: ["n": .integer(1)], at: Self.time)
    let id = try state.firestore.beginTransaction(in: database, at: Self.time)
    let read = try state.firestore.runQuery(
      Firestore.Query(from: .init("c")), under: Firestore.Name(database, .root), consistency: .transaction(id),
      at: Self.time + .seconds(1))
    #expect(read.documents.count == 1)
    try change(&state, second: 2)
    let log = MemoryWriteAheadLog()
    log.rotate(after: EmulatorSnapshot(state))
    var restored = try log.recovery(from: EmulatorState(seed: 1)).snapshot.state
    try change(&restored, second: 4)
    let write = Firestore.Write(document.child("other").child("x"), .update(fields: [:], mask: nil))
    func commit() throws(ServiceFault) {
      _ = try restored.firestore.commit([write], in: database, transaction: id, at: Self.time + .seconds(5))
    }
    if deletionSecond == nil {
      try commit()
    } else {
      #expect(throws: FirestoreService.contention) { try commit() }
    }
  }
}
