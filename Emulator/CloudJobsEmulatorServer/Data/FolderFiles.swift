import CloudJobsCore

/// The files of one folder, step by step, as a crash may come between any two steps.
///
/// What is written, renamed or removed is sure to outlive a crash only once it was synced: a file's bytes by
/// ``sync(_:)``, names by ``syncNames()``. All failures are ``JobError`` `storeUnavailable`.
protocol FolderFiles: Sendable {
  /// The names of all files, in no order.
  func names() throws(JobError) -> [String]

  /// The bytes of a file from an offset on, at most as many as asked for; none at its end.
  func read(_ name: String, from offset: Int, count: Int) throws(JobError) -> [UInt8]

  /// Adds bytes to the end of a file, which is made where there is none, for its owner alone.
  func append(_ bytes: [UInt8], to name: String) throws(JobError)

  /// Cuts a file off after a number of bytes.
  func truncate(_ name: String, to size: Int) throws(JobError)

  /// Waits until the device has a file's bytes.
  func sync(_ name: String) throws(JobError)

  /// Gives a file another name, from which a file that has it already is taken.
  func rename(_ name: String, to other: String) throws(JobError)

  /// Removes a file.
  func remove(_ name: String) throws(JobError)

  /// Waits until the device has the names.
  func syncNames() throws(JobError)
}

extension FolderFiles {
  /// The name that a file has until it is complete.
  static func unfinished(_ name: String) -> String { name + ".tmp" }

  /// Makes a file with its bytes at once, in the place of one of its name: a crash leaves all of it or nothing.
  func create(_ name: String, _ bytes: [UInt8]) throws(JobError) {
    try append(bytes, to: try begin(name))
    try finish(name)
  }

  /// Makes room for a file that is to be written piece by piece, where one may lie that was never finished.
  ///
  /// - Returns: the name under which to write it until it is finished.
  func begin(_ name: String) throws(JobError) -> String {
    let unfinished = Self.unfinished(name)
    if try names().contains(unfinished) { try remove(unfinished) }
    return unfinished
  }

  /// Gives a file that was written under its unfinished name its own.
  func finish(_ name: String) throws(JobError) {
    try sync(Self.unfinished(name))
    try rename(Self.unfinished(name), to: name)
    try syncNames()
  }

  /// All bytes of a file.
  func contents(_ name: String) throws(JobError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let chunk = try read(name, from: bytes.count, count: 1 << 20)
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
  }

  /// Reads all whole lines of a file in order.
  ///
  /// - Parameters:
  ///   - name: the file.
  ///   - body: takes a line without its end, and its number from 1.
  /// - Returns: how many bytes the whole lines have, and how many follow that belong to none.
  /// - Throws: what the closure throws too.
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
      // Only what has just come can have a line's end.
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
