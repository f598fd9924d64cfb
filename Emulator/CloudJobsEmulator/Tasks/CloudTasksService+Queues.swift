public import CloudJobsCore

extension CloudTasksService {
  private static var missingQueue: ServiceFault {
    ServiceFault(
      .notFound,
      "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.")
  }

  /// Creates a queue.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument`, `alreadyExists`, or `failedPrecondition` where a queue of the name
  ///   was deleted recently.
  public mutating func createQueue(_ queue: CloudTasks.Queue, at now: Timestamp) throws(ServiceFault)
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
    let state = TaskQueueState(queue: created, generation: nextTicket(), options: options, at: now)
    queues[queue.name] = state
    queueNames.insert(queue.name)
    return state.queue
  }

  /// A queue.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public func getQueue(_ name: CloudTasks.QueueName) throws(ServiceFault) -> CloudTasks.Queue {
    try state(of: name).queue
  }

  /// The queues of a location by name, at most 1,000 a page.
  ///
  /// - Parameters:
  ///   - parent: the location.
  ///   - page: which page.
  ///   - filter: only queues in this state.
  /// - Returns: the page.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a page that can't be.
  public func listQueues(
    in parent: LocationName, page: PageRequest = .init(), filter: CloudTasks.Queue.State? = nil
  ) throws(ServiceFault) -> ResourcePage<CloudTasks.Queue> {
    let limit = try page.limit(maximum: 1_000)
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

  /// The locations that have queues.
  public var locations: [LocationName] { Array(Set(queues.keys.map(\.location))) }

  /// Changes a queue's limits and retry rules, or creates the queue where there is none.
  ///
  /// - Parameters:
  ///   - queue: the new values under the queue's name.
  ///   - mask: which of them to take; nil or empty takes all.
  ///   - now: the time.
  /// - Returns: the queue as it is now.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  public mutating func updateQueue(
    _ queue: CloudTasks.Queue, mask: FieldMask? = nil, at now: Timestamp
  ) throws(ServiceFault) -> CloudTasks.Queue {
    guard let index = queues.index(forKey: queue.name) else { return try createQueue(queue, at: now) }
    var merged = queues.values[index].queue
    try merged.merge(queue, mask: mask?.paths.isEmpty == true ? nil : mask)
    try merged.validate()
    if let burst = options.burstSize { merged.rateLimits.maxBurstSize = burst }
    queues.values[index].queue = merged
    queues.values[index].configureBucket(at: now)
    touch(queue.name, at: now)
    return merged
  }

  /// Deletes a queue with its tasks; attempts in flight are not called back.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func deleteQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault) {
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
  public mutating func purgeQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.Queue
  {
    try change(name, at: now) { $0.purge(at: now) }
  }

  /// Stops a queue's dispatches; a paused queue stays so.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func pauseQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.Queue
  {
    try change(name, at: now) { $0.queue.state = .paused }
  }

  /// Lets a queue dispatch again; a running queue stays so.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func resumeQueue(_ name: CloudTasks.QueueName, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.Queue
  {
    try change(name, at: now) { $0.queue.state = .running }
  }

  /// The state of a queue that must exist.
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
}
