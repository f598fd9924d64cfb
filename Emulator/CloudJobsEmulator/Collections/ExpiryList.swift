import CloudJobsCore

/// Items that all have the same lifetime and therefore expire in insertion order.
struct ExpiryList<Item: Sendable>: Sendable {
  private var entries: [(expiry: Timestamp, item: Item)] = []
  private var head = 0

  /// The entry that expires next.
  var first: (expiry: Timestamp, item: Item)? { head < entries.count ? entries[head] : nil }

  /// All entries in order.
  var all: ArraySlice<(expiry: Timestamp, item: Item)> { entries[head...] }

  /// Returns the entries that expire after a time, in order.
  func elements(after time: Timestamp) -> ArraySlice<(expiry: Timestamp, item: Item)> {
    var (lower, upper) = (head, entries.count)
    while lower < upper {
      let middle = (lower + upper) / 2
      if entries[middle].expiry > time { upper = middle } else { lower = middle + 1 }
    }
    return entries[lower...]
  }

  /// Adds an item whose expiry must not precede that of the items before it.
  mutating func append(_ item: Item, expiry: Timestamp) {
    entries.append((expiry, item))
  }

  /// Removes dead items once they outnumber the live ones.
  ///
  /// - Parameters:
  ///   - liveCount: the number of live items.
  ///   - isLive: returns whether an item is live.
  mutating func compact(liveCount: Int, _ isLive: (Item) -> Bool) {
    guard entries.count - head > 2 * liveCount + 64 else { return }
    entries = entries[head...].filter { isLive($0.item) }
    head = 0
  }

  /// Removes the entry that expires next.
  mutating func removeFirst() {
    head += 1
    if head > 1_024, head * 2 > entries.count {
      entries.removeSubrange(..<head)
      head = 0
    }
  }
}
