package import CloudJobsCore

/// The resources of Cloud Tasks v2, independent of any wire format.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest>.
public enum CloudTasks {}

extension CloudTasks {
  /// Settings for behaviour that Google's documentation leaves open.
  public struct Options: Hashable, Sendable {
    /// Time for which the name of a finished task cannot be reused.
    ///
    /// Google's documentation disagrees (1 h, up to 24 h, 9 days), so no client should rely on it.
    public var taskTombstone: Duration
    /// Time for which the name of a deleted queue cannot be reused; up to 3 days according to the documentation.
    public var queueTombstone: Duration
    /// Maximum lifetime of a task, from its creation.
    public var retention: Duration
    /// Size of the queues' token buckets; nil for the service's own choice.
    public var burstSize: Int?
    /// Origin of the App Engine substitute, such as `http://127.0.0.1:8080`; without it App Engine tasks are rejected.
    public var appEngineOrigin: String?

    /// Creates options with the service's usual values.
    public init(
      taskTombstone: Duration = .seconds(3_600), queueTombstone: Duration = .seconds(3 * 86_400),
      retention: Duration = .seconds(31 * 86_400),
      burstSize: Int? = nil, appEngineOrigin: String? = nil
    ) {
      self.taskTombstone = taskTombstone
      self.queueTombstone = queueTombstone
      self.retention = retention
      self.burstSize = burstSize
      self.appEngineOrigin = appEngineOrigin
    }
  }
}

