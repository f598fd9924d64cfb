import CloudJobsCore
import Synchronization

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

/// A journal in memory whose snapshots and records go through their wire form.
final class MemoryJournal: EmulatorJournal {
  private struct State {
    var snapshot: [[UInt8]]?
    var records: [[UInt8]] = []
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.records.count } }
  var isSnapshotDue: Bool { false }

  func append(_ record: JournalRecord) { state.withLock { $0.records.append(record.json.encoded) } }
  func flush() async throws(JobError) {}
  func saveSnapshot() async throws(JobError) {}

  func cut(at snapshot: EmulatorSnapshot) {
    var lines: [[UInt8]] = []
    try? snapshot.forEachLine { lines.append($0) }
    state.withLock { $0 = State(snapshot: lines) }
  }

  /// What another process would make of the journal.
  func recovery(from initial: EmulatorState) throws -> EmulatorRecovery {
    let kept = state.withLock { $0 }
    var snapshot = kept.snapshot.map { _ in EmulatorSnapshot(initial) }
    for line in kept.snapshot ?? [] { try snapshot?.restore(line[...]) }
    var recovery = EmulatorRecovery(initial, from: snapshot)
    for line in kept.records {
      let json = try JSONValue(parsing: line, limits: .service)
      guard let record = JournalRecord(json: json) else { throw JobError(.malformedJSON, "no record") }
      recovery.apply(record) { json, state, time in
        guard let request = RESTRequest(json: json) else { return }
        _ = RESTFace().respond(to: request, state: &state, at: time)
      }
    }
    return recovery
  }
}

/// An emulator whose history a seed draws: requests of all services, deliveries that end, and time.
final class JournalHistory {
  static let start = Timestamp(microseconds: 1_795_000_000_123_456)
  let initial: EmulatorState
  let clock: VirtualClock
  let emulator: LocalEmulator
  let journal: MemoryJournal
  var random: SplitMix64
  private var requests = RequestDraw()

  /// The beginning of a history.
  convenience init(seed: UInt64) {
    let tasks = CloudTasks.Options(
      taskTombstone: .seconds(30), queueTombstone: .seconds(20), retention: .minutes(20),
      burstSize: 2)
    let scheduler = CloudScheduler.Options(pushEndpoints: ["projects/p/topics/t": "http://push/"])
    let initial = EmulatorState(tasks: tasks, scheduler: scheduler, seed: seed)
    self.init(
      initial, EmulatorRecovery(initial), VirtualClock(start: Self.start), MemoryJournal(), SplitMix64(seed: seed))
  }

  private init(
    _ initial: EmulatorState, _ recovery: EmulatorRecovery, _ clock: VirtualClock, _ journal: MemoryJournal,
    _ random: SplitMix64
  ) {
    self.initial = initial
    self.clock = clock
    self.journal = journal
    self.random = random
    emulator = LocalEmulator(state: initial, clock: clock) { _ in .timedOut }
    emulator.resume(recovery, journal: journal)
  }

  /// What another process makes of the journal, and will go on with by the same draws.
  func restarted() throws -> JournalHistory {
    let other = JournalHistory(
      initial, try journal.recovery(from: initial), VirtualClock(start: clock.now()), MemoryJournal(), random)
    other.requests = requests
    return other
  }

  /// Begins a new part of the journal.
  func cut() {
    emulator.shared.withLock { journal.cut(at: $0.snapshot) }
  }

  /// The deliveries that have not ended.
  var open: [Dispatch] { emulator.shared.withLock { $0.open.all } }

  /// Has one more thing happen; answers what came of it.
  func step() -> String {
    let known = emulator.traceEntries.count
    var text = ""
    let open = open
    switch Int.random(in: 0..<1_000, using: &random) {
    case 0: emulator.reset(to: initial)
    case 1..<20: move(by: .seconds(Int.random(in: 1...300, using: &random)))
    case 20..<600:
      text = request()
    case 600..<850 where !open.isEmpty:
      let dispatch = open[Int.random(in: 0..<open.count, using: &random)]
      let status = [200, 500, 429].randomElement(using: &random) ?? 200
      let headers = status == 429 ? [HeaderField("Retry-After", "2")] : []
      perform(.completed(dispatch.id, .response(status: status, headers: headers)))
    default:
      clock.move(to: clock.now() + .milliseconds(Int.random(in: 1...2_000, using: &random)))
      perform(.wake)
    }
    let deliveries = takeOutbox().map { "\($0)" }.joined(separator: "\n")
    // A reset begins the trace anew.
    let entries = emulator.traceEntries
    let news = entries.dropFirst(known <= entries.count ? known : 0).map { "\($0)" }.joined(separator: "\n")
    return text + "\n" + deliveries + "\n" + news
  }

  /// Makes one more request; answers what it was answered.
  func request() -> String {
    let request = requests.next(&random, at: emulator.now)
    let answer = emulator.withState(journaling: request.json) { state, now in
      RESTFace().respond(to: request, state: &state, at: now)
    }
    requests.note(answer.body)
    return "\(answer.status) \(answer.body.text)"
  }

  /// Has the services handle an event.
  func perform(_ event: ServiceEvent) {
    emulator.shared.withLock { shared in
      let now = emulator.time(&shared)
      emulator.perform(event, at: now, &shared)
    }
  }

  /// What is to be delivered.
  func takeOutbox() -> [Dispatch] {
    emulator.shared.withLock { shared in
      defer { shared.outbox.removeAll() }
      return shared.outbox
    }
  }

  private func move(by span: Duration) {
    emulator.shared.withLock { shared in
      let now = emulator.time(&shared)
      shared.offset += span
      journal.append(JournalRecord(time: now, change: .moved(shared.offset)))
    }
  }

  /// All that clients can see.
  var picture: [String] {
    emulator.withState { state, now in
      var copy = state
      let waiting = state.waiting(at: now).map { "\($0.name) \($0.reason)" }
      let answers = RequestDraw.reads.map { target in
        RESTFace().respond(to: RESTRequest(method: "GET", target: target), state: &copy, at: now).body.text
      }
      let next = state.nextWake.map { "\($0)" } ?? "never"
      return waiting + answers + ["next \(next)", "idle \(copy.isIdle(at: now))", "\(state.firestore.usage)"]
    }
  }
}
