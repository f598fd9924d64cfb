import CloudJobsCore

/// Things that expire in the order in which they were added, as all live equally long.
struct ExpiryList<Item: Sendable>: Sendable {
  private var entries: [(expiry: Timestamp, item: Item)] = []
  private var head = 0

  /// The entry that expires next.
  var first: (expiry: Timestamp, item: Item)? { head < entries.count ? entries[head] : nil }

  /// Adds an item whose expiry is not before those added earlier.
  mutating func append(_ item: Item, expiry: Timestamp) {
    entries.append((expiry, item))
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
