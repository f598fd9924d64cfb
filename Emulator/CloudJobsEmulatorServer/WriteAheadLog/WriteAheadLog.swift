import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A write-ahead log in files of JSON lines: a header, then one record per line, each with its number and checksum.
///
/// Records are collected in memory while the device is busy with earlier ones, so concurrent requests share a write.
final class FileWriteAheadLog: WriteAheadLog {
  private struct State {
    var position: WriteAheadLogPosition
    var pending: [WriteAheadLogWriter.Chunk] = []
    /// The snapshot that starts the latest generation and its place, until it is saved.
    var unsaved: (snapshot: EmulatorSnapshot, after: RecordChain)?
    /// Whether the services were reset, so that all earlier records are obsolete.
    var wasReset = false

    mutating func append(record: [UInt8]) {
      append(line: position.chain.append(record))
      pending[pending.count - 1].end = position.chain
    }

    mutating func append(line: [UInt8]) {
      let file = WriteAheadLogFileNames.log(position.generation)
      if pending.last?.file != file { pending.append(WriteAheadLogWriter.Chunk(file: file)) }
      pending[pending.count - 1].bytes += line
      pending[pending.count - 1].bytes.append(UInt8(ascii: "\n"))
      position.logBytes += line.count + 1
    }
  }

  private let state: Mutex<State>
  private let writer: WriteAheadLogWriter
  private let snapshots: SnapshotWriter
  private let header: WriteAheadLogHeader

  /// Creates a log that continues at a position in a folder.
  init(in folder: any FolderFiles, header: WriteAheadLogHeader, from position: WriteAheadLogPosition) {
    self.header = header
    state = Mutex(State(position: position))
    writer = WriteAheadLogWriter(folder)
    snapshots = SnapshotWriter(folder, header: header)
  }

  func append(_ record: WriteAheadLogRecord) {
    let bytes = record.json.encoded
    state.withLock { state in
      state.append(record: bytes)
      if record.change == .reset { state.wasReset = true }
    }
  }

  func flush() async throws(JobError) {
    // Records appended before are either pending or part of a write that the writer finishes first.
    try await writer.write {
      self.state.withLock { state in
        defer { state.pending = [] }
        return state.pending
      }
    }
  }

  var isSnapshotDue: Bool {
    state.withLock { state in
      guard state.unsaved == nil else { return false }
      let position = state.position
      return state.wasReset
        || SnapshotRule.isDue(logBytes: position.logBytes, snapshotBytes: position.snapshotBytes)
    }
  }

  func rotate(after snapshot: EmulatorSnapshot) {
    state.withLock { state in
      state.position.generation += 1
      state.position.logBytes = 0
      state.unsaved = (snapshot, state.position.chain)
      state.wasReset = false
      state.pending.append(.init(file: WriteAheadLogFileNames.log(state.position.generation), isBeginning: true))
      state.append(line: header.line(.log, state.position.generation, after: state.position.chain))
    }
  }

  func saveSnapshot() async throws(JobError) {
    let (unsaved, generation) = state.withLock { ($0.unsaved, $0.position.generation) }
    guard let (snapshot, chain) = unsaved else { return }
    // A snapshot is useless without the log that follows it.
    try await flush()
    let size = try await snapshots.save(snapshot, after: chain, generation: generation)
    state.withLock { state in
      state.position.snapshotBytes = size
      state.unsaved = nil
    }
  }
}

/// The position in a data folder at which a write-ahead log continues.
struct WriteAheadLogPosition {
  /// The latest generation.
  var generation: Int
  /// The size of the recovered snapshot; 0 if there was none.
  var snapshotBytes = 0
  /// The size of the records since the snapshot.
  var logBytes = 0
  /// The end of the records.
  var chain = RecordChain()
}

/// The file names of a write-ahead log in a data folder.
///
/// The log is divided into generations. Generation 0 starts with empty services, each later one with its snapshot.
enum WriteAheadLogFileNames {
  /// Returns the file name of a generation's records.
  static func log(_ generation: Int) -> String {
    generation == 0 ? "journal.jsonl" : "journal-\(generation).jsonl"
  }

  /// Returns the file name of the snapshot that starts a generation.
  static func snapshot(_ generation: Int) -> String { "snapshot-\(generation).jsonl" }

  /// Returns the generation of a complete or unfinished file, or nil for other files.
  static func generation(of name: String) -> Int? {
    let name = name.hasSuffix(".tmp") ? name.dropLast(4) : name[...]
    if name == log(0) { return 0 }
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].hasSuffix(".jsonl"), let number = Int(parts[1].dropLast(6)),
      name == log(number) || name == snapshot(number)
    else { return nil }
    return number
  }
}
