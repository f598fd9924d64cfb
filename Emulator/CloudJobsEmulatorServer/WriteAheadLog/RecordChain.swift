import CloudJobsCore

/// A place in the log: the number of records before it, and their running checksum.
///
/// Each line of the log is `[number,"checksum",record]`, where the checksum is that of all records up to it. So a line
/// that was changed, removed, added or moved is found by its own number and checksum.
struct RecordChain: Hashable, Sendable {
  /// The number of records.
  private(set) var count = 0
  private var checksum = Checksum()

  /// The running checksum as text.
  var checksumText: String { checksum.text }

  /// Creates the chain without records.
  init() {}

  /// Adds a record and returns its line.
  mutating func append(_ record: [UInt8]) -> [UInt8] {
    add(record)
    return prefix + record + [UInt8(ascii: "]")]
  }

  /// Adds the record of a line.
  ///
  /// - Parameter line: the line without its terminator.
  /// - Returns: the record; nil if the line is not the next one of the chain.
  mutating func read(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var next = self
    // The prefix of the next line is as long with any checksum.
    next.count += 1
    let record = line.dropFirst(next.prefix.count).dropLast()
    next.count -= 1
    next.add(record)
    guard line.starts(with: next.prefix), line.last == UInt8(ascii: "]"), line.count > next.prefix.count else {
      return nil
    }
    self = next
    return record
  }

  private mutating func add(_ record: some Sequence<UInt8>) {
    count += 1
    checksum.add(record)
    // Ends the record, so that bytes can't move from one to the next.
    checksum.add(CollectionOfOne(UInt8(ascii: "\n")))
  }

  private var prefix: [UInt8] { Array("[\(count),\"\(checksum.text)\",".utf8) }
}

extension RecordChain {
  /// The place as JSON.
  var json: JSONValue { ["records": .integer(Int64(count)), "checksum": .string(checksum.text)] }

  /// Creates a place from JSON; nil if the value is none.
  init?(json: JSONValue?) {
    guard let count = json?["records"]?.integer, let checksum = Checksum(text: json?["checksum"]?.string ?? "") else {
      return nil
    }
    self.count = Int(count)
    self.checksum = checksum
  }
}
