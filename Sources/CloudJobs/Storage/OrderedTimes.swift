import CloudJobsCore

/// Identifiers in the order of a time that each may have: a sorted array with binary search.
struct OrderedTimes<ID: Comparable & Sendable>: Sendable {
  private var entries: [(key: Int64, id: ID)] = []

  /// Moves an identifier from one time to another; nil means that it has none.
  mutating func set(_ id: ID, from old: Timestamp?, to new: Timestamp?) {
    if old == new { return }
    if let old {
      let index = firstIndex(notBefore: (old.microseconds, id))
      if index < entries.count, entries[index] == (old.microseconds, id) { entries.remove(at: index) }
    }
    if let new { entries.insert((new.microseconds, id), at: firstIndex(notBefore: (new.microseconds, id))) }
  }

  /// The entries after a place and no later than a time.
  func entries(until time: Timestamp, after place: (Int64, ID)?, limit: Int) -> ArraySlice<(key: Int64, id: ID)> {
    var start = 0
    if let place {
      start = firstIndex(notBefore: place)
      if start < entries.count, entries[start] == place { start += 1 }
    }
    var end = start
    while end < entries.count, end - start < limit, entries[end].key <= time.microseconds { end += 1 }
    return ArraySlice(Array(entries[start..<end]))
  }

  /// The earliest time of all.
  var first: Timestamp? { entries.first.map { Timestamp(microseconds: $0.key) } }

  /// The earliest time after another.
  func first(after time: Timestamp) -> Timestamp? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key <= time.microseconds { low = middle + 1 } else { high = middle }
    }
    return low < entries.count ? Timestamp(microseconds: entries[low].key) : nil
  }

  private func firstIndex(notBefore place: (Int64, ID)) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
