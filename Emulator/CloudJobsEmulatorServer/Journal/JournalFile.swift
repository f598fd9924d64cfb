import CloudJobsCore

/// The file `journal.jsonl` of a data folder; its writes are waited for.
struct JournalFile: Sendable {
  /// The file's name.
  static let name = "journal.jsonl"
  private let folder: any FolderFiles

  /// The file, which is made where there is none.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  init(in folder: any FolderFiles) throws(JobError) {
    self.folder = folder
    try folder.append([], to: Self.name)
    // The file's name must outlive a crash as well as what is in it.
    try folder.syncNames()
  }

  /// Whether there is nothing in the file.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  func isEmpty() throws(JobError) -> Bool { try folder.read(Self.name, from: 0, count: 1).isEmpty }

  /// Reads all lines in order, then cuts off a last one that was not written to its end.
  ///
  /// - Parameter body: takes a line and its number from 1.
  /// - Throws: ``JobError`` where the file can't be read, and what the closure throws.
  func readLines(_ body: (ArraySlice<UInt8>, Int) throws(JobError) -> Void) throws(JobError) {
    let size = try folder.readLines(Self.name, body)
    if size.torn > 0 { try folder.truncate(Self.name, to: size.whole) }
  }

  /// Adds bytes, and waits until the device has them.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  func append(_ bytes: [UInt8]) throws(JobError) {
    try folder.append(bytes, to: Self.name)
    try folder.sync(Self.name)
  }

  /// Empties the file, then adds bytes.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  func replaceAll(with bytes: [UInt8]) throws(JobError) {
    try folder.truncate(Self.name, to: 0)
    try append(bytes)
  }
}
