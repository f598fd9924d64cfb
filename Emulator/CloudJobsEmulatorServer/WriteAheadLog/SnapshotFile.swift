import CloudJobsCore
import CloudJobsEmulator

/// The file of a snapshot: a header, one entity per line, and a last line with the number of lines before it and their
/// checksum.
struct SnapshotFile {
  /// Number of bytes collected before a write.
  private static let chunkBytes = 1 << 20
  private static let endPrefix = Array(#"{"end":"#.utf8)
  let folder: any FolderFiles
  let header: WriteAheadLogHeader
  let generation: Int

  private var name: String { WriteAheadLogFileNames.snapshot(generation) }

  /// Writes the file under another name and renames it once it is on the device.
  ///
  /// - Parameters:
  ///   - snapshot: the snapshot.
  ///   - chain: the place in the log that it stands for.
  /// - Returns: the size of the file in bytes.
  /// - Throws: ``JobError`` `storeUnavailable`.
  func write(_ snapshot: EmulatorSnapshot, after chain: RecordChain) throws(JobError) -> Int {
    let unfinished = try folder.begin(name)
    var checksum = Checksum()
    var size = 0
    var lines = 0
    var chunk: [UInt8] = []
    func put(_ line: [UInt8]) throws(JobError) {
      let start = chunk.count
      chunk += line
      chunk.append(UInt8(ascii: "\n"))
      checksum.add(chunk[start...])
      size += chunk.count - start
      lines += 1
      guard chunk.count >= Self.chunkBytes else { return }
      try folder.append(chunk, to: unfinished)
      chunk.removeAll(keepingCapacity: true)
    }
    try put(header.line(.snapshot, generation, after: chain))
    try snapshot.forEachLine(put)
    try put(Self.end(lines: lines, checksum))
    try folder.append(chunk, to: unfinished)
    try folder.finish(name)
    return size
  }

  /// Reads the file.
  ///
  /// - Parameter initial: the state into which entities are restored.
  /// - Returns: the snapshot, its place in the log and the size of the file in bytes; nil if the file is damaged.
  /// - Throws: ``JobError`` if an intact file cannot be read, or belongs to other options or another version.
  func read(onto initial: EmulatorState) throws(JobError) -> (
    snapshot: EmulatorSnapshot, after: RecordChain, bytes: Int
  )? {
    var snapshot = EmulatorSnapshot(initial)
    var chain = RecordChain()
    var checksum = Checksum()
    var failure: JobError?
    var lines = 0
    var isWhole = false
    var hasMore = false
    let size = try folder.readLines(name) { (line, number) throws(JobError) in
      hasMore = isWhole
      isWhole = line.starts(with: Self.endPrefix) && line.elementsEqual(Self.end(lines: lines, checksum))
      if isWhole { return }
      checksum.add(line)
      checksum.add(CollectionOfOne(UInt8(ascii: "\n")))
      lines += 1
      guard failure == nil else { return }
      do throws(JobError) {
        if number == 1 {
          chain = try header.check(line, .snapshot, generation)
        } else {
          try snapshot.restore(line)
        }
      } catch {
        failure = JobError(error.code, "Line \(number) of \(name): \(error.message)", field: error.field)
      }
    }
    guard isWhole, !hasMore, size.torn == 0 else { return nil }
    // Only for an intact file is the error's cause outside the file.
    if let failure { throw failure }
    return (snapshot, chain, size.whole)
  }

  private static func end(lines: Int, _ checksum: Checksum) -> [UInt8] {
    Array(#"{"end":{"lines":\#(lines),"checksum":"\#(checksum.text)"}}"#.utf8)
  }
}

/// The rule for replacing records by a snapshot.
enum SnapshotRule {
  /// Minimum size of records before a snapshot, in bytes.
  static let minimumBytes = 4 << 20

  /// Returns whether a snapshot is due.
  ///
  /// Keeps the folder in proportion to the state, and the work of writing snapshots in proportion to the requests.
  ///
  /// - Parameters:
  ///   - logBytes: the size of the records since the last snapshot.
  ///   - snapshotBytes: the size of the last snapshot; 0 if there is none.
  /// - Returns: whether a snapshot is due.
  static func isDue(logBytes: Int, snapshotBytes: Int) -> Bool {
    logBytes > max(minimumBytes, 2 * snapshotBytes)
  }
}

/// A writer of snapshots on its own thread, concurrent with the write-ahead log.
actor SnapshotWriter {
  private let folder: any FolderFiles
  private let header: WriteAheadLogHeader
  private let executor = SerialQueueExecutor(label: "cloud-jobs.snapshots")

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Creates a writer into a folder.
  init(_ folder: any FolderFiles, header: WriteAheadLogHeader) {
    self.folder = folder
    self.header = header
  }

  /// Saves a snapshot, then removes all files of earlier generations.
  ///
  /// - Parameters:
  ///   - snapshot: the snapshot.
  ///   - chain: the place in the log that it stands for.
  ///   - generation: the generation that starts with the snapshot and whose log exists.
  /// - Returns: the size of the snapshot in bytes.
  /// - Throws: ``JobError`` `storeUnavailable`.
  func save(_ snapshot: EmulatorSnapshot, after chain: RecordChain, generation: Int) throws(JobError) -> Int {
    let file = SnapshotFile(folder: folder, header: header, generation: generation)
    let size = try file.write(snapshot, after: chain)
    for name in try folder.names() {
      if let other = WriteAheadLogFileNames.generation(of: name), other < generation { try folder.remove(name) }
    }
    return size
  }
}
