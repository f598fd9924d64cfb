import CloudJobsCore
import CloudJobsEmulatorWire
import Dispatch
import Synchronization
import Testing

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

/// An emulator with a folder, and its state after each change.
private final class Session {
  static let queue = "projects/p/locations/l/queues/q"
  let folder: MemoryFolder
  let emulator: LiveEmulator
  let log: FileWriteAheadLog
  /// The names of all tasks after each change, and the index of the last acknowledged state.
  private(set) var states: [[String]]
  private(set) var acknowledged = 0

  /// Continues in a folder.
  init(_ folder: MemoryFolder, options: CloudTasks.Options = .init()) throws(JobError) {
    self.folder = folder
    let header = WriteAheadLogHeader(tasks: options, seed: 1)
    let initial = EmulatorState(tasks: options, seed: 1)
    let (recovery, position) = try WriteAheadLogReader(folder: folder, header: header).recover(from: initial)
    log = FileWriteAheadLog(in: folder, header: header, from: position)
    emulator = LiveEmulator(state: initial, clock: VirtualClock(start: WriteAheadLogHistory.start)) { _ in .timedOut }
    emulator.resume(recovery, log: log)
    states = [Self.names(emulator)]
  }

  var names: [String] { Self.names(emulator) }

  private static func names(_ emulator: LiveEmulator) -> [String] {
    emulator.withState { state, _ in
      guard let queue = try? CloudTasks.QueueName(Session.queue) else { return [] }
      return (try? state.tasks.listTasks(in: queue).items.map(\.name.id)) ?? []
    }
  }

  private func change(_ body: () -> Void) async throws(JobError) {
    body()
    states.append(names)
    try await log.flush()
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
    _ = emulator.serve(request)
  }

  func rotate() { _ = emulator.rotateLog() }

  func save() async throws(JobError) { try await log.saveSnapshot() }
}

@Suite("The files of the write-ahead log")
struct WriteAheadLogFolderTests {
  /// Changes, two rotations of which one runs concurrently with changes, a reset and a rotation after it.
  private func story(_ session: Session) async throws(JobError) {
    try await session.makeQueue()
    try await session.make("a", "b")
    session.rotate()
    try await session.make("c")
    try await session.save()
    try await session.make("d")
    session.rotate()
    try await session.save()
    try await session.make("e")
    try await session.reset()
    try await session.makeQueue()
    session.rotate()
    try await session.save()
    try await session.make("f")
  }

  @Test("after a crash at any step, all acknowledged changes are restored and the log continues")
  func crashes() async throws {
    let whole = MemoryFolder()
    try await story(try Session(whole))
    #expect(Set(whole.files.keys) == ["snapshot-3.jsonl", "journal-3.jsonl", "position.json"])
    #expect(whole.steps.count > 50)
    for step in whole.steps.indices {
      for fate in MemoryFolder.Fate.allCases {
        let folder = MemoryFolder(crashAt: step)
        var allowed: ArraySlice<[String]> = [[]]
        if let session = try? Session(folder) {
          await #expect(throws: JobError.self) { try await story(session) }
          allowed = session.states[session.acknowledged...]
        }
        if fate == .kept { try crashInRecovery(of: folder, allowed) }
        let place = "before step \(step), \(whole.steps[step]), unsynced steps \(fate)"
        let next = try Session(MemoryFolder(folder.files(after: fate)))
        try #require(allowed.contains(next.names), "\(place): \(next.names) is none of \(allowed)")
        let before = next.names
        try await next.makeQueue()
        next.rotate()
        try await next.make("g")
        try await next.save()
        try #require(try Session(next.folder).names == before + ["g"], "\(place), then a cut")
        #expect(next.folder.files.count == 3, "\(place): files remain")
      }
    }
  }

  /// A process was killed, so that its last bytes are kept but not synced; the next one crashes while it recovers, and
  /// then the machine fails.
  private func crashInRecovery(of killed: MemoryFolder, _ allowed: ArraySlice<[String]>) throws {
    let undisturbed = MemoryFolder(afterKillOf: killed)
    _ = try Session(undisturbed)
    for step in 0...undisturbed.steps.count {
      let folder = MemoryFolder(afterKillOf: killed, crashAt: step)
      _ = try? Session(folder)
      for fate in MemoryFolder.Fate.allCases {
        let found = try Session(MemoryFolder(folder.files(after: fate))).names
        try #require(allowed.contains(found), "the recovery's step \(step), unsynced steps \(fate)")
      }
    }
  }

