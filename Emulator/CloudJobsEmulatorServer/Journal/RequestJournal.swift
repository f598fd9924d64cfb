import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A journal in files of JSON lines: a header, then a record a line.
///
/// Records gather in memory while the device is busy with earlier ones, so many requests share one write to it.
final class RequestJournal: EmulatorJournal {
  private struct State {
    var position: JournalPosition
    var pending: [JournalWriter.Chunk] = []
    /// The snapshot that the latest generation begins with, until it is saved.
    var unsaved: EmulatorSnapshot?
    /// Whether the services are back at their beginning, so that all before is of no more use.
    var wasReset = false

    mutating func append(_ line: [UInt8]) {
      let file = JournalNames.journal(position.generation)
      if pending.last?.file != file { pending.append(JournalWriter.Chunk(file: file)) }
      pending[pending.count - 1].bytes += line
      pending[pending.count - 1].bytes.append(UInt8(ascii: "\n"))
      position.journalBytes += line.count + 1
    }
  }

  private let state: Mutex<State>
  private let writer: JournalWriter
  private let snapshots: SnapshotWriter
  private let header: JournalHeader

  /// A journal that goes on in a folder.
  init(in folder: any FolderFiles, header: JournalHeader, from position: JournalPosition) {
    self.header = header
    state = Mutex(State(position: position))
    writer = JournalWriter(folder)
    snapshots = SnapshotWriter(folder, header: header)
  }

  func append(_ record: JournalRecord) {
    let line = record.json.encoded
    state.withLock { state in
      state.append(line)
      if record.change == .reset { state.wasReset = true }
    }
  }

  func flush() async throws(JobError) {
    // Whatever was appended before is either still pending, or was taken by a write that the writer ends first.
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
        || SnapshotRule.isDue(journalBytes: position.journalBytes, snapshotBytes: position.snapshotBytes)
    }
  }

  func cut(at snapshot: EmulatorSnapshot) {
    state.withLock { state in
      state.position.generation += 1
      state.position.journalBytes = 0
      state.unsaved = snapshot
      state.wasReset = false
      state.pending.append(.init(file: JournalNames.journal(state.position.generation), isBeginning: true))
      state.append(header.line(.journal))
    }
  }

  func saveSnapshot() async throws(JobError) {
    guard case (let snapshot?, let generation) = state.withLock({ ($0.unsaved, $0.position.generation) }) else {
      return
    }
    // Without the journal that follows it a snapshot would be of no use.
    try await flush()
    let size = try await snapshots.save(snapshot, generation: generation)
    state.withLock { state in
      state.position.snapshotBytes = size
      state.unsaved = nil
    }
  }
}
