import CloudJobsCore
import Dispatch
import Synchronization
import Testing

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

/// An emulator over a folder, and what its state was after each change.
private final class Session {
  static let queue = "projects/p/locations/l/queues/q"
  let folder: MemoryFolder
  let emulator: LocalEmulator
  let journal: RequestJournal
  /// The names of all tasks after each change, and which of these states was the last to be acknowledged.
  private(set) var states: [[String]]
  private(set) var acknowledged = 0

  /// Goes on in a folder.
  init(_ folder: MemoryFolder, options: CloudTasks.Options = .init()) throws(JobError) {
    self.folder = folder
    let header = JournalHeader(tasks: options, seed: 1)
    let initial = EmulatorState(tasks: options, seed: 1)
    let (recovery, position) = try JournalReader(folder: folder, header: header).recover(from: initial)
    journal = RequestJournal(in: folder, header: header, from: position)
    emulator = LocalEmulator(state: initial, clock: VirtualClock(start: JournalHistory.start)) { _ in .timedOut }
    emulator.resume(recovery, journal: journal)
    states = [Self.names(emulator)]
  }

  var names: [String] { Self.names(emulator) }

  private static func names(_ emulator: LocalEmulator) -> [String] {
    emulator.withState { state, _ in
      guard let queue = try? CloudTasks.QueueName(Session.queue) else { return [] }
      return (try? state.tasks.listTasks(in: queue).items.map(\.name.id)) ?? []
    }
  }

  private func change(_ body: () -> Void) async throws(JobError) {
    body()
    states.append(names)
    try await journal.flush()
    acknowledged = states.count - 1
  }

  func makeQueue() async throws(JobError) {
    let location = "projects/p/locations/l"
    for (path, body) in [("\(location)/queues", #"{"name":"\#(Self.queue)"}"#), ("\(Self.queue):pause", "")] {
      try await change { request("/v2/\(path)", body) }
    }
  }

  func make(_ ids: String...) async throws(JobError) {
    for id in ids {
      try await change {
        request(
          "/v2/\(Self.queue)/tasks",
          #"{"task":{"name":"\#(Self.queue)/tasks/\#(id)","httpRequest":{"url":"http://h/"}}}"#)
      }
    }
  }

  func reset() async throws(JobError) {
    try await change { emulator.reset(to: EmulatorState(seed: 1)) }
  }

  private func request(_ target: String, _ body: String) {
    let request = RESTRequest(method: "POST", target: target, body: Array(body.utf8))
    _ = emulator.withState(journaling: request.json) { state, now in
      RESTFace().respond(to: request, state: &state, at: now)
    }
  }

  func cut() { emulator.shared.withLock { journal.cut(at: $0.snapshot) } }

  func save() async throws(JobError) { try await journal.saveSnapshot() }
}

@Suite("The files of the emulator's journal")
struct JournalFolderTests {
  /// Changes, two cuts of which one goes on beside changes, a reset and a cut after it.
  private func story(_ session: Session) async throws(JobError) {
    try await session.makeQueue()
    try await session.make("a", "b")
    session.cut()
    try await session.make("c")
    try await session.save()
    try await session.make("d")
    session.cut()
    try await session.save()
    try await session.make("e")
    try await session.reset()
    try await session.makeQueue()
    session.cut()
    try await session.save()
    try await session.make("f")
  }

  @Test("whatever step a crash comes at, all that was acknowledged is there again, and the journal goes on")
  func crashes() async throws {
    let whole = MemoryFolder()
    try await story(try Session(whole))
    #expect(Set(whole.files.keys) == ["snapshot-3.jsonl", "journal-3.jsonl"])
    #expect(whole.steps.count > 50)
    for step in whole.steps.indices {
      for fate in MemoryFolder.Fate.allCases {
        let folder = MemoryFolder(crashAt: step)
        var allowed: ArraySlice<[String]> = [[]]
        if let session = try? Session(folder) {
          await #expect(throws: JobError.self) { try await story(session) }
          allowed = session.states[session.acknowledged...]
        }
        let place = "before step \(step), \(whole.steps[step]), unsynced steps \(fate)"
        let next = try Session(MemoryFolder(folder.files(after: fate)))
        try #require(allowed.contains(next.names), "\(place): \(next.names) is none of \(allowed)")
        let before = next.names
        try await next.makeQueue()
        next.cut()
        try await next.make("g")
        try await next.save()
        try #require(try Session(next.folder).names == before + ["g"], "\(place), then a cut")
        #expect(next.folder.files.count == 2, "\(place): files remain")
      }
    }
  }

  @Test("a damaged snapshot is passed over while what it was made from is there, and refused by name afterwards")
  func damage() async throws {
    let folder = MemoryFolder()
    let session = try Session(folder)
    try await session.makeQueue()
    try await session.make("a", "b")
    session.cut()
    try await session.make("c")
    let before = folder.files
    try await session.save()
    let snapshot = try #require(folder.files["snapshot-1.jsonl"])
    var damaged = [[], Array(snapshot.dropLast()), Array(snapshot.dropLast(40)), snapshot + [10]]
    for place in stride(from: 0, to: snapshot.count, by: 5) {
      damaged.append(snapshot)
      damaged[damaged.count - 1][place] ^= 1
    }
    for bytes in damaged {
      let both = before.merging(["snapshot-1.jsonl": bytes]) { $1 }
      #expect(try Session(MemoryFolder(both)).names == ["a", "b", "c"])
      let error = #expect(throws: JobError.self) {
        try Session(MemoryFolder(folder.files.merging(["snapshot-1.jsonl": bytes]) { $1 }))
      }
      #expect(error?.message.contains("snapshot-1.jsonl is damaged, and journal.jsonl is missing") == true)
    }
  }

  @Test("a gap, a break before the end and other options are refused")
  func refusals() async throws {
    let folder = MemoryFolder()
    let session = try Session(folder)
    try await session.makeQueue()
    for id in ["a", "b"] {
      session.cut()
      try await session.make(id)
    }
    let files = folder.files
    #expect(Set(files.keys) == ["journal.jsonl", "journal-1.jsonl", "journal-2.jsonl"])
    #expect(try Session(MemoryFolder(files)).names == ["a", "b"])
    func refusal(_ files: [String: [UInt8]], _ options: CloudTasks.Options = .init()) -> String {
      do throws(JobError) {
        _ = try Session(MemoryFolder(files), options: options)
        return ""
      } catch {
        return error.message
      }
    }
    #expect(refusal(files.filter { $0.key != "journal-1.jsonl" }).hasPrefix("journal-1.jsonl is missing"))
    #expect(refusal(files.filter { $0.key != "journal.jsonl" }).hasPrefix("journal.jsonl is missing"))
    let torn = files.mapValues { Array($0.dropLast()) }
    #expect(refusal(files.merging(["journal-1.jsonl": torn["journal-1.jsonl"] ?? []]) { $1 }).contains("breaks off"))
    #expect(
      try Session(MemoryFolder(files.merging(["journal-2.jsonl": torn["journal-2.jsonl"] ?? []]) { $1 })).names == ["a"]
    )
    try await session.save()
    let saved = folder.files
    #expect(refusal(saved, .init(taskTombstone: .seconds(5))).contains("begun with another taskTombstone"))
    #expect(refusal(saved.filter { $0.key != "journal-2.jsonl" }).hasPrefix("journal-2.jsonl is missing"))
  }