  @Test("a damaged snapshot is skipped while its sources exist, and rejected by name afterwards")
  func damage() async throws {
    let folder = MemoryFolder()
    let session = try Session(folder)
    try await session.makeQueue()
    try await session.make("a", "b")
    session.rotate()
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

  @Test("a gap, an incomplete file before the last and other options are rejected")
  func refusals() async throws {
    let folder = MemoryFolder()
    let session = try Session(folder)
    try await session.makeQueue()
    for id in ["a", "b"] {
      session.rotate()
      try await session.make(id)
    }
    let files = folder.files
    #expect(Set(files.keys) == ["journal.jsonl", "journal-1.jsonl", "journal-2.jsonl", "position.json"])
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
    #expect(refusal(files.merging(["journal-1.jsonl": torn["journal-1.jsonl"] ?? []]) { $1 }).contains("is incomplete"))
    #expect(
      refusal(files.merging(["journal-2.jsonl": torn["journal-2.jsonl"] ?? []]) { $1 })
        .hasPrefix("journal-2.jsonl ends with record 3 of 4."))
    try await session.save()
    let saved = folder.files
    #expect(refusal(saved, .init(taskTombstone: .seconds(5))).contains("created with another taskTombstone"))
    #expect(refusal(saved.filter { $0.key != "journal-2.jsonl" }).hasPrefix("journal-2.jsonl is missing"))
  }

