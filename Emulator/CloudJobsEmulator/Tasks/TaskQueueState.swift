package import CloudJobsCore

/// The state of one queue: its tasks, its waiting list and its limits.
struct TaskQueueState: Sendable, Codable {
  /// The members stored in a snapshot; the rest follows from the queue's tasks and tombstones.
  private enum CodingKeys: CodingKey {
    case queue, generation, inFlight, runRequests, bucket, slowdown
  }

  /// An entry of the waiting list; stale once the task has another ticket.
  struct Waiting: Comparable, Sendable {
    var time: Timestamp
    var ticket: UInt64
    var id: String
    static func < (left: Waiting, right: Waiting) -> Bool { (left.time, left.ticket) < (right.time, right.ticket) }
    static func == (left: Waiting, right: Waiting) -> Bool { left.ticket == right.ticket }
  }

  /// A task in the order of its retention.
  struct Retained: Sendable {
    var id: String
    var sequence: UInt64
  }

  /// A request to run a task at once.
  struct RunRequest: Sendable, Codable {
    var id: String
    var at: Timestamp
  }

  var queue: CloudTasks.Queue
  let generation: UInt64
  var options = CloudTasks.Options()
  private(set) var tasks: [String: TaskRecord] = [:]
  private(set) var names = SortedSet<String>()
  private(set) var inFlight = 0
  private(set) var backingOff = 0
  private var waiting = MinimumHeap<Waiting>()
  private var runRequests: [RunRequest] = []
  private var retained = ExpiryList<Retained>()
  private var tombstones: [String: Timestamp] = [:]
  private var tombstoneOrder = ExpiryList<String>()
  private(set) var bucket: TokenBucket
  private(set) var slowdown = Slowdown()

  init(queue: CloudTasks.Queue, generation: UInt64, options: CloudTasks.Options, at now: Timestamp) {
    self.queue = queue
    self.generation = generation
    self.options = options
    if let burst = options.burstSize { self.queue.rateLimits.maxBurstSize = burst }
    bucket = TokenBucket(
      rate: queue.rateLimits.maxDispatchesPerSecond, burst: self.queue.rateLimits.maxBurstSize, at: now)
  }

  // MARK: Requests

  /// Returns whether a name belongs to a task or to one that ended recently.
  func isTaken(_ id: String, at now: Timestamp) -> Bool {
    tasks[id] != nil || endedRecently(id, at: now)
  }

  /// Returns whether a task of that name ended recently.
  func endedRecently(_ id: String, at now: Timestamp) -> Bool {
    tombstones[id].map { $0 > now } ?? false
  }

  /// Adds a task.
  mutating func insert(_ task: CloudTasks.Task, sequence: UInt64, at now: Timestamp) {
    var record = TaskRecord(task: task, sequence: sequence)
    wait(&record, ticket: sequence)
    retain(record, expiry: now + options.retention)
  }

  private mutating func retain(_ record: TaskRecord, expiry: Timestamp) {
    let id = record.task.name.id
    tasks[id] = record
    names.insert(id)
    retained.append(Retained(id: id, sequence: record.sequence), expiry: expiry)
  }

  /// Removes a task and adds a tombstone for its name.
  mutating func remove(_ id: String, at now: Timestamp) {
    guard let record = tasks.removeValue(forKey: id) else { return }
    if record.isBackingOff { backingOff -= 1 }
    names.remove(id)
    waiting.compact(liveCount: tasks.count) { tasks[$0.id]?.ticket == $0.ticket }
    retained.compact(liveCount: tasks.count) { tasks[$0.id]?.sequence == $0.sequence }
    addTombstone(for: id, at: now)
  }

  /// Removes all tasks.
  mutating func purge(at now: Timestamp) {
    for id in names.elements(after: nil, limit: .max) { addTombstone(for: id, at: now) }
    tasks.removeAll()
    names.removeAll()
    waiting.removeAll()
    runRequests.removeAll()
    backingOff = 0
    queue.purgeTime = now
  }

  /// Requests that a task is run at once, regardless of the limits.
  mutating func requestRun(_ id: String, at now: Timestamp) {
    runRequests.append(RunRequest(id: id, at: now))
  }

  private mutating func addTombstone(for id: String, at now: Timestamp) {
    while let oldest = tombstoneOrder.first, oldest.expiry <= now {
      if tombstones[oldest.item] == oldest.expiry { tombstones[oldest.item] = nil }
      tombstoneOrder.removeFirst()
    }
    addTombstone(for: id, expiry: now + options.taskTombstone)
  }

  /// Reserves a name until `expiry`, which must not precede the expiry of earlier calls.
  mutating func addTombstone(for id: String, expiry: Timestamp) {
    tombstones[id] = expiry
    tombstoneOrder.append(id, expiry: expiry)
  }

  // MARK: Deliveries