  @Test("a folder of before there were snapshots is read as it is", arguments: [true, false])
  func formerFolder(isEmpty: Bool) async throws {
    let header = #"""
      {"burstSize":null,"journal":"cloud-jobs emulator","queueTombstone":259200000000,"retention":2678400000000,\#
      "seed":"1","taskTombstone":3600000000,"version":1}

      """#
    let record = #"""
      {"at":1795000000123456,"request":{"body":"{\"name\":\"projects/p/locations/l/queues/q\"}","method":"POST",\#
      "path":["v2","projects","p","locations","l","queues"]}}

      """#
    let folder = MemoryFolder(["journal.jsonl": isEmpty ? [] : Array((header + record).utf8)])
    let session = try Session(folder)
    #expect(session.emulator.withState { state, _ in state.tasks.locations.count } == (isEmpty ? 0 : 1))
    try await session.makeQueue()
    try await session.make("a")
    #expect(try Session(folder).names == ["a"])
  }

  @Test("records are written while a snapshot is")
  func concurrency() async throws {
    let gate = DispatchSemaphore(value: 0)
    let folder = MemoryFolder { step in
      if step.hasPrefix("append snapshot-1") { gate.wait() }
    }
    let session = try Session(folder)
    try await session.makeQueue()
    session.cut()
    let journal = session.journal
    async let saving: Void = journal.saveSnapshot()
    try await session.make("a")
    #expect(!journal.isSnapshotDue && folder.files["snapshot-1.jsonl"] == nil)
    gate.signal()
    try await saving
    #expect(try Session(folder).names == ["a"])
  }

  @Test(
    "a snapshot is due beyond 4 MiB of records and twice the last snapshot's size",
    arguments: [
      (0, 0, false), (4 << 20, 0, false), (4 << 20 + 1, 0, true), (4 << 20 + 1, 2 << 20, true),
      (4 << 20 + 2, 2 << 20 + 1, false), (4 << 20 + 3, 2 << 20 + 1, true), (200, 100, false), (1 << 40, 1 << 40, false),
    ])
  func rule(journalBytes: Int, snapshotBytes: Int, isDue: Bool) {
    #expect(SnapshotRule.isDue(journalBytes: journalBytes, snapshotBytes: snapshotBytes) == isDue)
  }

  @Test("a reset makes a snapshot due, once")
  func reset() async throws {
    let session = try Session(MemoryFolder())
    try await session.makeQueue()
    #expect(!session.journal.isSnapshotDue)
    try await session.reset()
    #expect(session.journal.isSnapshotDue)
    session.cut()
    try await session.save()
    #expect(!session.journal.isSnapshotDue)
  }

  @Test(
    "a file's generation is in its name",
    arguments: [
      ("journal.jsonl", 0), ("journal-1.jsonl", 1), ("snapshot-12.jsonl", 12), ("snapshot-12.jsonl.tmp", 12),
      ("journal-01.jsonl", nil), ("journal-0.jsonl", nil), ("journal--1.jsonl", nil), ("snapshot-.jsonl", nil),
      ("signing-key.pem", nil), ("lock", nil), ("journal-1.json", nil), ("snapshot-1.jsonl.bak", nil),
    ] as [(String, Int?)])
  func generations(name: String, generation: Int?) {
    #expect(JournalNames.generation(of: name) == generation)
  }
}
