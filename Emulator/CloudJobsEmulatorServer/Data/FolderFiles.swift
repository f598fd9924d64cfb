import CloudJobsCore

/// The files of one folder, with operations split into the steps between which a crash may occur.
///
/// Writes, renames and removals survive a crash only after a sync: a file's bytes after ``sync(_:)``, names after
/// ``syncNames()``. All failures are ``JobError`` `storeUnavailable`.
protocol FolderFiles: Sendable {
  /// Returns the names of all files, in no particular order.
  func names() throws(JobError) -> [String]

  /// Reads up to `count` bytes of a file from an offset; returns none at its end.
  func read(_ name: String, from offset: Int, count: Int) throws(JobError) -> [UInt8]

  /// Appends bytes to a file, creating it readable by its owner only if it does not exist.
  func append(_ bytes: [UInt8], to name: String) throws(JobError)

  /// Writes bytes over the first ones of an existing file; without a sync, a crash may bring back the earlier ones.
  func overwrite(_ name: String, with bytes: [UInt8]) throws(JobError)

  /// Truncates a file to a number of bytes.
  func truncate(_ name: String, to size: Int) throws(JobError)

  /// Waits until a file's bytes are on the device.
  func sync(_ name: String) throws(JobError)

  /// Renames a file, replacing an existing file of the new name.
  func rename(_ name: String, to other: String) throws(JobError)

  /// Removes a file.
  func remove(_ name: String) throws(JobError)

  /// Waits until the folder's names are on the device.
  func syncNames() throws(JobError)
}

extension FolderFiles {
  /// Returns the name of a file until it is complete.
  static func unfinished(_ name: String) -> String { name + ".tmp" }

  /// Creates or replaces a file atomically: after a crash it is complete or absent.
  func create(_ name: String, _ bytes: [UInt8]) throws(JobError) {
    try append(bytes, to: try begin(name))
    try finish(name)
  }

  /// Prepares a file that is written in parts, removing an unfinished one.
  ///
  /// - Returns: the name under which to write until the file is finished.
  func begin(_ name: String) throws(JobError) -> String {
    let unfinished = Self.unfinished(name)
    if try names().contains(unfinished) { try remove(unfinished) }
    return unfinished
  }

  /// Renames a completely written file from its unfinished name to its own.
  func finish(_ name: String) throws(JobError) {
    try sync(Self.unfinished(name))
    try rename(Self.unfinished(name), to: name)
    try syncNames()
  }

  /// Returns all bytes of a file.
  func contents(_ name: String) throws(JobError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let chunk = try read(name, from: bytes.count, count: 1 << 20)
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
  }

  /// Reads all complete lines of a file in order.
  ///
  /// - Parameters:
  ///   - name: the file's name.
  ///   - body: receives each line without its terminator, and its number from 1.
  /// - Returns: the size of the complete lines and of an incomplete rest, in bytes.
  /// - Throws: ``JobError`` `storeUnavailable`, or the closure's error.
  func readLines(
    _ name: String, _ body: (ArraySlice<UInt8>, Int) throws(JobError) -> Void
  ) throws(JobError) -> (whole: Int, torn: Int) {
    var rest: [UInt8] = []
    var number = 0
    var offset = 0
    while true {
      let chunk = try read(name, from: offset, count: 1 << 20)
      guard !chunk.isEmpty else { return (offset - rest.count, rest.count) }
      offset += chunk.count
      // Only the new bytes can contain a line's end.
      var search = rest.count
      rest += chunk
      var start = 0
      while let end = rest[search...].firstIndex(of: UInt8(ascii: "\n")) {
        number += 1
        try body(rest[start..<end], number)
        start = end + 1
        search = start
      }
      rest.removeSubrange(..<start)
    }
  }
}

/// A 64-bit FNV-1a checksum, which changes with any single byte.
///
/// Source: RFC 9923 (<https://www.rfc-editor.org/rfc/rfc9923>).
struct Checksum: Hashable {
  private var sum: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The checksum of no bytes.
  init() {}

  /// Continues from a checksum's text; nil if it is none.
  init?(text: String) {
    guard text.utf8.count == 16, let sum = UInt64(text, radix: 16) else { return nil }
    self.sum = sum
  }

  /// The checksum as 16 hexadecimal digits.
  var text: String {
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Adds bytes.
  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
}
