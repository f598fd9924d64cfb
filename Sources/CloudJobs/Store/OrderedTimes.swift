import CloudJobsCore

/// Ids ordered by a time that each may have.
///
/// They lie in sorted chunks of limited length, so that a change moves few of them, however many there are.
struct OrderedTimes<ID: Comparable & Sendable>: Sendable {
  typealias Entry = (key: Int64, id: ID)

  /// The length at which a chunk is divided.
  private static var chunkLimit: Int { 512 }

  /// The entries; no chunk is empty.
  private var chunks: [[Entry]] = []

  /// Moves an id from one time to another; nil means no time.
  mutating func set(_ id: ID, from old: Timestamp?, to new: Timestamp?) {
    if old == new { return }
    if let old { remove((old.microseconds, id)) }
    if let new { insert((new.microseconds, id)) }
  }

  private mutating func insert(_ entry: Entry) {
    guard !chunks.isEmpty else { return chunks.append([entry]) }
    let chunk = min(firstChunk { !($0 < entry) }, chunks.count - 1)
    chunks[chunk].insert(entry, at: chunks[chunk].firstIndex { !($0 < entry) })
    guard chunks[chunk].count >= Self.chunkLimit else { return }
    let half = chunks[chunk].count / 2
    chunks.insert(Array(chunks[chunk][half...]), at: chunk + 1)
    chunks[chunk].removeSubrange(half...)
  }

  private mutating func remove(_ entry: Entry) {
    let chunk = firstChunk { !($0 < entry) }
    guard chunk < chunks.count else { return }
    let index = chunks[chunk].firstIndex { !($0 < entry) }
    guard chunks[chunk][index] == entry else { return }
    chunks[chunk].remove(at: index)
    if chunks[chunk].isEmpty { chunks.remove(at: chunk) }
  }

  /// Returns the entries after a place and not later than a time.
  func entries(until time: Timestamp, after place: (Int64, ID)?, limit: Int) -> [Entry] {
    let isBehind = { (entry: Entry) in place.map { $0 < entry } ?? true }
    var found: [Entry] = []
    var chunk = firstChunk(isBehind)
    var index = chunk < chunks.count ? chunks[chunk].firstIndex(isBehind) : 0
    while chunk < chunks.count, found.count < limit, chunks[chunk][index].key <= time.microseconds {
      found.append(chunks[chunk][index])
      index += 1
      if index == chunks[chunk].count { (chunk, index) = (chunk + 1, 0) }
    }
    return found
  }

  /// The earliest time.
  var first: Timestamp? { chunks.first?.first.map { Timestamp(microseconds: $0.key) } }

  /// Returns the earliest time after another.
  func first(after time: Timestamp) -> Timestamp? {
    let isAfter = { (entry: Entry) in entry.key > time.microseconds }
    let chunk = firstChunk(isAfter)
    guard chunk < chunks.count else { return nil }
    return Timestamp(microseconds: chunks[chunk][chunks[chunk].firstIndex(isAfter)].key)
  }

  /// Returns the first chunk whose last entry meets a condition that all later entries meet too.
  private func firstChunk(_ condition: (Entry) -> Bool) -> Int {
    chunks.firstIndex { chunk in chunk.last.map(condition) ?? false }
  }
}

extension Array {
  /// Returns the index of the first element that meets a condition, which all later elements meet too, by binary
  /// search.
  fileprivate func firstIndex(_ condition: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
