import CloudJobsCore

/// Writes to a journal's file, one write at a time, on a thread where waiting for a device holds nobody up.
actor JournalWriter {
  /// What is to be written.
  struct Pending: Sendable {
    var bytes: [UInt8] = []
    /// Whether it takes the place of all that was written before.
    var replacesAll = false
  }

  private let file: JournalFile
  private let executor = SerialQueueExecutor(label: "cloud-jobs.journal")
  private var failure: JobError?

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A writer to a file.
  init(_ file: JournalFile) {
    self.file = file
  }

  /// Writes what is pending by now, and waits for the device.
  ///
  /// - Throws: ``JobError``; after that all writes fail, since the file's end is not known.
  func write(_ take: @Sendable () -> Pending) throws(JobError) {
    if let failure { throw failure }
    let pending = take()
    guard !pending.bytes.isEmpty else { return }
    do throws(JobError) {
      if pending.replacesAll { try file.replaceAll(with: pending.bytes) } else { try file.append(pending.bytes) }
    } catch {
      failure = error
      throw error
    }
  }
}
