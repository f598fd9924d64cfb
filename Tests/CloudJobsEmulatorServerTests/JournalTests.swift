import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

/// A journal in memory whose records go through their wire form.
private final class MemoryJournal: EmulatorJournal {
  private let lines = Mutex<[[UInt8]]>([])

  var records: [JournalRecord] {
    lines.withLock { $0 }.compactMap { line in
      (try? JSONValue(parsing: line, limits: .service)).flatMap { JournalRecord(json: $0) }
    }
  }

  func append(_ record: JournalRecord) { lines.withLock { $0.append(record.json.encoded) } }
  func restart() { lines.withLock { $0.removeAll() } }
  func flush() async throws(JobError) {}
}

@Suite("The journal of the emulator")
struct JournalTests {
  private static let location = "projects/p/locations/l"
  private static let time = Timestamp(microseconds: 1_795_000_000_123_456)

  @Test(
    "each record reads as it was written",
    arguments: [
      .request(["method": "POST", "path": ["v2"]]), .moved(.seconds(5)), .event(.wake), .event(.resumed),
      .event(.completed(DispatchID(.tasks, 7), .timedOut)),
      .event(.completed(DispatchID(.scheduler, .max / 2), .connectionFailed("é \"x\"\n"))),
      .event(.completed(DispatchID(.tasks, 1), .response(status: 503, headers: [HeaderField("Retry-After", "9")]))),
    ] as [JournalRecord.Change])
  func roundTrip(change: JournalRecord.Change) throws {
    let record = JournalRecord(time: Self.time, change: change)
    let json = try JSONValue(parsing: record.json.encoded, limits: .service)
    #expect(JournalRecord(json: json) == record)
  }

  @Test(
    "a request reads as it was written, its body as text or not",
    arguments: [[], Array("{\"a\": \"é\"}".utf8), [0, 255, 10]] as [[UInt8]])
  func request(body: [UInt8]) throws {
    let request = RESTRequest(method: "PATCH", target: "/v2/a%2Fb/c?x=1&x=2&y=", body: body)
    let json = try JSONValue(parsing: request.json.encoded, limits: .service)
    #expect(RESTRequest(json: json) == request)
  }

