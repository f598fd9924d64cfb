import CloudJobsCore

/// One queue: its tasks, what waits, and the limits on what may be dispatched.
struct TaskQueueState: Sendable, Codable {
  /// What a snapshot keeps of the queue itself; the rest follows from its tasks and tombstones.
  private enum CodingKeys: CodingKey {
    case queue, generation, inFlight, runRequests, bucket, slowdown
  }

  /// A place in the waiting list; stale once the task has another ticket.
  struct Waiting: Comparable, Sendable {
    var time: Timestamp
    var ticket: UInt64
    var id: String
    static func < (left: Waiting, right: Waiting) -> Bool { (left.time, left.ticket) < (right.time, right.ticket) }
    static func == (left: Waiting, right: Waiting) -> Bool { left.ticket == right.ticket }
  }

  /// A task whose life ends with its retention.
  struct Retained: Sendable {
    var id: String
    var sequence: UInt64
  }

  /// A request to attempt a task at once.
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

  /// Whether a name belongs to a task, or to one that ended recently.
  func isTaken(_ id: String, at now: Timestamp) -> Bool {
    tasks[id] != nil || endedRecently(id, at: now)
  }

  /// Whether a task of a name ended recently.
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

  /// Takes a task out and keeps its name from being used again for a while.
  mutating func remove(_ id: String, at now: Timestamp) {
    guard let record = tasks.removeValue(forKey: id) else { return }
    if record.isBackingOff { backingOff -= 1 }
    names.remove(id)
    waiting.compact(liveCount: tasks.count) { tasks[$0.id]?.ticket == $0.ticket }
    retained.compact(liveCount: tasks.count) { tasks[$0.id]?.sequence == $0.sequence }
    entomb(id, at: now)
  }

  /// Takes all tasks out.
  mutating func purge(at now: Timestamp) {
    for id in names.elements(after: nil, limit: .max) { entomb(id, at: now) }
    tasks.removeAll()
    names.removeAll()
    waiting.removeAll()
    runRequests.removeAll()
    backingOff = 0
    queue.purgeTime = now
  }

  /// Notes that a task is to be attempted at once, whatever the limits.
  mutating func requestRun(_ id: String, at now: Timestamp) {
    runRequests.append(RunRequest(id: id, at: now))
  }

  private mutating func entomb(_ id: String, at now: Timestamp) {
    while let oldest = tombstoneOrder.first, oldest.expiry <= now {
      if tombstones[oldest.item] == oldest.expiry { tombstones[oldest.item] = nil }
      tombstoneOrder.removeFirst()
    }
    entomb(id, expiry: now + options.taskTombstone)
  }

  /// Keeps a name from being used until a time, which is not before those of earlier calls.
  mutating func entomb(_ id: String, expiry: Timestamp) {
    tombstones[id] = expiry
    tombstoneOrder.append(id, expiry: expiry)
  }

  // MARK: Dispatching

  /// Ends the tasks whose retention is over.
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

  /// Starts the next attempt that the limits allow, where there is one.
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

  /// Notes how an attempt ended, and decides what follows.
  mutating func finish(
    _ flight: TaskFlight, id: DispatchID, outcome: DispatchOutcome, ticket: UInt64, at now: Timestamp
  ) -> Settlement {
    inFlight -= 1
    if slowdown.observe(outcome, at: now) { bucket.drain(at: now) }
    var settlement = Settlement(
      id: id, subject: flight.name.description, attempt: flight.attempt, outcome: outcome, verdict: .succeeded)
    guard var record = tasks[flight.name.id], record.sequence == flight.sequence else {
      settlement.verdict = .ignored("the task is gone")
      return settlement
    }
    record.running -= 1
    record.note(outcome, of: flight, at: now)
    let retry = record.task.retryConfig ?? queue.retryConfig
    let elapsed = now - (record.task.firstAttempt?.dispatchTime ?? now)
    if outcome.isSuccess {
      remove(flight.name.id, at: now)
    } else if let rule = retry.reasonToGiveUp(attempts: record.task.dispatchCount, elapsed: elapsed) {
      remove(flight.name.id, at: now)
      settlement.verdict = .abandoned(rule)
    } else if record.running > 0 {
      tasks[flight.name.id] = record
      settlement.verdict = .ignored("another attempt is in flight")
    } else {
      let delay = retry.backoff.delay(beforeRetry: record.task.dispatchCount)
      record.task.scheduleTime = (flight.runRequestedAt ?? now) + delay
      wait(&record, ticket: ticket)
      tasks[flight.name.id] = record
      settlement.verdict = .retry(at: record.task.scheduleTime)
    }
    return settlement
  }

  private mutating func wait(_ record: inout TaskRecord, ticket: UInt64) {
    record.ticket = ticket
    if record.isBackingOff { backingOff += 1 }
    waiting.insert(Waiting(time: record.task.scheduleTime, ticket: ticket, id: record.task.name.id))
  }

  /// Brings the bucket's rate to what the queue's limits and its slowdown allow.
  mutating func configureBucket(at now: Timestamp) {
    bucket.configure(
      rate: slowdown.rate(of: queue.rateLimits.maxDispatchesPerSecond, at: now),
      burst: queue.rateLimits.maxBurstSize, at: now)
  }

  // MARK: Queries

  /// When the queue next has something to do, if nothing else happens.
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

  /// Whether nothing is in flight, due or to be tried again.
  mutating func isIdle(at now: Timestamp) -> Bool {
    discardStale()
    guard inFlight == 0, runRequests.isEmpty else { return false }
    guard queue.state == .running else { return true }
    return backingOff == 0 && (waiting.first.map { $0.time > now } ?? true)
  }

  // MARK: Snapshots

  /// The tasks in the order in which they came, each with the end of its retention.
  var retainedTasks: [(record: TaskRecord, expiry: Timestamp)] {
    retained.all.compactMap { expiry, item in isGone(item) ? nil : tasks[item.id].map { ($0, expiry) } }
  }

  /// The names that can't be used again until a time, in the order of these times.
  var entombedIDs: [(id: String, expiry: Timestamp)] {
    tombstoneOrder.all.compactMap { expiry, id in tombstones[id] == expiry ? (id, expiry) : nil }
  }

  /// Puts a task of a snapshot back; tasks come in the order of ``retainedTasks``.
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
}
