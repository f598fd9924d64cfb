import CloudJobsCore

/// A writer of log files, one write at a time, on its own thread where waiting for a device blocks no other task.
actor WriteAheadLogWriter {
  /// Lines for one file.
  struct Chunk: Sendable {
    var file: String
    var bytes: [UInt8] = []
    /// Whether the lines start a new file; otherwise they are appended.
    var isBeginning = false
    /// The place in the log after the lines; nil if they are no records.
    var end: RecordChain?
  }

  private let folder: any FolderFiles
  private let executor = SerialQueueExecutor(label: "cloud-jobs.write-ahead-log")
  private var failure: JobError?

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Creates a writer to a folder's files.
  init(_ folder: any FolderFiles) {
    self.folder = folder
  }

  /// Writes the pending lines and waits for the device.
  ///
  /// - Parameter take: removes and returns the pending lines, in order.
  /// - Throws: ``JobError``; all later writes fail too, because the files' ends are unknown.
  func write(_ take: @Sendable () -> [Chunk]) throws(JobError) {
    if let failure { throw failure }
    do throws(JobError) {
      for chunk in take() where !chunk.bytes.isEmpty { try write(chunk) }
    } catch {
      failure = error
      throw error
    }
  }

  private func write(_ chunk: Chunk) throws(JobError) {
    if chunk.isBeginning {
      try folder.create(chunk.file, chunk.bytes)
    } else {
      try folder.append(chunk.bytes, to: chunk.file)
      try folder.sync(chunk.file)
    }
    if let end = chunk.end { try AcknowledgedPosition(folder: folder).update(end) }
  }
}
