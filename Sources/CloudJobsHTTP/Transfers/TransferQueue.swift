#if HTTP
/// Decides which waiting transfer starts next, under a limit for each host and one for all.
///
/// Hosts take turns, and transfers of one host start in the order in which they came. All operations cost amortised
/// constant time, whatever waits.
struct TransferQueue {
  /// What waits for one host, and how many of its transfers are in progress.
  private struct Lane {
    var active = 0
    var waiting = FirstInFirstOut<UInt64>()
    var removed: Set<UInt64> = []
    var isListed = false

    var live: Int { waiting.count - removed.count }
  }

  private let maxPerHost: Int
  private let maxTotal: Int
  private var lanes: [String: Lane] = [:]
  /// The hosts that have something waiting and room for it, each once.
  private var ready = FirstInFirstOut<String>()
  /// How many transfers are in progress.
  private(set) var active = 0

  /// An empty queue with its limits.
  init(maxPerHost: Int, maxTotal: Int) {
    self.maxPerHost = maxPerHost
    self.maxTotal = maxTotal
  }

  /// How many hosts are known because something waits or is in progress.
  var hostCount: Int { lanes.count }

  /// Lets a transfer wait for its host.
  mutating func append(_ id: UInt64, host: String) {
    lanes[host, default: Lane()].waiting.append(id)
    list(host)
  }

  /// Takes a waiting transfer out; the transfer must wait.
  mutating func remove(_ id: UInt64, host: String) {
    guard var lane = lanes[host] else { return }
    lanes[host] = nil
    lane.removed.insert(id)
    if lane.removed.count * 2 > lane.waiting.count {
      let gone = lane.removed
      lane.waiting.removeAll { gone.contains($0) }
      lane.removed = []
    }
    if lane.active > 0 || lane.live > 0 || lane.isListed { lanes[host] = lane }
  }

  /// The next transfer to start, which counts as in progress from now on; nil where none waits or may start.
  mutating func next() -> UInt64? {
    while active < maxTotal, let host = ready.takeFirst() {
      guard var lane = lanes[host] else { continue }
      lanes[host] = nil
      lane.isListed = false
      var taken: UInt64?
      while taken == nil, let id = lane.waiting.takeFirst() {
        if lane.removed.remove(id) == nil { taken = id }
      }
      if taken != nil {
        lane.active += 1
        active += 1
      }
      if lane.active > 0 || lane.live > 0 { lanes[host] = lane }
      list(host)
      if let taken { return taken }
    }
    return nil
  }

  /// Notes that a transfer in progress has ended.
  mutating func finish(host: String) {
    precondition((lanes[host]?.active ?? 0) > 0, "a transfer ended that had not started")
    active -= 1
    lanes[host]?.active -= 1
    if let lane = lanes[host], lane.active == 0, lane.live == 0, !lane.isListed { lanes[host] = nil }
    list(host)
  }

  private mutating func list(_ host: String) {
    guard let lane = lanes[host], !lane.isListed, lane.live > 0, lane.active < maxPerHost else { return }
    lanes[host]?.isListed = true
    ready.append(host)
  }
}
#endif