  /// Removes the tasks whose retention has ended.
  mutating func expire(at now: Timestamp) -> [Settlement] {
    var settlements: [Settlement] = []
    while let oldest = retained.first, oldest.expiry <= now || isGone(oldest.item) {
      retained.removeFirst()
      guard !isGone(oldest.item), let record = tasks[oldest.item.id] else { continue }
      remove(oldest.item.id, at: now)
      settlements.append(
        Settlement(
          subject: record.task.name.description, attempt: record.task.dispatchCount, outcome: nil,
          verdict: .abandoned("its retention of \(options.retention) is over")))
    }
    return settlements
  }

  /// Starts the next attempt that the limits allow, or returns nil if there is none.
  mutating func startNext(at now: Timestamp) -> (record: TaskRecord, runRequestedAt: Timestamp?)? {
    while !runRequests.isEmpty {
      let request = runRequests.removeFirst()
      if let record = start(request.id, at: now) { return (record, request.at) }
    }
    discardStale()
    guard queue.state == .running, let next = waiting.first, next.time <= now,
      inFlight < queue.rateLimits.maxConcurrentDispatches, slowdown.holdUntil.map({ $0 <= now }) ?? true
    else { return nil }
    configureBucket(at: now)
    guard bucket.take(at: now) else { return nil }
    waiting.removeFirst()
    return start(next.id, at: now).map { ($0, nil) }
  }

  private mutating func start(_ id: String, at now: Timestamp) -> TaskRecord? {
    guard var record = tasks[id] else { return nil }
    if record.isBackingOff { backingOff -= 1 }
    record.ticket = nil
    record.running += 1
    record.task.dispatchCount += 1
    let attempt = CloudTasks.Attempt(scheduleTime: record.task.scheduleTime, dispatchTime: now)
    if record.task.firstAttempt == nil { record.task.firstAttempt = CloudTasks.Attempt(dispatchTime: now) }
    record.task.lastAttempt = attempt
    tasks[id] = record
    inFlight += 1
    return record
  }

  /// Records the outcome of an attempt and decides what follows.
  mutating func finish(
    _ attempt: TaskAttempt, id: DeliveryID, outcome: DeliveryOutcome, ticket: UInt64, at now: Timestamp
  ) -> Settlement {
    inFlight -= 1
    if slowdown.observe(outcome, at: now) { bucket.drain(at: now) }
    var settlement = Settlement(
      id: id, subject: attempt.name.description, attempt: attempt.number, outcome: outcome, verdict: .succeeded)
    guard var record = tasks[attempt.name.id], record.sequence == attempt.sequence else {
      settlement.verdict = .ignored("the task is gone")
      return settlement
    }
    record.running -= 1
    record.note(outcome, of: attempt, at: now)
    let retry = record.task.retryConfig ?? queue.retryConfig
    let elapsed = now - (record.task.firstAttempt?.dispatchTime ?? now)
    if outcome.isSuccess {
      remove(attempt.name.id, at: now)
    } else if let rule = retry.reasonToGiveUp(attempts: record.task.dispatchCount, elapsed: elapsed) {
      remove(attempt.name.id, at: now)
      settlement.verdict = .abandoned(rule)
    } else if record.running > 0 {
      tasks[attempt.name.id] = record
      settlement.verdict = .ignored("another attempt is in flight")
    } else {
      let delay = retry.backoff.delay(beforeRetry: record.task.dispatchCount)
      record.task.scheduleTime = (attempt.runRequestedAt ?? now) + delay
      wait(&record, ticket: ticket)
      tasks[attempt.name.id] = record
      settlement.verdict = .retry(at: record.task.scheduleTime)
    }
    return settlement
  }

  private mutating func wait(_ record: inout TaskRecord, ticket: UInt64) {
    record.ticket = ticket
    if record.isBackingOff { backingOff += 1 }
    waiting.insert(Waiting(time: record.task.scheduleTime, ticket: ticket, id: record.task.name.id))
  }

  /// Sets the bucket's rate to what the queue's limits and slowdown allow.
  mutating func configureBucket(at now: Timestamp) {
    bucket.configure(
      rate: slowdown.rate(of: queue.rateLimits.maxDispatchesPerSecond, at: now),
      burst: queue.rateLimits.maxBurstSize, at: now)
  }

  // MARK: Queries

  /// Returns the next time at which the queue has work to do without a new request.
  mutating func nextWake(at now: Timestamp) -> Timestamp? {
    if !runRequests.isEmpty { return now }
    while let oldest = retained.first, isGone(oldest.item) { retained.removeFirst() }
    discardStale()
    guard queue.state == .running, inFlight < queue.rateLimits.maxConcurrentDispatches, let next = waiting.first else {
      return retained.first?.expiry
    }
    configureBucket(at: now)
    var time = max(next.time, slowdown.holdUntil ?? next.time)
    if time <= now { time = bucket.nextToken(at: now) }
    return min(time, retained.first?.expiry ?? time)
  }

