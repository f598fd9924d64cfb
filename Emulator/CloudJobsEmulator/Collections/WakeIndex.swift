import CloudJobsCore

/// The next wake-up time of each of many parts.
struct WakeIndex<ID: Hashable & Comparable & Sendable>: Sendable {
  private struct Entry: Comparable, Sendable {
    var time: Timestamp
    var id: ID
    static func < (left: Entry, right: Entry) -> Bool { (left.time, left.id) < (right.time, right.id) }
  }

  private var heap = MinimumHeap<Entry>()
  private var times: [ID: Timestamp] = [:]

  /// The earliest wake-up time.
  var earliest: Timestamp? { heap.first?.time }

  /// Returns the wake-up time of a part, or nil if it has none.
  func time(of id: ID) -> Timestamp? { times[id] }

  /// Sets or clears the wake-up time of a part.
  mutating func set(_ id: ID, to time: Timestamp?) {
    guard times[id] != time else { return }
    times[id] = time
    if let time { heap.insert(Entry(time: time, id: id)) }
    heap.compact(liveCount: times.count) { times[$0.id] == $0.time }
    discardStale()
  }

  /// Removes and returns the part that has been due longest, or nil if none is due.
  mutating func removeDue(at now: Timestamp) -> ID? {
    guard let entry = heap.first, entry.time <= now else { return nil }
    heap.removeFirst()
    times[entry.id] = nil
    discardStale()
    return entry.id
  }

  private mutating func discardStale() {
    while let entry = heap.first, times[entry.id] != entry.time { heap.removeFirst() }
  }
}
