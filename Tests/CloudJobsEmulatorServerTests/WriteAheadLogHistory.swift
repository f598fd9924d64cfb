import CloudJobsCore
import CloudJobsEmulatorWire
import Synchronization

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

/// A write-ahead log in memory that encodes and decodes its snapshots and records.
final class MemoryWriteAheadLog: WriteAheadLog {
  private struct State {
    var snapshot: [[UInt8]]?
    var records: [[UInt8]] = []
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.records.count } }
  var isSnapshotDue: Bool { false }

  func append(_ record: WriteAheadLogRecord) { state.withLock { $0.records.append(record.json.encoded) } }
  func flush() async throws(JobError) {}
  func saveSnapshot() async throws(JobError) {}

  func rotate(after snapshot: EmulatorSnapshot) {
    var lines: [[UInt8]] = []
    try? snapshot.forEachLine { lines.append($0) }
    state.withLock { $0 = State(snapshot: lines) }
  }

  /// Returns the recovery of the log by another process.
  func recovery(from initial: EmulatorState) throws -> EmulatorRecovery {
    let kept = state.withLock { $0 }
    var snapshot = kept.snapshot.map { _ in EmulatorSnapshot(initial) }
    for line in kept.snapshot ?? [] { try snapshot?.restore(line[...]) }
    var recovery = EmulatorRecovery(initial, from: snapshot)
    for line in kept.records {
      let json = try JSONValue(parsing: line, limits: .service)
      guard let record = WriteAheadLogRecord(json: json) else { throw JobError(.malformedJSON, "no record") }
      recovery.apply(record) { json, state, time in
        guard let call = MethodCall(json: json, in: .google) else { return }
        _ = try? MethodTable.google.perform(call, &state, at: time)
      }
    }
    return recovery
  }
}

/// An emulator with a random history: requests of all services, ended deliveries and time.
final class WriteAheadLogHistory {
  static let start = Timestamp(microseconds: 1_795_000_000_123_456)
  let initial: EmulatorState
  let clock: VirtualClock
  let emulator: LiveEmulator
  let log: MemoryWriteAheadLog
  var random: SplitMix64
  private var requests = RequestDraw()

  /// Creates the start of a history.
  convenience init(seed: UInt64) {
    let tasks = CloudTasks.Options(
      taskTombstone: .seconds(30), queueTombstone: .seconds(20), retention: .minutes(20),
      burstSize: 2)
    let scheduler = CloudScheduler.Options(pushEndpoints: ["projects/p/topics/t": "http://push/"])
    let initial = EmulatorState(tasks: tasks, scheduler: scheduler, seed: seed)
    self.init(
      initial, EmulatorRecovery(initial), VirtualClock(start: Self.start), MemoryWriteAheadLog(), SplitMix64(seed: seed)
    )
  }

  private init(
    _ initial: EmulatorState, _ recovery: EmulatorRecovery, _ clock: VirtualClock, _ log: MemoryWriteAheadLog,
    _ random: SplitMix64
  ) {
    self.initial = initial
    self.clock = clock
    self.log = log
    self.random = random
    emulator = LiveEmulator(state: initial, clock: clock) { _ in .timedOut }
    emulator.resume(recovery, log: log)
  }

  /// Returns the history that another process restores from the log and continues with the same random numbers.
  func restarted() throws -> WriteAheadLogHistory {
    let other = WriteAheadLogHistory(
      initial, try log.recovery(from: initial), VirtualClock(start: clock.now()), MemoryWriteAheadLog(), random)
    other.requests = requests
    return other
  }

  /// Rotates the write-ahead log.
  func rotate() {
    _ = emulator.rotateLog()
  }

  /// The deliveries that have not ended.
  var open: [DeliveryRequest] { emulator.shared.withLock { $0.open.all } }

  /// Performs one random step and returns its result.
  func step() -> String {
    let known = emulator.traceEntries.count
    var text = ""
    let open = open
    switch Int.random(in: 0..<1_000, using: &random) {
    case 0: emulator.reset(to: initial)
    case 1..<20: move(by: .seconds(Int.random(in: 1...300, using: &random)))
    case 20..<30: emulator.freeze()
    case 30..<40: emulator.unfreeze()
    case 40..<600:
      text = request()
    case 600..<850 where !open.isEmpty:
      let delivery = open[Int.random(in: 0..<open.count, using: &random)]
      let status = [200, 500, 429].randomElement(using: &random) ?? 200
      let headers = status == 429 ? [HeaderField("Retry-After", "2")] : []
      perform(.completed(delivery.id, .response(status: status, headers: headers)))
    default:
      clock.move(to: clock.now() + .milliseconds(Int.random(in: 1...2_000, using: &random)))
      perform(.wake)
    }
    let deliveries = takeOutbox().map { "\($0)" }.joined(separator: "\n")
    // A reset clears the trace.
    let entries = emulator.traceEntries
    let news = entries.dropFirst(known <= entries.count ? known : 0).map { "\($0)" }.joined(separator: "\n")
    return text + "\n" + deliveries + "\n" + news
  }

