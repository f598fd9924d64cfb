import CloudJobsCore
import CloudJobsEmulator

/// Writes snapshots into a data folder on a thread of its own, while the journal goes on.
actor SnapshotWriter {
  private let folder: any FolderFiles
  private let header: JournalHeader
  private let executor = SerialQueueExecutor(label: "cloud-jobs.snapshots")

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A writer into a folder.
  init(_ folder: any FolderFiles, header: JournalHeader) {
    self.folder = folder
    self.header = header
  }

  /// Saves a snapshot, then removes all files of earlier generations.
  ///
  /// - Parameters:
  ///   - snapshot: the snapshot.
  ///   - generation: the generation that begins with it, whose journal exists.
  /// - Returns: the snapshot's size in bytes.
  /// - Throws: ``JobError`` `storeUnavailable`.
  func save(_ snapshot: EmulatorSnapshot, generation: Int) throws(JobError) -> Int {
    let size = try SnapshotFile(folder: folder, header: header, generation: generation).write(snapshot)
    for name in try folder.names() {
      if let other = JournalNames.generation(of: name), other < generation { try folder.remove(name) }
    }
    return size
  }
}
