import CloudJobsCore
import CloudJobsEmulator

/// The file of a snapshot: a header, an entity a line, and a last line that tells how many lines there are before it
/// and their checksum.
struct SnapshotFile {
  /// How much is gathered before it is written.
  private static let chunkBytes = 1 << 20
  private static let endPrefix = Array(#"{"end":"#.utf8)
  let folder: any FolderFiles
  let header: JournalHeader
  let generation: Int

  private var name: String { JournalNames.snapshot(generation) }

  /// Writes the file under another name, and gives it its own once the device has all of it.
  ///
  /// - Parameter snapshot: the snapshot.
  /// - Returns: how many bytes the file has.
  /// - Throws: ``JobError`` `storeUnavailable`.
  func write(_ snapshot: EmulatorSnapshot) throws(JobError) -> Int {
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
    try put(header.line(.snapshot))
    try snapshot.forEachLine(put)
    try put(Self.end(lines: lines, checksum))
    try folder.append(chunk, to: unfinished)
    try folder.finish(name)
    return size
  }

  /// Reads the file.
  ///
  /// - Parameter initial: the state that its entities are put into.
  /// - Returns: the snapshot and how many bytes the file has; nil where it isn't what was written.
  /// - Throws: ``JobError`` where a whole file can't be read, or belongs to other options or another version.
  func read(onto initial: EmulatorState) throws(JobError) -> (snapshot: EmulatorSnapshot, bytes: Int)? {
    var snapshot = EmulatorSnapshot(initial)
    var checksum = Checksum()
    var failure: JobError?
    var lines = 0
    var isWhole = false
    let size = try folder.readLines(name) { (line, number) throws(JobError) in
      isWhole = line.starts(with: Self.endPrefix) && line.elementsEqual(Self.end(lines: lines, checksum))
      if isWhole { return }
      checksum.add(line)
      checksum.add(CollectionOfOne(UInt8(ascii: "\n")))
      lines += 1
      guard failure == nil else { return }
      do throws(JobError) {
        if number == 1 {
          try header.check(line, .snapshot)
        } else {
          try snapshot.restore(line)
        }
      } catch {
        failure = JobError(error.code, "Line \(number) of \(name): \(error.message)", field: error.field)
      }
    }
    guard isWhole, size.torn == 0 else { return nil }
    // Only of a whole file is it sure that the fault lies elsewhere.
    if let failure { throw failure }
    return (snapshot, size.whole)
  }

  private static func end(lines: Int, _ checksum: Checksum) -> [UInt8] {
    Array(#"{"end":{"lines":\#(lines),"checksum":"\#(checksum.text)"}}"#.utf8)
  }
}
