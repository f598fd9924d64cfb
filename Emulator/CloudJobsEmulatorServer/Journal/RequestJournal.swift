import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A journal in a file of JSON lines: a header, then a record a line.
///
/// Records gather in memory while the device is busy with earlier ones, so many requests share one write to it.
final class RequestJournal: EmulatorJournal {
  private let pending: Mutex<JournalWriter.Pending>
  private let writer: JournalWriter
  private let header: [UInt8]

  /// A journal that goes on in a file.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  init(_ file: JournalFile, header: JournalHeader) throws(JobError) {
    self.header = header.json.encoded + [UInt8(ascii: "\n")]
    pending = Mutex(JournalWriter.Pending())
    writer = JournalWriter(file)
    if try file.isEmpty() { restart() }
  }

  func append(_ record: JournalRecord) {
    let line = record.json.encoded
    pending.withLock { pending in
      pending.bytes.append(contentsOf: line)
      pending.bytes.append(UInt8(ascii: "\n"))
    }
  }

  func restart() {
    pending.withLock { $0 = JournalWriter.Pending(bytes: header, replacesAll: true) }
  }

  func flush() async throws(JobError) {
    // Whatever was appended before is either still pending, or was taken by a write that the writer ends first.
    try await writer.write { self.take() }
  }

  private func take() -> JournalWriter.Pending {
    pending.withLock { pending in
      defer { pending = JournalWriter.Pending() }
      return pending
    }
  }
}
