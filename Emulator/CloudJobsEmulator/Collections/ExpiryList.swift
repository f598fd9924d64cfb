import CloudJobsCore

/// Things that expire in the order in which they were added, as all live equally long.
struct ExpiryList<Item: Sendable>: Sendable {
  private var entries: [(expiry: Timestamp, item: Item)] = []
  private var head = 0

  /// The entry that expires next.
  var first: (expiry: Timestamp, item: Item)? { head < entries.count ? entries[head] : nil }

  /// All entries in order.
  var all: ArraySlice<(expiry: Timestamp, item: Item)> { entries[head...] }

  /// Adds an item whose expiry is not before those added earlier.
  mutating func append(_ item: Item, expiry: Timestamp) {
    entries.append((expiry, item))
  }

  /// Drops items that no longer matter once they are the greater part.
  ///
  /// - Parameters:
  ///   - liveCount: how many items matter.
  ///   - isLive: whether an item matters.
  mutating func compact(liveCount: Int, _ isLive: (Item) -> Bool) {
    guard entries.count - head > 2 * liveCount + 64 else { return }
    entries = entries[head...].filter { isLive($0.item) }
    head = 0
  }

  /// Takes the next entry out.
  mutating func removeFirst() {
    head += 1
    if head > 1_024, head * 2 > entries.count {
      entries.removeSubrange(..<head)
      head = 0
    }
  }
}