  /// Makes a random request and returns its response.
  func request() -> String {
    let request = requests.next(&random, at: emulator.now)
    let answer = emulator.serve(request)
    requests.note(answer.body)
    return "\(answer.status) \(answer.body.text)"
  }

  /// Processes an event in the services.
  func perform(_ event: ServiceEvent) {
    emulator.shared.withLock { shared in
      let now = emulator.time(&shared)
      emulator.perform(event, at: now, &shared)
    }
  }

  /// The deliveries requested.
  func takeOutbox() -> [DeliveryRequest] {
    emulator.shared.withLock { shared in
      defer { shared.outbox.removeAll() }
      return shared.outbox
    }
  }

  private func move(by span: Duration) {
    emulator.shared.withLock { shared in
      let now = emulator.time(&shared)
      emulator.move(to: now + span, isFrozen: shared.frozenAt != nil, &shared)
    }
  }

  /// All that clients can see.
  var picture: [String] {
    emulator.withState { state, now in
      var copy = state
      let waiting = state.waiting(at: now).map { "\($0.name) \($0.reason)" }
      let answers = RequestDraw.reads.map { target in
        HTTPRouter.google.respond(to: RESTRequest(method: "GET", target: target), state: &copy, at: now).body.text
      }
      let next = state.nextWake.map { "\($0)" } ?? "never"
      let attempt = state.nextAttempt(at: now).map { "\($0)" } ?? "never"
      let clock = ["now \(now)", "next \(next)", "next attempt \(attempt)", "held \(state.isHeld)"]
      return waiting + answers + clock + ["idle \(copy.isIdle(at: now))", "\(state.firestore.usage)"]
    }
  }
}

/// A generator of requests that change every kind of state of the services.
struct RequestDraw {
  private static let location = "projects/p/locations/l"
  private static let documents = "projects/p/databases/(default)/documents"
  private static let other = "projects/p/databases/other/documents"
  private var transactions: [String] = []

  /// Reads that together show all that clients can see.
  static var reads: [String] {
    var targets = [
      "/v2/\(location)/queues", "/v1/\(location)/jobs", "/v2/\(location)/operations", "/v1/\(location)/cmekConfig",
      "/v1/\(documents)/c?pageSize=300", "/v1/\(other)/c?pageSize=300", "/v1/\(documents)/c/d1/c?pageSize=300",
    ]
    for queue in ["q0", "q1"] {
      targets.append("/v2/\(location)/queues/\(queue)/tasks?pageSize=1000&responseView=FULL")
    }
    return targets
  }

  /// Records IDs for later requests.
  mutating func note(_ answer: JSONValue) {
    let named = answer["transaction"] ?? answer.array?.first?["transaction"]
    if let id = named?.string { transactions = transactions.suffix(5) + [id] }
  }

