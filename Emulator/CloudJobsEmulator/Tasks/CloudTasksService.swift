public import CloudJobsCore

/// Cloud Tasks v2 as a pure state machine: requests and events go in, deliveries come out, and time is an argument.
///
/// A driver calls a request method, or ``handle(_:at:)`` with an event, then performs the actions; it calls
/// `handle(.wake, at:)` after each request and when ``nextWake`` has come. Equal calls give equal actions.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest>.
public struct CloudTasksService: Sendable {
  /// What the service leaves to the user.
  public let options: CloudTasks.Options
  var queues: [CloudTasks.QueueName: TaskQueueState] = [:]
  var queueNames = SortedSet<CloudTasks.QueueName>()
  var queueTombstones: [CloudTasks.QueueName: Timestamp] = [:]
  var generator: SplitMix64
  var wakes = WakeIndex<CloudTasks.QueueName>()
  var flights: [UInt64: TaskFlight] = [:]
  var deadlines = MinimumHeap<FlightDeadline>()
  var lastDispatch: UInt64 = 0
  var lastTicket: UInt64 = 0

  /// A service without queues.
  ///
  /// - Parameters:
  ///   - options: what the service leaves to the user.
  ///   - seed: draws the names of tasks that come without one.
  public init(options: CloudTasks.Options = .init(), seed: UInt64 = 0) {
    self.options = options
    generator = SplitMix64(seed: seed)
  }

  /// When the service next has something to do if no request comes; it may lie in the past.
  public var nextWake: Timestamp? {
    guard let deadline = deadlines.first?.time else { return wakes.earliest }
    return min(deadline, wakes.earliest ?? deadline)
  }

  /// Does what an event asks for and what is due.
  ///
  /// - Parameters:
  ///   - event: what happened.
  ///   - now: the time; never before that of an earlier call.
  /// - Returns: the deliveries to make, and for the record how attempts ended, in order.
  public mutating func handle(_ event: ServiceEvent, at now: Timestamp) -> [ServiceAction] {
    var actions: [ServiceAction] = []
    if case .completed(let id, let outcome) = event, id.service == .tasks {
      finish(id.number, outcome, at: now, into: &actions)
    }
    if case .resumed = event { resume(at: now, into: &actions) }
    while let entry = deadlines.first, entry.time <= now {
      deadlines.removeFirst()
      finish(entry.number, .timedOut, at: now, into: &actions)
    }
    while let name = wakes.removeDue(at: now) {
      guard let index = queues.index(forKey: name) else { continue }
      actions += queues.values[index].expire(at: now).map { .settled($0) }
      while let (record, requestedAt) = queues.values[index].startNext(at: now) {
        actions.append(.dispatch(launch(record, of: queues.values[index], requestedAt, at: now)))
      }
      wakes.set(name, to: queues.values[index].nextWake(at: now))
    }
    return actions
  }

  /// Whether nothing is in flight, due or to be tried again; tasks for later and in paused queues don't count.
  public mutating func isIdle(at now: Timestamp) -> Bool {
    for name in queues.keys {
      if queues[name]?.isIdle(at: now) == false { return false }
    }
    return true
  }

  /// How many attempts are in flight.
  public var inFlightCount: Int { flights.count }

  /// Recomputes when a queue next has something to do, after a request has changed it.
  mutating func touch(_ name: CloudTasks.QueueName, at now: Timestamp) {
    let time = queues.index(forKey: name).flatMap { queues.values[$0].nextWake(at: now) }
    wakes.set(name, to: time)
  }

  /// A number that no other task, queue or place in a waiting list has.
  mutating func nextTicket() -> UInt64 {
    lastTicket += 1
    return lastTicket
  }

  private mutating func launch(
    _ record: TaskRecord, of queue: TaskQueueState, _ runRequestedAt: Timestamp?, at now: Timestamp
  ) -> Dispatch {
    lastDispatch += 1
    var record = record
    if record.task.appEngine == nil, let target = queue.queue.target {
      record.task.httpRequest = target.applied(to: record.task.httpRequest)
    }
    let task = record.task
    let deadline = now + task.dispatchDeadline
    flights[lastDispatch] = TaskFlight(
      name: task.name, sequence: record.sequence, generation: queue.generation, attempt: task.dispatchCount,
      runRequestedAt: runRequestedAt, deadline: deadline)
    deadlines.insert(FlightDeadline(time: deadline, number: lastDispatch))
    let reason =
      if runRequestedAt != nil { "a request to run the task now" } else if task.dispatchCount == 1 {
        "the task is due"
      } else { "retry \(task.dispatchCount - 1) after \(record.previousResponse.map { "HTTP \($0)" } ?? "no answer")" }
    return Dispatch(
      id: DispatchID(.tasks, lastDispatch), subject: task.name.description, attempt: task.dispatchCount,
      url: task.httpRequest.url, method: task.httpRequest.method, headers: TaskHeaders.make(for: record),
      body: task.httpRequest.body, deadline: task.dispatchDeadline, scheduledFor: task.scheduleTime,
      authorization: task.httpRequest.authorization?.resolved(for: task.httpRequest.url), reason: reason)
  }

  private mutating func resume(at now: Timestamp, into actions: inout [ServiceAction]) {
    deadlines = MinimumHeap()
    for number in flights.keys.sorted() {
      guard var flight = flights[number] else { continue }
      let queue = queues[flight.name.queue].flatMap { $0.generation == flight.generation ? $0 : nil }
      if let record = queue?.tasks[flight.name.id], record.sequence == flight.sequence {
        flight.deadline = now + record.task.dispatchDeadline
        flights[number] = flight
        deadlines.insert(FlightDeadline(time: flight.deadline, number: number))
      } else {
        finish(number, .connectionFailed("the emulator was started anew"), at: now, into: &actions)
      }
    }
  }

  private mutating func finish(
    _ number: UInt64, _ outcome: DispatchOutcome, at now: Timestamp, into actions: inout [ServiceAction]
  ) {
    guard let flight = flights.removeValue(forKey: number) else { return }
    while let entry = deadlines.first, flights[entry.number] == nil { deadlines.removeFirst() }
    deadlines.compact(liveCount: flights.count) { flights[$0.number] != nil }
    let id = DispatchID(.tasks, number)
    guard let index = queues.index(forKey: flight.name.queue), queues.values[index].generation == flight.generation
    else {
      let verdict = Settlement.Verdict.ignored("the queue is gone")
      actions.append(
        .settled(
          Settlement(
            id: id, subject: flight.name.description, attempt: flight.attempt, outcome: outcome, verdict: verdict)))
      return
    }
    let ticket = nextTicket()
    actions.append(
      .settled(queues.values[index].finish(flight, id: id, outcome: outcome, ticket: ticket, at: now)))
    touch(flight.name.queue, at: now)
  }
}
