package import CloudJobsCore

extension CloudTasks {
  /// A queue with what decides about its next attempts.
  package struct QueueReport: Sendable {
    /// The queue.
    package var queue: Queue
    /// The number of its tasks.
    package var taskCount: Int
    /// The number of attempts in flight.
    package var inFlight: Int
    /// The number of tasks that wait for a retry.
    package var backingOff: Int
    /// The number of whole tokens in its bucket.
    package var tokens: Int
    /// The time of the next whole token; the present if there is one.
    package var nextToken: Timestamp
    /// The rate after the slowdown by its targets' responses.
    package var rate: DispatchRate
    /// The time before which a target's `Retry-After` holds the queue; nil for none.
    package var heldUntil: Timestamp?
    /// The time of the next attempt; nil if it takes more than time.
    package var nextAttempt: Timestamp?
  }

  /// A task with the reason why it waits.
  package struct TaskReport: Sendable {
    /// The task, with its body.
    package var task: Task
    /// The reason.
    package var reason: WaitReason
    /// The HTTP status of the latest attempt that ended; nil for none.
    package var previousResponse: Int?
  }
}

extension CloudTasks.WaitReason {
  /// The time until which it lasts; nil if more than time is needed, or the attempt is due.
  package var end: Timestamp? {
    switch self {
    case .scheduled(let time), .backoff(_, let time), .rateLimit(let time), .slowdown(let time): time
    case .concurrencyLimit, .paused, .inFlight, .ready: nil
    }
  }
}

extension CloudTasksService {
  /// The number of queues.
  package var queueCount: Int { queues.count }

  /// The number of tasks in all queues.
  package var taskCount: Int { queues.values.reduce(0) { $0 + $1.tasks.count } }

  /// Returns the queues that follow a name, sorted by name.
  ///
  /// - Parameters:
  ///   - name: the full name of a queue; empty for the first ones.
  ///   - limit: the maximum number.
  ///   - now: the current time.
  /// - Returns: the queues.
  package func queueReports(after name: String, limit: Int, at now: Timestamp) -> [CloudTasks.QueueReport] {
    queueNames.elements(after: try? CloudTasks.QueueName(name), limit: limit).compactMap { queueReport($0, at: now) }
  }

  /// Returns a queue with what decides about its next attempts; nil if there is none of the name.
  package func queueReport(_ name: CloudTasks.QueueName, at now: Timestamp) -> CloudTasks.QueueReport? {
    guard let state = queues[name] else { return nil }
    let bucket = state.currentBucket(at: now)
    return CloudTasks.QueueReport(
      queue: state.queue, taskCount: state.tasks.count, inFlight: state.inFlight, backingOff: state.backingOff,
      tokens: bucket.tokenCount(at: now), nextToken: bucket.nextToken(at: now),
      rate: state.slowdown.rate(of: state.queue.rateLimits.maxDispatchesPerSecond, at: now),
      heldUntil: state.slowdown.holdUntil.flatMap { $0 > now ? $0 : nil }, nextAttempt: state.nextAttempt(at: now))
  }

  /// Returns a task with the reason why it waits; nil if there is none of the name.
  package func taskReport(_ name: CloudTasks.TaskName, at now: Timestamp) -> CloudTasks.TaskReport? {
    guard let state = queues[name.queue], let record = state.tasks[name.id] else { return nil }
    return report(record, of: state, at: now)
  }

  /// Returns the tasks of a queue that follow an ID, sorted by ID.
  ///
  /// - Parameters:
  ///   - queue: the queue.
  ///   - id: the ID of a task; empty for the first ones.
  ///   - limit: the maximum number.
  ///   - now: the current time.
  /// - Returns: the tasks.
  package func taskReports(
    in queue: CloudTasks.QueueName, after id: String, limit: Int, at now: Timestamp
  ) -> [CloudTasks.TaskReport] {
    guard let state = queues[queue] else { return [] }
    return state.names.elements(after: id.isEmpty ? nil : id, limit: limit).compactMap { id in
      state.tasks[id].map { report($0, of: state, at: now) }
    }
  }

  /// Returns the tasks of a queue that are next: those in flight, then those that wait by the time of their attempt.
  package func nextTasks(
    in queue: CloudTasks.QueueName, limit: Int, at now: Timestamp
  ) -> [CloudTasks.TaskReport] {
    guard let state = queues[queue] else { return [] }
    var running: Set<String> = []
    if state.inFlight > 0 {
      for attempt in attempts.values where attempt.name.queue == queue { running.insert(attempt.name.id) }
    }
    let ids = running.sorted().prefix(limit) + state.nextWaiting(limit).map(\.id)
    return ids.prefix(limit).compactMap { id in state.tasks[id].map { report($0, of: state, at: now) } }
  }

  /// Returns the tasks of all queues that wait: those that start by time alone, in their order, then others.
  package func nextTasks(limit: Int, at now: Timestamp) -> [CloudTasks.TaskReport] {
    var heads: [(isStopped: Bool, time: Timestamp, name: CloudTasks.QueueName)] = []
    for (name, state) in queues {
      guard let head = state.nextWaiting(1).first else { continue }
      heads.append((state.queue.state != .running, head.time, name))
    }
    // The first tasks are among the queues whose first tasks are first.
    heads.sort { ($0.isStopped ? 1 : 0, $0.time, $0.name) < ($1.isStopped ? 1 : 0, $1.time, $1.name) }
    var rows: [(isStopped: Bool, time: Timestamp, report: CloudTasks.TaskReport)] = []
    for head in heads.prefix(limit) {
      guard let state = queues[head.name] else { continue }
      for entry in state.nextWaiting(limit) {
        guard let record = state.tasks[entry.id] else { continue }
        let report = report(record, of: state, at: now)
        rows.append((head.isStopped, report.reason.end ?? record.task.scheduleTime, report))
      }
    }
    rows.sort { ($0.isStopped ? 1 : 0, $0.time) < ($1.isStopped ? 1 : 0, $1.time) }
    return rows.prefix(limit).map(\.report)
  }

  /// Returns the time of the next attempt of any task; nil if none follows by time alone.
  func nextAttempt(at now: Timestamp) -> Timestamp? {
    queues.values.lazy.compactMap { $0.nextAttempt(at: now) }.min()
  }

  private func report(
    _ record: TaskRecord, of state: TaskQueueState, at now: Timestamp
  ) -> CloudTasks.TaskReport {
    CloudTasks.TaskReport(
      task: record.task, reason: state.waitReason(of: record, at: now), previousResponse: record.previousResponse)
  }
}

extension EmulatorState {
  /// Returns the time of the next attempt of any task or job; nil if none follows by time alone.
  package func nextAttempt(at now: Timestamp) -> Timestamp? {
    guard let task = tasks.nextAttempt(at: now) else { return scheduler.nextAttempt }
    return min(task, scheduler.nextAttempt ?? task)
  }

  /// Returns the time of the next attempt of a task, or of a job that was requested or is a retry; nil for none.
  func nextUnsettled(at now: Timestamp) -> Timestamp? {
    guard let task = tasks.nextAttempt(at: now) else { return scheduler.nextUnsettled }
    return min(task, scheduler.nextUnsettled ?? task)
  }
}