  /// Returns the next request.
  mutating func next(_ random: inout SplitMix64, at now: Timestamp) -> RESTRequest {
    let calls =
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4: tasks(&random, at: now)
      case 4..<6: jobs(&random)
      case 6..<9: documents(&random, at: now)
      default: administration(&random)
      }
    let call = calls[Int.random(in: 0..<calls.count, using: &random)]
    return RESTRequest(method: call.0, target: call.1, body: Array(call.2.utf8))
  }

  private typealias Call = (String, String, String)

  private func tasks(_ random: inout SplitMix64, at now: Timestamp) -> [Call] {
    let queue = "\(Self.location)/queues/q\(Int.random(in: 0..<2, using: &random))"
    let task = "\(queue)/tasks/t\(Int.random(in: 0..<8, using: &random))"
    let later = now + .seconds(Int.random(in: 1...100, using: &random))
    let target = #""httpRequest":{"url":"http://h/é","body":"AP8=","headers":{"A":"b"},"oidcToken":{}}"#
    let new = #"{"task":{"name":"\#(task)",\#(target),"dispatchDeadline":"15s"}}"#
    let limits = #""rateLimits":{"maxDispatchesPerSecond":2.5,"maxConcurrentDispatches":2}"#
    let retry = #""retryConfig":{"maxAttempts":5,"minBackoff":"1s","maxBackoff":"20s","maxDoublings":2}"#
    return [
      ("POST", "/v2/\(Self.location)/queues", #"{"name":"\#(queue)",\#(limits),\#(retry)}"#),
      ("PATCH", "/v2/\(queue)", #"{"rateLimits":{"maxDispatchesPerSecond":1}}"#),
      ("POST", "/v2/\(queue)/tasks", new), ("POST", "/v2/\(queue)/tasks", new), ("POST", "/v2/\(queue)/tasks", new),
      ("POST", "/v2/\(queue)/tasks", "{\"task\":{\(target)}}"),
      ("POST", "/v2/\(queue)/tasks", #"{"task":{\#(target),"scheduleTime":"\#(later)"}}"#),
      ("DELETE", "/v2/\(task)", ""), ("POST", "/v2/\(task):run", ""), ("POST", "/v2/\(task):run", ""),
      ("POST", "/v2/\(queue):pause", ""),
      ("POST", "/v2/\(queue):resume", ""), ("POST", "/v2/\(queue):resume", ""), ("POST", "/v2/\(queue):purge", ""),
      ("DELETE", "/v2/\(queue)", ""),
    ]
  }

  private func jobs(_ random: inout SplitMix64) -> [Call] {
    let job = "\(Self.location)/jobs/j\(Int.random(in: 0..<3, using: &random))"
    let schedule = ["* * * * *", "every 7 minutes", "*/5 * * * *"].randomElement(using: &random) ?? ""
    let common = #""schedule":"\#(schedule)","retryConfig":{"retryCount":3,"maxRetryDuration":"60s"}"#
    let http = #""httpTarget":{"uri":"http://h/","body":"AP8=","headers":{"A":"b"}}"#
    let topic = #""pubsubTarget":{"topicName":"projects/p/topics/t","data":"AP8=","attributes":{"a":"b"}}"#
    return [
      ("POST", "/v1/\(Self.location)/jobs", #"{"name":"\#(job)",\#(common),\#(http),"attemptDeadline":"20s"}"#),
      ("POST", "/v1/\(Self.location)/jobs", #"{"name":"\#(job)",\#(common),\#(topic)}"#),
      ("POST", "/v1/\(Self.location)/jobs", "{\(common),\(topic)}"),
      ("PATCH", "/v1/\(job)?updateMask=description", #"{"description":"new"}"#),
      ("POST", "/v1/\(job):run", ""), ("POST", "/v1/\(job):run", ""), ("POST", "/v1/\(job):pause", ""),
      ("POST", "/v1/\(job):resume", ""), ("DELETE", "/v1/\(job)", ""),
    ]
  }

  private func documents(_ random: inout SplitMix64, at now: Timestamp) -> [Call] {
    let root = Int.random(in: 0..<4, using: &random) == 0 ? Self.other : Self.documents
    let collection = ["c", "c/d1/c"].randomElement(using: &random) ?? "c"
    let name = "\(root)/\(collection)/d\(Int.random(in: 0..<4, using: &random))"
    let number = Int.random(in: 0..<5, using: &random)
    let fields = #"{"n":{"integerValue":"\#(number)"},"x":{"doubleValue":"NaN"},"e":{"stringValue":"é\u0000"}}"#
    let write = #"{"update":{"name":"\#(name)","fields":\#(fields)}}"#
    let id = transactions.randomElement(using: &random) ?? ""
    let filter = #"{"fieldFilter":{"field":{"fieldPath":"n"},"op":"GREATER_THAN","value":{"integerValue":"2"}}}"#
    let query = #""structuredQuery":{"from":[{"collectionId":"c","allDescendants":true}],"where":\#(filter)}"#
    let earlier = now + .seconds(-Int.random(in: 0...60, using: &random))
    return [
      ("POST", "/v1/\(root)/c", #"{"fields":\#(fields)}"#),
      ("PATCH", "/v1/\(name)", #"{"fields":\#(fields)}"#), ("PATCH", "/v1/\(name)", #"{"fields":\#(fields)}"#),
      ("DELETE", "/v1/\(name)", ""),
      ("POST", "/v1/\(root):commit", #"{"writes":[\#(write)],"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):commit", #"{"writes":[\#(write)],"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):beginTransaction", "{}"),
      ("POST", "/v1/\(root):beginTransaction", #"{"options":{"readOnly":{}}}"#),
      ("POST", "/v1/\(root):rollback", #"{"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):batchGet", #"{"documents":["\#(name)"],"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):batchGet", #"{"documents":["\#(name)"],"newTransaction":{"readWrite":{}}}"#),
      ("POST", "/v1/\(root):batchGet", #"{"documents":["\#(name)"],"readTime":"\#(earlier)"}"#),
      ("POST", "/v1/\(root):runQuery", #"{\#(query),"transaction":"\#(id)"}"#),
      ("POST", "/v1/\(root):runQuery", #"{\#(query),"readTime":"\#(earlier)"}"#),
    ]
  }

  private func administration(_ random: inout SplitMix64) -> [Call] {
    let queue = "\(Self.location)/queues/q\(Int.random(in: 0..<2, using: &random))"
    let role = #"{"policy":{"bindings":[{"role":"r","members":["user:é"]}]}}"#
    let task = #"{"task":{"httpRequest":{"url":"http://h/"}}}"#
    return [
      ("POST", "/v2/\(queue):setIamPolicy", role), ("POST", "/v2/\(queue):getIamPolicy", ""),
      ("PATCH", "/v1/\(Self.location)/cmekConfig", #"{"kmsKeyName":"k"}"#),
      ("POST", "/v2/\(queue)/tasks:batchCreate", #"{"requests":[\#(task)]}"#),
      ("POST", "/v2/\(queue)/tasks:batchCreate", #"{"requests":[\#(task)],"requestId":"one"}"#),
    ]
  }
}
