/// The order in which a worker or a master pass serves the queues of runs that are due together.
///
/// Within a queue, the higher priority comes first, and then the longer wait. A run without a queue is in the queue
/// `default`. The order is one of the 256 runs that have been due longest, or as many as the worker has places if those
/// are more: behind a longer backlog a run waits until it is one of them, whatever its queue.
public enum QueueOrder: Hashable, Sendable {
  /// Each queue gets its share: of each six turns of a queue of weight 6, one of weight 3 gets three.
  ///
  /// A queue that is not named has the weight 1. No queue with work starves: each gets a turn at least once in as many
  /// turns as the weights of the queues with work add up to.
  case weighted([String: Int])
  /// A queue is served only when those named before it are empty; one that is not named comes last.
  case strict([String])

  /// The queues `critical`, `default` and `low`, with the weights 6, 3 and 1.
  public static let standard = QueueOrder.weighted(["critical": 6, "default": 3, "low": 1])

  /// The queue of runs that name none.
  public static let defaultQueue = "default"
}

/// The turns of queues: pure, and the same for the same turns before.
///
/// Weighted turns are smooth: each queue with work earns its weight, the richest is served and pays the sum of all.
/// This is the rule by which nginx balances its load
/// (<https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1>).
package struct QueueTurns: Sendable {
  private let order: QueueOrder
  private var credits: [String: Int] = [:]

  /// Begins without any turn taken.
  package init(_ order: QueueOrder) {
    self.order = order
  }

  /// Returns the queue whose turn it is.
  ///
  /// - Parameter queues: the queues with work, not empty.
  /// - Returns: one of them.
  package mutating func next(among queues: some Collection<String>) -> String {
    let names = queues.sorted()
    switch order {
    case .strict(let ranked):
      return names.min { place(of: $0, in: ranked) < place(of: $1, in: ranked) } ?? QueueOrder.defaultQueue
    case .weighted(let weights):
      // A queue that had no work has earned nothing meanwhile.
      credits = credits.filter { names.contains($0.key) }
      var total = 0
      for name in names {
        let weight = min(max(1, weights[name] ?? 1), 1_000_000)
        credits[name, default: 0] += weight
        total += weight
      }
      guard let richest = names.max(by: { (credits[$0] ?? 0) < (credits[$1] ?? 0) }) else {
        return QueueOrder.defaultQueue
      }
      credits[richest, default: 0] -= total
      return richest
    }
  }

  private func place(of name: String, in ranked: [String]) -> Int { ranked.firstIndex(of: name) ?? ranked.count }

  /// Returns runs in the order in which they are served.
  ///
  /// - Parameters:
  ///   - runs: the runs, those that wait longest first.
  ///   - limit: the number of runs that are served now.
  ///   - place: the queue and the priority of each.
  /// - Returns: the runs that are served.
  package mutating func order<Item>(
    _ runs: [Item], upTo limit: Int = .max, by place: (Item) -> (queue: String?, priority: Int)
  ) -> [Item] {
    var queues: [String: [(item: Item, priority: Int, number: Int)]] = [:]
    for (number, run) in runs.enumerated() {
      let (queue, priority) = place(run)
      queues[queue ?? QueueOrder.defaultQueue, default: []].append((run, priority, number))
    }
    for name in queues.keys {
      // The last is served first.
      queues[name]?.sort { ($0.priority, $1.number) < ($1.priority, $0.number) }
    }
    var ordered: [Item] = []
    ordered.reserveCapacity(min(limit, runs.count))
    while !queues.isEmpty, ordered.count < limit {
      let name = next(among: queues.keys)
      guard let first = queues[name]?.popLast() else { break }
      ordered.append(first.item)
      if queues[name]?.isEmpty == true { queues[name] = nil }
    }
    return ordered
  }
}
