#if HTTP
/// The deadlines of waiting transfers, earliest first: a binary heap.
struct DeadlineHeap {
  private struct Entry {
    var deadline: MonotonicTime
    var id: UInt64
  }

  private var entries: [Entry] = []

  /// How many deadlines are held.
  var count: Int { entries.count }

  /// The earliest deadline.
  var earliest: MonotonicTime? { entries.first?.deadline }

  /// Adds a deadline.
  mutating func insert(_ id: UInt64, at deadline: MonotonicTime) {
    entries.append(Entry(deadline: deadline, id: id))
    siftUp(entries.count - 1)
  }

  /// Takes the earliest entry where its deadline has come.
  mutating func takeExpired(at now: MonotonicTime) -> UInt64? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    let last = entries.removeLast()
    if !entries.isEmpty {
      entries[0] = last
      siftDown(0)
    }
    return first.id
  }

  /// Drops entries that stand for nothing any more, once they outnumber the others.
  ///
  /// - Parameters:
  ///   - live: how many entries still stand for something.
  ///   - isLive: whether an entry does.
  mutating func compact(live: Int, isLive: (UInt64) -> Bool) {
    guard entries.count > 2 * live + 64 else { return }
    let kept = entries.filter { isLive($0.id) }
    entries = []
    for entry in kept { insert(entry.id, at: entry.deadline) }
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].deadline < entries[parent].deadline else { return }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
        if entries[child].deadline < entries[least].deadline { least = child }
      }
      guard least != parent else { return }
      entries.swapAt(parent, least)
      parent = least
    }
  }
}
#endif
