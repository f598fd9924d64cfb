import CloudJobsCore

/// The file that says how far the log has been acknowledged: by it, a log that lost its end is known from a whole one.
///
/// It is written over after each write of the log, and not synced: after a failure of the machine it may name an
/// earlier place, never a later one, because the log's bytes are on the device before. A line as short as this one
/// reaches the device whole or not at all.
struct AcknowledgedPosition {
  /// The file's name.
  static let name = "position.json"
  let folder: any FolderFiles

  /// Creates the file, or replaces it, so that it is there after a crash.
  func create(_ chain: RecordChain) throws(JobError) { try folder.create(Self.name, Self.line(chain)) }

  /// Writes a place over the earlier one.
  func update(_ chain: RecordChain) throws(JobError) { try folder.overwrite(Self.name, with: Self.line(chain)) }

  /// Returns the place; nil if there is no file.
  ///
  /// - Throws: ``JobError`` `storeUnavailable` if the file cannot be read or was changed.
  func read() throws(JobError) -> RecordChain? {
    guard try folder.names().contains(Self.name) else { return nil }
    let bytes = try folder.contents(Self.name)
    guard let chain = RecordChain(json: try? JSONValue(parsing: bytes)), bytes == Self.line(chain) else {
      throw WriteAheadLogReader.damage("\(Self.name) was changed.")
    }
    return chain
  }

  /// A line whose length is the same for each place.
  private static func line(_ chain: RecordChain) -> [UInt8] {
    let count = String(chain.count)
    let text = #"{"checksum":"\#(chain.checksumText)","records":\#(count)"#
    var checksum = Checksum()
    checksum.add(text.utf8)
    let padding = String(repeating: " ", count: max(0, 20 - count.count))
    return Array(#"\#(text),"line":"\#(checksum.text)"}\#(padding)\#n"#.utf8)
  }
}
