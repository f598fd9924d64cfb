import CloudJobsCore

/// An item that comes due in a store: a job by its schedule, or a run that waits for its next attempt.
enum WorkItem: Hashable, Sendable {
  case job(String)
  case run(RunID)
}

/// The bookkeeping of a worker: pure, so that the loop around it decides nothing.
///
/// An item is started once at a time. An item without progress (its job is not registered here, its document is
/// invalid, the store refused) is held back, longer each time, so that it neither keeps the processor busy nor delays
/// others.
struct WorkerState: Sendable {
  /// The first delay of an item without progress; it doubles up to ``longestHold``.
  static let firstHold = Duration.seconds(1)
  /// The longest delay of an item without progress.
  static let longestHold = Duration.seconds(60)
  /// The maximum number of items held back; beyond it, those that are due first are released early.
  static let heldLimit = 10_000

  private struct Hold: Sendable {
    var until: Timestamp
    var delay: Duration
  }

  /// The maximum number of items in process.
  let limit: Int
  private var active: Set<WorkItem> = []
  private var held: [WorkItem: Hold] = [:]
  /// The runs that were found due and have not started, in the reverse order of service.
  private var due: [RunRecord] = []
  private var dueReadAt = Timestamp.distantPast
  private var turns: QueueTurns
  /// Whether the worker was woken because an attempt has made room, and for nothing else as far as is known.
  var hasRoomForDue = false

  init(limit: Int, queueOrder: QueueOrder = .standard) {
    self.limit = max(1, limit)
    turns = QueueTurns(queueOrder)
  }

  /// The number of items in process.
  var activeCount: Int { active.count }
  /// The number of further items that may be started.
  var free: Int { max(0, limit - active.count) }

  /// Whether an item may be started now, if there is room.
  func isStartable(_ item: WorkItem, at now: Timestamp) -> Bool {
    !active.contains(item) && (held[item].map { $0.until <= now } ?? true)
  }

  /// Starts an item.
  ///
  /// - Returns: false if there is no room, or if the item is in process or held back.
  mutating func start(_ item: WorkItem, at now: Timestamp) -> Bool {
    guard free > 0, isStartable(item, at: now) else { return false }
    active.insert(item)
    return true
  }

  /// Returns whether the due runs must be read again: none is left of those read before, they were read long ago, or
  /// the worker was woken for another reason than room.
  ///
  /// - Parameters:
  ///   - now: the local time.
  ///   - age: the age from which on a reading is too old.
  /// - Returns: whether to read them.
  mutating func needsReading(at now: Timestamp, afterAtMost age: Duration) -> Bool {
    defer { hasRoomForDue = false }
    return due.isEmpty || !hasRoomForDue || now >= dueReadAt + age
  }

  /// Notes that the worker was woken while it had no room: the due runs must be read again.
  mutating func noteChange() {
    if !hasRoomForDue { due = [] }
  }

  /// Replaces the due runs.
  mutating func setDue(_ records: [RunRecord], at now: Timestamp) {
    due = turns.order(records, by: \.place).reversed()
    dueReadAt = now
  }

  /// Starts the next of the due runs, if there is room.
  mutating func startNext(at now: Timestamp) -> RunRecord? {
    while free > 0, let record = due.popLast() {
      if start(.run(record.id), at: now) { return record }
    }
    return nil
  }

  /// Ends an item.
  ///
  /// - Parameters:
  ///   - item: the item.
  ///   - hasProgressed: whether its state in the store has changed, so that it is not due for the same reason again.
  ///   - now: the local time.
  /// - Returns: whether the worker should poll the store now: there was no room for other due items, or the next time
  ///   of the job is known. A run that continues wakes the worker itself, when its next attempt is enqueued.
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

  /// The earliest time at which a held item may be started again; nil if none is held.
  var nextRetry: Timestamp? { held.values.map(\.until).min() }
}
