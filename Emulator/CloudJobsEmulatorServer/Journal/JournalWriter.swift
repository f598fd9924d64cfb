import CloudJobsCore

/// Writes the journals of a data folder, one write at a time, on a thread where waiting for a device holds nobody up.
actor JournalWriter {
  /// Lines for one file.
  struct Chunk: Sendable {
    var file: String
    var bytes: [UInt8] = []
    /// Whether the file begins with them; otherwise they come after what it has.
    var isBeginning = false
  }

  private let folder: any FolderFiles
  private let executor = SerialQueueExecutor(label: "cloud-jobs.journal")
  private var failure: JobError?

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A writer to a folder's files.
  init(_ folder: any FolderFiles) {
    self.folder = folder
  }

  /// Writes what is pending by now, and waits for the device.
  ///
  /// - Parameter take: takes what is pending, in order.
  /// - Throws: ``JobError``; after that all writes fail, since the files' ends are not known.
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
    guard !chunk.isBeginning else { return try folder.create(chunk.file, chunk.bytes) }
    try folder.append(chunk.bytes, to: chunk.file)
    try folder.sync(chunk.file)
  }
}
