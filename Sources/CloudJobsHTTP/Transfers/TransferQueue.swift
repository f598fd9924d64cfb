#if HTTP
/// The order in which waiting transfers start, under a limit per host and a total limit.
///
/// Hosts take turns, and the transfers of a host start in order. All operations take amortized constant time.
struct TransferQueue {
  /// The waiting transfers of a host, and the number of those in progress.
  private struct HostQueue {
    var active = 0
    var waiting = FIFOQueue<UInt64>()
    var removed: Set<UInt64> = []
    var isListed = false

    var live: Int { waiting.count - removed.count }
  }

  private let maxPerHost: Int
  private let maxTotal: Int
  private var hostQueues: [String: HostQueue] = [:]
  /// The hosts with waiting transfers and free capacity, each once.
  private var ready = FIFOQueue<String>()
  /// The number of transfers in progress.
  private(set) var active = 0

  /// Creates an empty queue with its limits.
  init(maxPerHost: Int, maxTotal: Int) {
    self.maxPerHost = maxPerHost
    self.maxTotal = maxTotal
  }

  /// The number of hosts with waiting or active transfers.
  var hostCount: Int { hostQueues.count }

  /// Adds a waiting transfer.
  mutating func append(_ id: UInt64, host: String) {
    hostQueues[host, default: HostQueue()].waiting.append(id)
    list(host)
  }

  /// Removes a waiting transfer; it must be waiting.
  mutating func remove(_ id: UInt64, host: String) {
    guard var hostQueue = hostQueues[host] else { return }
    hostQueues[host] = nil
    hostQueue.removed.insert(id)
    if hostQueue.removed.count * 2 > hostQueue.waiting.count {
      let gone = hostQueue.removed
      hostQueue.waiting.removeAll { gone.contains($0) }
      hostQueue.removed = []
    }
    if hostQueue.active > 0 || hostQueue.live > 0 || hostQueue.isListed { hostQueues[host] = hostQueue }
  }

  /// Returns the next transfer to start and counts it as in progress; nil if none may start.
  mutating func next() -> UInt64? {
    while active < maxTotal, let host = ready.takeFirst() {
      guard var hostQueue = hostQueues[host] else { continue }
      hostQueues[host] = nil
      hostQueue.isListed = false
      var taken: UInt64?
      while taken == nil, let id = hostQueue.waiting.takeFirst() {
        if hostQueue.removed.remove(id) == nil { taken = id }
      }
      if taken != nil {
        hostQueue.active += 1
        active += 1
      }
      if hostQueue.active > 0 || hostQueue.live > 0 { hostQueues[host] = hostQueue }
      list(host)
      if let taken { return taken }
    }
    return nil
  }

  /// Records the end of a transfer in progress.
  mutating func finish(host: String) {
    precondition((hostQueues[host]?.active ?? 0) > 0, "a transfer ended that had not started")
    active -= 1
    hostQueues[host]?.active -= 1
    if let hostQueue = hostQueues[host], hostQueue.active == 0, hostQueue.live == 0, !hostQueue.isListed {
      hostQueues[host] = nil
    }
    list(host)
  }

  private mutating func list(_ host: String) {
    guard let hostQueue = hostQueues[host], !hostQueue.isListed, hostQueue.live > 0, hostQueue.active < maxPerHost
    else { return }
    hostQueues[host]?.isListed = true
    ready.append(host)
  }
}

/// A first-in, first-out queue over one array, with amortized constant time per operation.
struct FIFOQueue<Element> {
  private var elements: [Element] = []
  private var head = 0

  /// The number of elements.
  var count: Int { elements.count - head }

  /// Appends an element.
  mutating func append(_ element: Element) { elements.append(element) }

  /// Removes and returns the oldest element; nil if the queue is empty.
  mutating func takeFirst() -> Element? {
    guard head < elements.count else { return nil }
    defer {
      head += 1
      if head * 2 > elements.count {
        elements.removeFirst(head)
        head = 0
      }
    }
    return elements[head]
  }

  /// Removes all elements that satisfy a predicate.
  mutating func removeAll(where isGone: (Element) -> Bool) {
    elements.removeFirst(head)
    head = 0
    elements.removeAll(where: isGone)
  }
}

/// A binary heap of the deadlines of waiting transfers, earliest first.
struct DeadlineHeap {
  private struct Entry {
    var deadline: MonotonicTime
    var id: UInt64
  }

  private var entries: [Entry] = []

  /// The number of entries.
  var count: Int { entries.count }

  /// The earliest deadline.
  var earliest: MonotonicTime? { entries.first?.deadline }

  /// Inserts a deadline.
  mutating func insert(_ id: UInt64, at deadline: MonotonicTime) {
    entries.append(Entry(deadline: deadline, id: id))
    siftUp(entries.count - 1)
  }

  /// Removes and returns the earliest entry if its deadline has passed.
  mutating func takeExpired(at now: MonotonicTime) -> UInt64? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    let last = entries.removeLast()
    if !entries.isEmpty {
      entries[0] = last
      siftDown(0)
    }
    return first.id
  }

  /// Removes stale entries once they outnumber the others.
  ///
  /// - Parameters:
  ///   - live: the number of entries that are not stale.
  ///   - isLive: returns whether an entry is not stale.
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
