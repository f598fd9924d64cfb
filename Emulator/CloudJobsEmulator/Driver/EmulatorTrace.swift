import CloudJobsCore

/// What happened in an emulator, in order; the oldest entries go when a limit is reached.
public struct EmulatorTrace: Sendable {
  /// The most entries that are kept.
  public let limit: Int
  private var storage: [TraceEntry] = []
  private var start = 0

  /// How many of the oldest entries have gone.
  public private(set) var droppedCount = 0

  /// A trace of nothing yet.
  ///
  /// - Parameter limit: the most entries to keep, at least 1.
  public init(limit: Int) {
    self.limit = max(1, limit)
  }

  /// The entries, oldest first.
  public var entries: [TraceEntry] { Array(storage[start...] + storage[..<start]) }

  /// The entries as lines, oldest first.
  public var lines: [String] { entries.map(\.description) }

  mutating func append(_ entry: TraceEntry) {
    guard storage.count == limit else { return storage.append(entry) }
    storage[start] = entry
    start = (start + 1) % limit
    droppedCount += 1
  }

  mutating func append(_ actions: [ServiceAction], at time: Timestamp) {
    for action in actions { append(TraceEntry(time: time, action: action)) }
  }
}
