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
  /// The longest delay of a job whose missed time waits for the run of an earlier one.
  static let longestWait = Duration.seconds(4)
  /// The maximum number of items held back; beyond it, those that are due first are released early.
  static let heldLimit = 10_000

  private struct Hold: Sendable {
    var until: Timestamp
    var delay: Duration
  }

  /// The maximum number of items in process whose handlers have not ended.
  let limit: Int
  private var active: Set<WorkItem> = []
  /// Those of them whose handlers have ended, and whose results are being committed: they hold no place, so that the
  /// next ones need not wait for the store.
  private var ending: Set<WorkItem> = []
  private var held: [WorkItem: Hold] = [:]
  private var turns: QueueTurns
  /// Whether the due runs that were looked at last differ in their queues or priorities.
  private var isMixed = true
  /// Whether there may be due runs that no choice has seen.
  private var hasNews = true
  /// Whether more runs were due than there was room for.
  private(set) var hasBacklog = false
  /// The time at which there was room again for the backlog.
  private var roomSince: Timestamp?
  /// Whether the instance admitted fewer attempts than there was room for.
  private var isLimited = false
  /// Whether a drain uses the worker, which ends when nothing is due and nothing is under way.
  let isDrain: Bool
  /// The scheduled jobs whose item has ended and whose attempt goes on.
  private var attemptsOfJobs = 0
  /// Whether runs are due whose jobs are not registered here.
  private var seesForeignRuns = false
  /// The number of items that have changed the store.
  private(set) var progressCount = 0

  init(limit: Int, queueOrder: QueueOrder = .standard, isDrain: Bool = false) {
    self.isDrain = isDrain
    self.limit = max(1, limit)
    turns = QueueTurns(queueOrder)
  }

  /// The number of items in process.
  var activeCount: Int { active.count }
  /// The number of further items that may be started.
  var free: Int { ending.count < endingLimit ? places : 0 }
  /// The number of places that no handler holds.
  private var places: Int { max(0, limit - (active.count - ending.count) - attemptsOfJobs) }
  /// The number of results that may be about to be committed, beyond which a slow store holds up the next items.
  private var endingLimit: Int { max(256, limit * 2) }
  /// Whether nothing is under way and no due item is known.
  var isIdle: Bool { active.isEmpty && attemptsOfJobs == 0 && !hasBacklog && !isLimited }
  /// Whether items are held back, or left to others.
  var holdsItems: Bool { !held.isEmpty || seesForeignRuns }

  /// Whether an item made no progress when it was last in process.
  func isRepeated(_ item: WorkItem) -> Bool { held[item] != nil }

  /// Whether an item may be started now, if there is room.
  func isStartable(_ item: WorkItem, at now: Timestamp) -> Bool {
    !active.contains(item) && (held[item].map { $0.until <= now } ?? true)
  }

  /// Starts an item, also if results that are about to be committed leave no room for more: it may be claimed already.
  ///
  /// - Returns: false if there is no room, or if the item is in process or held back.
  mutating func start(_ item: WorkItem, at now: Timestamp) -> Bool {
    guard places > 0, isStartable(item, at: now) else { return false }
    active.insert(item)
    return true
  }

  // MARK: The choice among due runs

  /// The number of due runs to choose from, if their order matters.
  static let window = 256

  /// Due runs in the order of their service.
  struct Choice: Sendable {
    var records: [RunRecord]
    fileprivate var turns: QueueTurns
    fileprivate var isMixed: Bool
  }

  /// Notes that there may be new work, of any queue and priority.
  mutating func noteNews() { hasNews = true }

  /// Returns the number of due runs to look at: as many as there is room for, if all were alike the last time and
  /// nothing has come since.
  mutating func windowSize(room: Int) -> Int {
    defer { hasNews = false }
    return isMixed || hasNews ? max(room, Self.window) : room
  }

  /// Chooses the due runs to start.
  ///
  /// - Parameters:
  ///   - records: the due runs, those that wait longest first.
  ///   - count: the maximum number of runs to choose.
  ///   - now: the local time.
  /// - Returns: the runs, in the order of their service.
  func choice(among records: [RunRecord], upTo count: Int, at now: Timestamp) -> Choice {
    let startable = records.filter { isStartable(.run($0.id), at: now) }
    let places = startable.map(\.place)
    let isMixed = places.contains { $0 != places[0] }
    guard isMixed else { return Choice(records: Array(startable.prefix(count)), turns: turns, isMixed: false) }
    var turns = turns
    let ordered = turns.order(startable, upTo: count, by: \.place)
    return Choice(records: ordered, turns: turns, isMixed: true)
  }

  /// Notes that a choice was made.
  ///
  /// - Parameters:
  ///   - choice: the choice; nil if nothing was due.
  ///   - isFull: whether as many runs were chosen as there was room for.
  mutating func take(_ choice: Choice?, isFull: Bool) {
    if let choice { (turns, isMixed) = (choice.turns, choice.isMixed) } else { isLimited = false }
    (hasBacklog, roomSince) = (isFull, nil)
  }

  /// Notes that runs are due whose jobs are not registered here.
  mutating func noteForeignRuns() { seesForeignRuns = true }

  /// Notes whether the instance admits fewer attempts than there is room for: due runs wait then.
  mutating func noteAdmission(isLimited: Bool) { self.isLimited = isLimited }

  // MARK: Looks at due times

  /// The interval at which the due times are asked for while calls announce runs, which are claimed at once.
  static let lookInterval = Duration.milliseconds(20)

  /// The local time of the next look at the due times of jobs and runs.
  private(set) var nextLook: Timestamp?
  /// The local time of the last look.
  private var lastLook: Timestamp?

  /// Notes due times.
  ///
  /// - Parameters:
  ///   - times: the times.
  ///   - now: the local time.
  ///   - interval: the longest time until the next look.
  mutating func note(_ times: DueTimes, at now: Timestamp, atMost interval: Duration) {
    nextLook = now + min(interval, times.next.map { $0 - times.time } ?? interval)
    lastLook = now
    // Other processes may have enqueued runs of any queue.
    hasNews = true
  }

  /// Notes that due jobs found no room: the next room is theirs.
  mutating func noteWaitingJobs() { nextLook = nil }

  /// Whether nothing else is known to be due than the runs of a backlog, for which there is room.
  func isBacklogDue(at now: Timestamp) -> Bool {
    hasBacklog && !hasNews && nextLook.map { now < $0 } ?? false
  }

  /// Whether runs may be claimed before the due times are asked for: no job is known to wait for room.
  func mayClaimFirst(at now: Timestamp) -> Bool { hasNews && nextLook.map { now < $0 } ?? false }

  /// Returns the time of the next look after runs were claimed that a call has announced; nil to look now.
  ///
  /// - Parameter now: the local time.
  /// - Returns: the time; always nil in a drain, which ends when a look shows that nothing is due.
  func lookAfterClaim(at now: Timestamp) -> Timestamp? {
    guard !isDrain, let lastLook, let nextLook else { return nil }
    let next = min(nextLook, lastLook + Self.lookInterval)
    return now < next ? next : nil
  }

  // MARK: Gathering room

  /// The longest time for which room is gathered.
  static let gatheringLimit = Duration.milliseconds(2)

  /// The room from which on runs of a backlog are claimed at once: a claim costs the store about as much for many runs
  /// as for one.
  private var gatheredRoom: Int { max(1, limit / 4) }

  /// Returns the time until which the worker waits for more room before it claims the next runs of a backlog; nil if it
  /// does not wait.
  mutating func gatheringEnd(at now: Timestamp) -> Timestamp? {
    guard isBacklogDue(at: now), free > 0, free < gatheredRoom else { return nil }
    let end = (roomSince ?? now) + Self.gatheringLimit
    roomSince = roomSince ?? now
    return now < end ? end : nil
  }

  // MARK: The end of an item

  /// Ends an item.
  ///
  /// - Parameters:
  ///   - item: the item.
  ///   - hasProgressed: whether its state in the store has changed, so that it is not due for the same reason again.
  ///   - now: the local time.
  ///   - longestHold: the longest delay if it has not.
  /// - Returns: whether the worker should poll the store now: there was no room for other due items, or the next time
  ///   of the job is known. A run that continues wakes the worker itself, when its next attempt is enqueued.
  @discardableResult
  mutating func finish(
    _ item: WorkItem, hasProgressed: Bool, at now: Timestamp, longestHold: Duration = Self.longestHold
  ) -> Bool {
    let before = free
    active.remove(item)
    ending.remove(item)
    let isRoomMade = makesRoom(from: before) || isLimited || (isDrain && active.isEmpty)
    if hasProgressed { progressCount += 1 }
    guard !hasProgressed else {
      held[item] = nil
      if case .job = item { return true }
      return isRoomMade
    }
    let delay = held[item].map { min($0.delay * 2, longestHold) } ?? Self.firstHold
    if held.count >= Self.heldLimit, held[item] == nil, let first = held.min(by: { $0.value.until < $1.value.until }) {
      held[first.key] = nil
    }
    held[item] = Hold(until: now + delay, delay: delay)
    return isRoomMade
  }

  /// Notes that the handler of an item has ended, and that its result is being committed.
  ///
  /// - Returns: whether the worker should poll the store now.
  mutating func handlerEnded(_ item: WorkItem) -> Bool {
    let before = free
    if active.contains(item) { ending.insert(item) }
    return makesRoom(from: before)
  }

  /// Whether there is room for due items that had none, as the free places were fewer before.
  private func makesRoom(from before: Int) -> Bool {
    free > before && (before == 0 || (hasBacklog && before < gatheredRoom && free >= gatheredRoom))
  }

  /// Ends the item of a scheduled job, whose attempt goes on.
  ///
  /// - Returns: whether the worker should poll the store now.
  mutating func finishAhead(_ item: WorkItem, at now: Timestamp) -> Bool {
    attemptsOfJobs += 1
    return finish(item, hasProgressed: true, at: now)
  }

  /// Ends the attempt of a scheduled job whose item has ended.
  ///
  /// - Returns: whether the worker should poll the store now.
  mutating func attemptOfJobEnded() -> Bool {
    let before = free
    attemptsOfJobs -= 1
    return makesRoom(from: before) || isLimited || isDrain
  }

  /// The earliest time at which a held item may be started again; nil if none is held.
  var nextRetry: Timestamp? { held.values.map(\.until).min() }
}