/// Cloud Tasks v2 as a pure state machine: requests and events in, deliveries out, time as an argument.
///
/// A driver calls a request method, or ``handle(_:at:)`` with an event, and performs the returned actions. It calls
/// `handle(.wake, at:)` after each request and when ``nextWake`` is reached. Equal calls give equal actions.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest>.
package struct CloudTasksService: Sendable {
  /// The settings of the service.
  package let options: CloudTasks.Options
  var queues: [CloudTasks.QueueName: TaskQueueState] = [:]
  var queueNames = SortedSet<CloudTasks.QueueName>()
  var queueTombstones: [CloudTasks.QueueName: Timestamp] = [:]
  var generator: SplitMix64
  var wakes = WakeIndex<CloudTasks.QueueName>()
  var attempts: [UInt64: TaskAttempt] = [:]
  var deadlines = MinimumHeap<AttemptDeadline>()
  var lastDeliveryNumber: UInt64 = 0
  var lastTicket: UInt64 = 0

  /// Creates a service without queues.
  ///
  /// - Parameters:
  ///   - options: the settings.
  ///   - seed: the seed for generated task names.
  package init(options: CloudTasks.Options = .init(), seed: UInt64 = 0) {
    self.options = options
    generator = SplitMix64(seed: seed)
  }

  /// The next time at which the service has work to do without a new request; it may be in the past.
  package var nextWake: Timestamp? {
    guard let deadline = deadlines.first?.time else { return wakes.earliest }
    return min(deadline, wakes.earliest ?? deadline)
  }

  /// Processes an event and everything that is due.
  ///
  /// - Parameters:
  ///   - event: the event.
  ///   - now: the current time, never earlier than in a previous call.
  ///   - startsDue: whether what is due starts; false only while the clock is frozen.
  /// - Returns: the deliveries to make and the results of attempts, in order.
  package mutating func handle(
    _ event: ServiceEvent, at now: Timestamp, startsDue: Bool = true
  ) -> [ServiceAction] {
    var actions: [ServiceAction] = []
    if case .completed(let id, let outcome) = event, id.service == .tasks {
      finish(id.number, outcome, at: now, into: &actions)
    }
    if case .resumed = event { resume(at: now, into: &actions) }
    while let entry = deadlines.first, entry.time <= now {
      deadlines.removeFirst()
      finish(entry.number, .timedOut, at: now, into: &actions)
    }
    while startsDue, let name = wakes.removeDue(at: now) {
      guard let index = queues.index(forKey: name) else { continue }
      actions += queues.values[index].expire(at: now).map { .settled($0) }
      while let (record, requestedAt) = queues.values[index].startNext(at: now) {
        actions.append(.deliver(launch(record, of: queues.values[index], requestedAt, at: now)))
      }
      wakes.set(name, to: queues.values[index].nextWake(at: now))
    }
    return actions
  }

  /// Returns whether no delivery is in flight, due or waiting for a retry.
  ///
  /// Tasks scheduled for later and tasks in paused queues do not count.
  package mutating func isIdle(at now: Timestamp) -> Bool {
    for name in queues.keys {
      if queues[name]?.isIdle(at: now) == false { return false }
    }
    return true
  }

  /// The number of attempts in flight.
  package var inFlightCount: Int { attempts.count }

  /// Updates the wake-up time of a queue after a request has changed it.
  mutating func touch(_ name: CloudTasks.QueueName, at now: Timestamp) {
    let time = queues.index(forKey: name).flatMap { queues.values[$0].nextWake(at: now) }
    wakes.set(name, to: time)
  }

  /// Returns a number that no other task, queue or waiting-list entry has.
  mutating func nextTicket() -> UInt64 {
    lastTicket += 1
    return lastTicket
  }

  private mutating func launch(
    _ record: TaskRecord, of queue: TaskQueueState, _ runRequestedAt: Timestamp?, at now: Timestamp
  ) -> DeliveryRequest {
    lastDeliveryNumber += 1
    let task = record.task
    let target = delivered(task.target, in: queue.queue)
    let deadline = now + task.attemptDeadline
    attempts[lastDeliveryNumber] = TaskAttempt(
      name: task.name, sequence: record.sequence, generation: queue.generation, number: task.dispatchCount,
      runRequestedAt: runRequestedAt, deadline: deadline)
    deadlines.insert(AttemptDeadline(time: deadline, number: lastDeliveryNumber))
    let reason =
      if runRequestedAt != nil { "a request to run the task now" } else if task.dispatchCount == 1 {
        "the task is due"
      } else { "retry \(task.dispatchCount - 1) after \(record.previousResponse.map { "HTTP \($0)" } ?? "no answer")" }
    return DeliveryRequest(
      id: DeliveryID(.tasks, lastDeliveryNumber), subject: task.name.description, attempt: task.dispatchCount,
      url: target.url, method: target.method, headers: TaskHeaders.make(for: record, of: target), body: target.body,
      deadline: task.attemptDeadline, scheduledFor: task.scheduleTime,
      authorization: target.authorization?.resolved(for: target.url), reason: reason)
  }

  /// Returns the HTTP request that delivers a target.
  private func delivered(_ target: CloudTasks.Target, in queue: CloudTasks.Queue) -> HTTPTarget {
    switch target {
    case .http(let request): queue.target?.applied(to: request) ?? request
    case .appEngine(let request):
      HTTPTarget(
        url: (options.appEngineOrigin ?? "") + request.relativeURI, method: request.method, headers: request.headers,
        body: request.body)
    }
  }

  private mutating func resume(at now: Timestamp, into actions: inout [ServiceAction]) {
    deadlines = MinimumHeap()
    for number in attempts.keys.sorted() {
      guard var attempt = attempts[number] else { continue }
      let queue = queues[attempt.name.queue].flatMap { $0.generation == attempt.generation ? $0 : nil }
      if let record = queue?.tasks[attempt.name.id], record.sequence == attempt.sequence {
        attempt.deadline = now + record.task.attemptDeadline
        attempts[number] = attempt
        deadlines.insert(AttemptDeadline(time: attempt.deadline, number: number))
      } else {
        finish(number, .connectionFailed("the emulator was restarted"), at: now, into: &actions)
      }
    }
  }

  private mutating func finish(
    _ number: UInt64, _ outcome: DeliveryOutcome, at now: Timestamp, into actions: inout [ServiceAction]
  ) {
    guard let attempt = attempts.removeValue(forKey: number) else { return }
    while let entry = deadlines.first, attempts[entry.number] == nil { deadlines.removeFirst() }
    deadlines.compact(liveCount: attempts.count) { attempts[$0.number] != nil }
    let id = DeliveryID(.tasks, number)
    guard let index = queues.index(forKey: attempt.name.queue), queues.values[index].generation == attempt.generation
    else {
      let verdict = Settlement.Verdict.ignored("the queue is gone")
      actions.append(
        .settled(
          Settlement(
            id: id, subject: attempt.name.description, attempt: attempt.number, outcome: outcome, verdict: verdict)))
      return
    }
    let ticket = nextTicket()
    actions.append(
      .settled(queues.values[index].finish(attempt, id: id, outcome: outcome, ticket: ticket, at: now)))
    touch(attempt.name.queue, at: now)
  }

  private static var missingQueue: ServiceFault {
    ServiceFault(
      .notFound,
      "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.")
  }

  /// Creates a queue.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument`, `alreadyExists`, or `failedPrecondition` if a queue of that name was
  ///   deleted recently.
  package mutating func createQueue(_ queue: CloudTasks.Queue, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.Queue
  {
    try queue.validate()
    guard queues[queue.name] == nil else { throw ServiceFault(.alreadyExists, "Queue already exists") }
    if let expiry = queueTombstones[queue.name], expiry > now {
      throw ServiceFault(
        .failedPrecondition, "The queue cannot be created because a queue with this name existed too recently.")
    }
    queueTombstones[queue.name] = nil
    var created = queue
    created.state = .running
    created.purgeTime = nil
    created.appEngineRouting?.fillHost(in: queue.name.location)
    let state = TaskQueueState(queue: created, generation: nextTicket(), options: options, at: now)
    queues[queue.name] = state
    queueNames.insert(queue.name)
    return state.queue
  }

  /// Returns a queue.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package func getQueue(_ name: CloudTasks.QueueName) throws(ServiceFault) -> CloudTasks.Queue {
    try state(of: name).queue
  }

  /// Returns a page of the queues of a location, sorted by name, at most 9,800 per page.
  ///
  /// - Parameters:
  ///   - parent: the location.
  ///   - page: the page request.
  ///   - filter: the state of the queues to return; nil for all.
  /// - Returns: the page.
  /// - Throws: ``ServiceFault`` `invalidArgument` for an invalid page request.
  package func listQueues(
    in parent: LocationName, page: PageRequest = .init(), filter: CloudTasks.Queue.State? = nil
  ) throws(ServiceFault) -> ResourcePage<CloudTasks.Queue> {
    let limit = try page.limit(maximum: 9_800)
    var matches: [CloudTasks.Queue] = []
    for name in queueNames.elements(after: nil, limit: .max) where name.location == parent && name.id > page.token {
      guard let queue = queues[name]?.queue, filter == nil || queue.state == filter else { continue }
      matches.append(queue)
      if matches.count > limit { break }
    }
    let isLast = matches.count <= limit
    return ResourcePage(
      items: Array(matches.prefix(limit)), nextPageToken: isLast ? "" : matches[limit - 1].name.id)
  }

  /// The locations that contain queues.
  package var locations: [LocationName] { Array(Set(queues.keys.map(\.location))) }

  /// Updates a queue's limits and retry settings, or creates the queue if it does not exist.
  ///
  /// - Parameters:
  ///   - queue: the new values under the queue's name.
  ///   - mask: the fields to update; nil or empty for all.
  ///   - now: the current time.
  /// - Returns: the updated queue.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  package mutating func updateQueue(
    _ queue: CloudTasks.Queue, mask: FieldMask? = nil, at now: Timestamp
  ) throws(ServiceFault) -> CloudTasks.Queue {
    guard let index = queues.index(forKey: queue.name) else { return try createQueue(queue, at: now) }
    var merged = queues.values[index].queue
    try merged.merge(queue, mask: mask?.paths.isEmpty == true ? nil : mask)
    try merged.validate()
    merged.appEngineRouting?.fillHost(in: queue.name.location)
    if let burst = options.burstSize { merged.rateLimits.maxBurstSize = burst }
    queues.values[index].queue = merged
    queues.values[index].configureBucket(at: now)
    touch(queue.name, at: now)
    return merged
  }

  /// Deletes a queue with its tasks; attempts in flight are not cancelled.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func deleteQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault) {
    guard queues.removeValue(forKey: name) != nil else {
      throw ServiceFault(.notFound, "Requested entity was not found.")
    }
    queueNames.remove(name)
    queueTombstones[name] = now + options.queueTombstone
    touch(name, at: now)
  }

  /// Deletes all tasks of a queue.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func purgeQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.Queue
  {
    try change(name, at: now) { $0.purge(at: now) }
  }

  /// Pauses a queue; has no effect on a paused queue.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func pauseQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.Queue
  {
    try change(name, at: now) { $0.queue.state = .paused }
  }

  /// Resumes a queue; has no effect on a running queue.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func resumeQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.Queue
  {
    try change(name, at: now) { $0.queue.state = .running }
  }

  /// Returns the state of a queue.
  func state(of name: CloudTasks.QueueName) throws(ServiceFault) -> TaskQueueState {
    guard let state = queues[name] else { throw Self.missingQueue }
    return state
  }

  private mutating func change(
    _ name: CloudTasks.QueueName, at now: Timestamp, _ body: (inout TaskQueueState) -> Void
  ) throws(ServiceFault) -> CloudTasks.Queue {
    guard let index = queues.index(forKey: name) else { throw Self.missingQueue }
    body(&queues.values[index])
    touch(name, at: now)
    return queues.values[index].queue
  }

  /// One entity of the service in a snapshot.
  ///
  /// Case names and labels are members of the snapshot's JSON; renamed ones keep their original name as a coding key.
  enum Entity: Codable, Sendable {
    private enum CodingKeys: String, CodingKey {
      case counters, queue, task, taskTombstone, queueTombstone, attempt = "flight"
    }

    private enum CountersCodingKeys: String, CodingKey {
      case generator, lastDeliveryNumber = "lastDispatch", lastTicket
    }

    case counters(generator: SplitMix64, lastDeliveryNumber: UInt64, lastTicket: UInt64)
    case queue(state: TaskQueueState, wake: Timestamp?)
    case task(record: TaskRecord, expiry: Timestamp)
    case taskTombstone(name: CloudTasks.TaskName, expiry: Timestamp)
    case queueTombstone(name: CloudTasks.QueueName, expiry: Timestamp)
    case attempt(number: UInt64, attempt: TaskAttempt)
  }

  /// All entities, in the order that ``restore(_:)`` expects.
  var entities: [Entity] {
    var entities = [
      Entity.counters(generator: generator, lastDeliveryNumber: lastDeliveryNumber, lastTicket: lastTicket)
    ]
    for name in queueNames.elements(after: nil, limit: .max) {
      guard let queue = queues[name] else { continue }
      entities.append(.queue(state: queue, wake: wakes.time(of: name)))
      entities += queue.retainedTasks.map { .task(record: $0.record, expiry: $0.expiry) }
      entities += queue.tombstonedIDs.map {
        .taskTombstone(name: CloudTasks.TaskName(queue: name, uncheckedID: $0.id), expiry: $0.expiry)
      }
    }
    entities += queueTombstones.sorted { $0.key < $1.key }.map { .queueTombstone(name: $0.key, expiry: $0.value) }
    return entities + attempts.sorted { $0.key < $1.key }.map { .attempt(number: $0.key, attempt: $0.value) }
  }

  /// Restores one entity into a service with the same options; entities of a missing queue are ignored.
  mutating func restore(_ entity: Entity) {
    switch entity {
    case .counters(let generator, let lastDeliveryNumber, let lastTicket):
      self.generator = generator
      self.lastDeliveryNumber = lastDeliveryNumber
      self.lastTicket = lastTicket
    case .queue(var queue, let wake):
      let name = queue.queue.name
      queue.options = options
      queues[name] = queue
      queueNames.insert(name)
      wakes.set(name, to: wake)
    case .task(let record, let expiry): queues[record.task.name.queue]?.restore(record, expiry: expiry)
    case .taskTombstone(let name, let expiry): queues[name.queue]?.addTombstone(for: name.id, expiry: expiry)
    case .queueTombstone(let name, let expiry): queueTombstones[name] = expiry
    case .attempt(let number, let attempt):
      attempts[number] = attempt
      deadlines.insert(AttemptDeadline(time: attempt.deadline, number: number))
    }
  }
}
