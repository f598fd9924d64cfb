import CloudJobsCore

/// Something that comes due in a store: a job by its schedule, or a run that waits for its next attempt.
enum WorkItem: Hashable, Sendable {
  case job(String)
  case run(RunID)
}

/// What a worker has in hand: pure bookkeeping, so that the loop around it decides nothing.
///
/// An item is started once at a time. One that made no progress (its job is not registered here, its document is
/// invalid, the store refused) is held back, for longer each time, so that it neither keeps the processor busy nor
/// keeps others from their turn.
struct WorkerState: Sendable {
  /// Delay before an item that made no progress is tried again; it doubles up to ``longestHold``.
  static let firstHold = Duration.seconds(1)
  /// Longest delay before an item that made no progress is tried again.
  static let longestHold = Duration.seconds(60)
  /// Largest number of items held back; beyond it those whose time comes first are forgotten, and tried again sooner.
  static let heldLimit = 10_000

  private struct Hold: Sendable {
    var until: Timestamp
    var delay: Duration
  }

  /// The number of items that may be in hand at once.
  let limit: Int
  private var active: Set<WorkItem> = []
  private var held: [WorkItem: Hold] = [:]

  init(limit: Int) {
    self.limit = max(1, limit)
  }

  /// The number of items in hand.
  var activeCount: Int { active.count }
  /// The number of further items that may be started.
  var free: Int { max(0, limit - active.count) }

  /// Whether an item can be started now, as far as it concerns the item itself.
  func isStartable(_ item: WorkItem, at now: Timestamp) -> Bool {
    !active.contains(item) && (held[item].map { $0.until <= now } ?? true)
  }

  /// Takes an item in hand.
  ///
  /// - Returns: false where there is no room, or where the item is in hand or held back.
  mutating func start(_ item: WorkItem, at now: Timestamp) -> Bool {
    guard free > 0, isStartable(item, at: now) else { return false }
    active.insert(item)
    return true
  }

  /// Lets go of an item.
  ///
  /// - Parameters:
  ///   - item: the item.
  ///   - hasProgressed: whether its state in the store has moved on, so that it is not due for the same reason again.
  ///   - now: the local time.
  /// - Returns: whether the worker should look at the store now: there was no room for what else is due, or the job's
  ///   next time is known now. A run that is to go on says so itself, when its next attempt is enqueued.
  @discardableResult
  mutating func finish(_ item: WorkItem, hasProgressed: Bool, at now: Timestamp) -> Bool {
    let wasFull = free == 0
    active.remove(item)
    guard !hasProgressed else {
      held[item] = nil
      if case .job = item { return true }
      return wasFull
    }
    let delay = held[item].map { min($0.delay * 2, Self.longestHold) } ?? Self.firstHold
    if held.count >= Self.heldLimit, held[item] == nil, let first = held.min(by: { $0.value.until < $1.value.until }) {
      held[first.key] = nil
    }
    held[item] = Hold(until: now + delay, delay: delay)
    return wasFull
  }

  /// The earliest time at which a held item may be tried again; nil where none is held.
  var nextRetry: Timestamp? { held.values.map(\.until).min() }
}