  /// Returns the next time at which an attempt can start; nil if it takes more than time.
  ///
  /// It changes nothing, so that it may be asked at times that no write-ahead log records.
  func nextAttempt(at now: Timestamp) -> Timestamp? {
    if !runRequests.isEmpty { return now }
    guard queue.state == .running, inFlight < queue.rateLimits.maxConcurrentDispatches,
      let next = nextWaiting(1).first
    else { return nil }
    let time = max(next.time, slowdown.holdUntil ?? next.time)
    return time > now ? time : currentBucket(at: now).nextToken(at: now)
  }

  /// Returns the tasks that wait, those first whose next attempt is due first.
  func nextWaiting(_ count: Int) -> [Waiting] { waiting.least(count) { tasks[$0.id]?.ticket == $0.ticket } }

  /// Returns the token bucket as it is at a time.
  func currentBucket(at now: Timestamp) -> TokenBucket {
    var copy = bucket
    copy.configure(
      rate: slowdown.rate(of: queue.rateLimits.maxDispatchesPerSecond, at: now),
      burst: queue.rateLimits.maxBurstSize, at: now)
    return copy
  }

  /// Returns whether no delivery is in flight, due or waiting for a retry.
  mutating func isIdle(at now: Timestamp) -> Bool {
    discardStale()
    guard inFlight == 0, runRequests.isEmpty else { return false }
    guard queue.state == .running else { return true }
    return backingOff == 0 && (waiting.first.map { $0.time > now } ?? true)
  }

  // MARK: Snapshots

  /// The tasks in creation order, each with the end of its retention.
  var retainedTasks: [(record: TaskRecord, expiry: Timestamp)] {
    retained.all.compactMap { expiry, item in isGone(item) ? nil : tasks[item.id].map { ($0, expiry) } }
  }

  /// The tombstones, in the order of their expiry.
  var tombstonedIDs: [(id: String, expiry: Timestamp)] {
    tombstoneOrder.all.compactMap { expiry, id in tombstones[id] == expiry ? (id, expiry) : nil }
  }

  /// Restores a task of a snapshot; tasks must come in the order of ``retainedTasks``.
  mutating func restore(_ record: TaskRecord, expiry: Timestamp) {
    var record = record
    if let ticket = record.ticket { wait(&record, ticket: ticket) }
    retain(record, expiry: expiry)
  }

  private func isGone(_ entry: Retained) -> Bool {
    tasks[entry.id]?.sequence != entry.sequence
  }

  private mutating func discardStale() {
    while let entry = waiting.first, tasks[entry.id]?.ticket != entry.ticket { waiting.removeFirst() }
  }

  /// Returns why a task is waiting.
  func waitReason(of record: TaskRecord, at now: Timestamp) -> CloudTasks.WaitReason {
    let task = record.task
    if record.running > 0, let attempt = task.lastAttempt {
      return .inFlight(attempt: task.dispatchCount, since: attempt.dispatchTime)
    }
    guard queue.state == .running else { return .paused }
    if task.scheduleTime > now {
      return task.dispatchCount == 0
        ? .scheduled(until: task.scheduleTime)
        : .backoff(afterAttempt: task.dispatchCount, until: task.scheduleTime)
    }
    guard inFlight < queue.rateLimits.maxConcurrentDispatches else {
      return .concurrencyLimit(queue.rateLimits.maxConcurrentDispatches)
    }
    if let hold = slowdown.holdUntil, hold > now { return .slowdown(until: hold) }
    let token = currentBucket(at: now).nextToken(at: now)
    guard token > now else { return .ready }
    return slowdown.currentLevel(at: now) > 0 ? .slowdown(until: token) : .rateLimit(until: token)
  }
}

extension CloudTasks {
  /// The reason why a task is waiting for its first or next attempt.
  package enum WaitReason: Hashable, Sendable {
    /// Its schedule time is in the future.
    case scheduled(until: Timestamp)
    /// It failed and is waiting for its next attempt.
    case backoff(afterAttempt: Int, until: Timestamp)
    /// The queue's token bucket is empty.
    case rateLimit(until: Timestamp)
    /// The target's responses slow the queue down (429, 503, Retry-After).
    case slowdown(until: Timestamp)
    /// The maximum number of attempts is in flight.
    case concurrencyLimit(Int)
    /// The queue is paused.
    case paused
    /// It is not waiting: an attempt is in flight.
    case inFlight(attempt: Int, since: Timestamp)
    /// It is not waiting: it starts with the next event.
    case ready
  }
}

extension CloudTasks.WaitReason: CustomStringConvertible {
  /// A human-readable reason.
  package var description: String {
    switch self {
    case .scheduled(let time): "scheduled for \(time)"
    case .backoff(let attempt, let time): "backing off after attempt \(attempt) until \(time)"
    case .rateLimit(let time): "the queue's rate limit allows the next dispatch at \(time)"
    case .slowdown(let time): "the target asked to slow down; next dispatch at \(time)"
    case .concurrencyLimit(let limit): "\(limit) attempts are in flight, the queue's limit"
    case .paused: "the queue is paused"
    case .inFlight(let attempt, let time): "attempt \(attempt) in flight since \(time)"
    case .ready: "ready"
    }
  }
}