  /// A folder of three generations, the second with its snapshot, and the number of its tasks.
  private func folder() async throws -> [String: [UInt8]] {
    let session = try Session(MemoryFolder())
    try await session.makeQueue()
    try await session.make("a", "b", "c")
    session.rotate()
    try await session.save()
    try await session.make("d", "e")
    session.rotate()
    try await session.make("f", "g")
    #expect(
      Set(session.folder.files.keys)
        == ["snapshot-1.jsonl", "journal-1.jsonl", "journal-2.jsonl", "position.json"])
    #expect(try Session(MemoryFolder(session.folder.files)).names == ["a", "b", "c", "d", "e", "f", "g"])
    return session.folder.files
  }

  private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().map { $0 + [10] }
  }

  /// All damages of one kind each: at every line, every byte, and every pair of files.
  private static func damages(to files: [String: [UInt8]]) -> [(name: String, files: [String: [UInt8]])] {
    var damages: [(name: String, files: [String: [UInt8]])] = []
    func add(_ damage: String, _ changes: (name: String, bytes: [UInt8]?)...) {
      var damaged = files
      for change in changes { damaged[change.name] = change.bytes }
      damages.append((damage, damaged))
    }
    for (name, bytes) in files {
      add("\(name) emptied", (name, []))
      add("\(name) removed", (name, nil))
      let lines = lines(bytes)
      for index in lines.indices {
        var others = lines
        let line = others.remove(at: index)
        add("line \(index + 1) of \(name) removed", (name, others.flatMap(\.self)))
        add("\(name) cut before line \(index + 1)", (name, lines[..<index].flatMap(\.self)))
        add("\(name) cut within line \(index + 1)", (name, lines[..<index].flatMap(\.self) + line.dropLast(2)))
        add(
          "line \(index + 1) of \(name) doubled",
          (name, (lines[...index] + [line] + lines[(index + 1)...]).flatMap(\.self)))
        guard index > 0 else { continue }
        others.insert(line, at: index - 1)
        add("lines \(index) and \(index + 1) of \(name) swapped", (name, others.flatMap(\.self)))
      }
      for place in bytes.indices {
        var changed = bytes
        changed[place] ^= 1
        add("byte \(place) of \(name) changed", (name, changed))
      }
      for (other, content) in files where other > name {
        add("\(name) and \(other) swapped", (name, content), (other, bytes))
      }
    }
    return damages
  }

  @Test("damage of any kind at any place is refused by the name of a file, and changes nothing in the folder")
  func everyDamage() async throws {
    let files = try await folder()
    let damages = Self.damages(to: files)
    #expect(damages.count > 3_000)
    var missed: [String] = []
    for damage in damages {
      let folder = MemoryFolder(damage.files)
      do throws(JobError) {
        _ = try Session(folder)
        missed.append(damage.name)
      } catch {
        let names = files.keys + ["journal.jsonl"]
        #expect(names.contains { error.message.contains($0) }, "\(damage.name): \(error.message)")
        #expect(error.message.hasSuffix(".") && folder.files == damage.files, "\(damage.name)")
      }
    }
    #expect(missed.isEmpty)
  }

  @Test("the files of another folder with the same options are refused")
  func otherFolder() async throws {
    let files = try await folder()
    let session = try Session(MemoryFolder())
    try await session.makeQueue()
    try await session.make("x", "b", "c")
    session.rotate()
    try await session.save()
    try await session.make("d", "e")
    session.rotate()
    try await session.make("f", "g")
    for (name, bytes) in session.folder.files {
      #expect(throws: JobError.self, "\(name)") {
        try Session(MemoryFolder(files.merging([name: bytes]) { $1 }))
      }
    }
  }

  @Test("the remedy of each refusal leads to a start")
  func remedy() async throws {
    let files = try await folder()
    let error = #expect(throws: JobError.self) {
      try Session(MemoryFolder(files.filter { $0.key != "journal-2.jsonl" }))
    }
    #expect(
      error?.message
        == "journal-1.jsonl ends with record 7 of 9. Restore the folder from a backup, or remove it to begin anew.")
    #expect(try Session(MemoryFolder(files)).names.count == 7)
    #expect(try Session(MemoryFolder()).names.isEmpty)
  }

  @Test("a folder of another version is refused by name")
  func otherVersion() {
    let header = #"""
      {"burstSize":null,"journal":"cloud-jobs emulator","queueTombstone":259200000000,"retention":2678400000000,\#
      "seed":"1","taskTombstone":3600000000,"version":1}

      """#
    let error = #expect(throws: JobError.self) {
      try Session(MemoryFolder(["journal.jsonl": Array(header.utf8)]))
    }
    #expect(error?.message.contains("journal.jsonl was created with another version: 1 instead of 3") == true)
  }

  @Test("records are written while a snapshot is being saved")
  func concurrency() async throws {
    let gate = DispatchSemaphore(value: 0)
    let folder = MemoryFolder { step in
      if step.hasPrefix("append snapshot-1") { gate.wait() }
    }
    let session = try Session(folder)
    try await session.makeQueue()
    session.rotate()
    let log = session.log
    async let saving: Void = log.saveSnapshot()
    try await session.make("a")
    #expect(!log.isSnapshotDue && folder.files["snapshot-1.jsonl"] == nil)
    gate.signal()
    try await saving
    #expect(try Session(folder).names == ["a"])
  }

  @Test(
    "a snapshot is due above 4 MiB of records and twice the last snapshot's size",
    arguments: [
      (0, 0, false), (4 << 20, 0, false), (4 << 20 + 1, 0, true), (4 << 20 + 1, 2 << 20, true),
      (4 << 20 + 2, 2 << 20 + 1, false), (4 << 20 + 3, 2 << 20 + 1, true), (200, 100, false), (1 << 40, 1 << 40, false),
    ])
  func rule(logBytes: Int, snapshotBytes: Int, isDue: Bool) {
    #expect(SnapshotRule.isDue(logBytes: logBytes, snapshotBytes: snapshotBytes) == isDue)
  }

  @Test("a reset makes a snapshot due, once")
  func reset() async throws {
    let session = try Session(MemoryFolder())
    try await session.makeQueue()
    #expect(!session.log.isSnapshotDue)
    try await session.reset()
    #expect(session.log.isSnapshotDue)
    session.rotate()
    try await session.save()
    #expect(!session.log.isSnapshotDue)
  }

  @Test(
    "a file's generation is part of its name",
    arguments: [
      ("journal.jsonl", 0), ("journal-1.jsonl", 1), ("snapshot-12.jsonl", 12), ("snapshot-12.jsonl.tmp", 12),
      ("journal-01.jsonl", nil), ("journal-0.jsonl", nil), ("journal--1.jsonl", nil), ("snapshot-.jsonl", nil),
      ("signing-key.pem", nil), ("lock", nil), ("position.json", nil), ("journal-1.json", nil),
      ("snapshot-1.jsonl.bak", nil),
    ] as [(String, Int?)])
  func generations(name: String, generation: Int?) {
    #expect(WriteAheadLogFileNames.generation(of: name) == generation)
  }
}

/// A folder in memory that crashes at a chosen step and then loses what was not synced.
final class MemoryFolder: FolderFiles {
  /// The fate of steps that were not synced.
  enum Fate: CaseIterable {
    /// None of them is kept.
    case lost
    /// All of them are kept.
    case kept
    /// Names are kept, but only half of the bytes.
    case torn
  }

  private final class Node: Sendable {
    let bytes: Mutex<[UInt8]>
    let synced: Mutex<Int>
    /// The bytes on the device if they were written over since.
    let overwritten = Mutex<[UInt8]?>(nil)

    init(_ bytes: [UInt8], synced: Int) {
      self.bytes = Mutex(bytes)
      self.synced = Mutex(synced)
    }
  }

  private struct State {
    var nodes: [String: Node]
    var durable: [String: Node]
    var steps: [String] = []
    var crashAt: Int?
  }

  private let state: Mutex<State>
  private let willStep: @Sendable (String) -> Void

  /// Creates a folder with files that crashes instead of taking a step, numbered from 0, or never.
  init(
    _ files: [String: [UInt8]] = [:], crashAt: Int? = nil, willStep: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.willStep = willStep
    let nodes = files.mapValues { Node($0, synced: $0.count) }
    state = Mutex(State(nodes: nodes, durable: nodes, crashAt: crashAt))
  }

  /// Creates the folder that a process finds after another was killed: what that wrote is there, synced or not.
  init(afterKillOf other: MemoryFolder, crashAt: Int? = nil) {
    willStep = { _ in }
    state = Mutex(
      other.state.withLock { state in
        var copies: [ObjectIdentifier: Node] = [:]
        func copy(_ node: Node) -> Node {
          if let known = copies[ObjectIdentifier(node)] { return known }
          let new = Node(node.bytes.withLock { $0 }, synced: node.synced.withLock { $0 })
          new.overwritten.withLock { $0 = node.overwritten.withLock { $0 } }
          copies[ObjectIdentifier(node)] = new
          return new
        }
        return State(nodes: state.nodes.mapValues(copy), durable: state.durable.mapValues(copy), crashAt: crashAt)
      })
  }

  /// The steps taken.
  var steps: [String] { state.withLock { $0.steps } }

  /// The files as the process sees them.
  var files: [String: [UInt8]] { state.withLock { $0.nodes.mapValues { node in node.bytes.withLock { $0 } } } }

  /// The files that the next process finds.
  func files(after fate: Fate) -> [String: [UInt8]] {
    state.withLock { state in
      (fate == .lost ? state.durable : state.nodes).mapValues { node in
        let bytes = node.bytes.withLock { $0 }
        let synced = min(node.synced.withLock { $0 }, bytes.count)
        switch fate {
        case .kept: return bytes
        case .lost: return node.overwritten.withLock { $0 } ?? Array(bytes[..<synced])
        case .torn: return Array(bytes[..<(synced + (bytes.count - synced) / 2)])
        }
      }
    }
  }

  private static var crash: JobError { JobError(.storeUnavailable, "The machine is off.") }

  private func step<Result>(
    _ text: String, _ body: (inout State) throws(JobError) -> sending Result
  ) throws(JobError) -> sending Result {
    willStep(text)
    return try state.withLock { (state) throws(JobError) in
      if let number = state.crashAt, state.steps.count >= number { throw Self.crash }
      state.steps.append(text)
      return try body(&state)
    }
  }

  func names() throws(JobError) -> [String] { state.withLock { Array($0.nodes.keys) } }

  func read(_ name: String, from offset: Int, count: Int) throws(JobError) -> [UInt8] {
    guard let bytes = files[name] else { throw JobError(.storeUnavailable, "There is no \(name).") }
    return Array(bytes.dropFirst(offset).prefix(count))
  }

  func append(_ bytes: [UInt8], to name: String) throws(JobError) {
    try step("append \(name)") { state in
      let node = state.nodes[name] ?? Node([], synced: 0)
      state.nodes[name] = node
      node.bytes.withLock { $0 += bytes }
    }
  }

  func overwrite(_ name: String, with bytes: [UInt8]) throws(JobError) {
    try step("overwrite \(name)") { (state) throws(JobError) in
      guard let node = state.nodes[name] else { throw JobError(.storeUnavailable, "There is no \(name).") }
      let before = node.bytes.withLock { $0 }
      node.bytes.withLock { $0.replaceSubrange(..<min(bytes.count, before.count), with: bytes) }
      node.overwritten.withLock { $0 = $0 ?? before }
    }
  }

  func truncate(_ name: String, to size: Int) throws(JobError) {
    try step("truncate \(name)") { state in
      state.nodes[name]?.bytes.withLock { $0.removeSubrange(size...) }
      state.nodes[name]?.synced.withLock { $0 = min($0, size) }
    }
  }

  func sync(_ name: String) throws(JobError) {
    try step("sync \(name)") { state in
      guard let node = state.nodes[name] else { return }
      let count = node.bytes.withLock { $0.count }
      node.synced.withLock { $0 = count }
      node.overwritten.withLock { $0 = nil }
    }
  }

  func rename(_ name: String, to other: String) throws(JobError) {
    try step("rename \(name) to \(other)") { state in
      state.nodes[other] = state.nodes.removeValue(forKey: name)
    }
  }

  func remove(_ name: String) throws(JobError) {
    try step("remove \(name)") { state in state.nodes[name] = nil }
  }

  func syncNames() throws(JobError) {
    try step("sync names") { state in state.durable = state.nodes }
  }
}