  @Test(
    "what is no record is told from one",
    arguments: ["{}", "[]", #"{"at":1}"#, #"{"at":1,"event":"x"}"#, #"{"at":1,"event":"completed","service":"tasks"}"#])
  func noRecord(text: String) throws {
    #expect(JournalRecord(json: try JSONValue(parsing: Array(text.utf8), limits: .service)) == nil)
  }

  @Test(
    "the records of any history give its state again, and deliveries in flight are made again", arguments: 1...12)
  func replay(seed: UInt64) async throws {
    let options = CloudTasks.Options(burstSize: 3)
    let initial = EmulatorState(tasks: options, seed: seed)
    let journal = MemoryJournal()
    let clock = VirtualClock(start: Self.time)
    let emulator = LocalEmulator(state: initial, clock: clock) { _ in .timedOut }
    emulator.resume(EmulatorRecovery(initial), journal: journal)
    var draw = SplitMix64(seed: seed)
    var open: [Dispatch] = []
    let face = RESTFace()
    for _ in 0..<400 {
      switch Int.random(in: 0..<10, using: &draw) {
      case 0..<5:
        let request = Self.request(&draw)
        emulator.withState(journaling: request.json) { state, now in
          _ = face.respond(to: request, state: &state, at: now)
        }
      case 5..<8 where !open.isEmpty:
        let dispatch = open.remove(at: Int.random(in: 0..<open.count, using: &draw))
        let status = [200, 500, 429].randomElement(using: &draw) ?? 200
        let headers = status == 429 ? [HeaderField("Retry-After", "2")] : []
        Self.perform(.completed(dispatch.id, .response(status: status, headers: headers)), emulator, &open)
      default:
        clock.move(to: clock.now() + .milliseconds(Int.random(in: 1...3_000, using: &draw)))
        Self.perform(.wake, emulator, &open)
      }
    }
    var recovery = EmulatorRecovery(initial)
    for record in journal.records {
      recovery.apply(record) { json, state, time in
        guard let request = RESTRequest(json: json) else { return }
        _ = face.respond(to: request, state: &state, at: time)
      }
    }
    let (live, now) = emulator.withState { state, now in (state, now) }
    #expect(Self.picture(of: recovery.state, at: now) == Self.picture(of: live, at: now))
    #expect(recovery.state.nextWake == live.nextWake)
    #expect(recovery.outstanding.map(\.id) == open.map(\.id).sorted())
    #expect(!journal.records.isEmpty && live.tasks.inFlightCount == open.filter { $0.id.service == .tasks }.count)
  }

  private static func perform(_ event: ServiceEvent, _ emulator: LocalEmulator, _ open: inout [Dispatch]) {
    let before = emulator.shared.withLock { shared in
      let now = emulator.time(&shared)
      emulator.perform(event, at: now, &shared)
      defer { shared.outbox.removeAll() }
      return shared.outbox
    }
    open += before
    // A deadline that passed has ended a delivery without an answer.
    let live = Set(emulator.shared.withLock { Self.flights(of: $0.trace) })
    open.removeAll { !live.contains($0.id) }
  }

  private static func flights(of trace: EmulatorTrace) -> [DispatchID] {
    var ids: Set<DispatchID> = []
    for entry in trace.entries {
      switch entry.event {
      case .dispatched(let id, _, _, _, _, _): ids.insert(id)
      case .settled(let settlement): settlement.id.map { _ = ids.remove($0) }
      case .note: break
      }
    }
    return Array(ids)
  }

  private static func request(_ draw: inout SplitMix64) -> RESTRequest {
    let queue = "\(location)/queues/q\(Int.random(in: 0..<2, using: &draw))"
    let task = "\(queue)/tasks/t\(Int.random(in: 0..<30, using: &draw))"
    let new = #"{"task":{"name":"\#(task)","httpRequest":{"url":"http://h/"}}}"#
    let job = #"{"name":"\#(location)/jobs/j","schedule":"* * * * *","httpTarget":{"uri":"http://h/"}}"#
    let calls: [(String, String, String)] = [
      ("POST", "/v2/\(location)/queues", #"{"name":"\#(queue)","rateLimits":{"maxDispatchesPerSecond":2}}"#),
      ("POST", "/v2/\(queue)/tasks", new), ("POST", "/v2/\(queue)/tasks", new),
      ("POST", "/v2/\(queue)/tasks", #"{"task":{"httpRequest":{"url":"http://h/"}}}"#),
      ("DELETE", "/v2/\(task)", ""), ("POST", "/v2/\(task):run", ""), ("POST", "/v2/\(queue):pause", ""),
      ("POST", "/v2/\(queue):resume", ""), ("POST", "/v2/\(queue):purge", ""),
      ("POST", "/v1/\(location)/jobs", job), ("POST", "/v1/\(location)/jobs/j:run", ""),
    ]
    let call = calls[Int.random(in: 0..<calls.count, using: &draw)]
    return RESTRequest(method: call.0, target: call.1, body: Array(call.2.utf8))
  }

  /// All that clients can see.
  private static func picture(of state: EmulatorState, at now: Timestamp) -> [JSONValue] {
    var copy = state
    var targets = ["/v2/\(location)/queues", "/v1/\(location)/jobs"]
    for queue in ["q0", "q1"] {
      targets.append("/v2/\(location)/queues/\(queue)/tasks?pageSize=1000&responseView=FULL")
    }
    let waiting = state.waiting(at: now).map { JSONValue.string("\($0.name) \($0.reason)") }
    return waiting
      + targets.map { target in
        RESTFace().respond(to: RESTRequest(method: "GET", target: target), state: &copy, at: now).body
      }
  }
}
