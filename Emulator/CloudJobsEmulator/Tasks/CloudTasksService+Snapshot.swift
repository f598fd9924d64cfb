import CloudJobsCore

extension CloudTasksService {
  /// A part of the service that a snapshot keeps.
  enum Entity: Codable, Sendable {
    case counters(generator: SplitMix64, lastDispatch: UInt64, lastTicket: UInt64)
    case queue(state: TaskQueueState, wake: Timestamp?)
    case task(record: TaskRecord, expiry: Timestamp)
    case taskTombstone(name: CloudTasks.TaskName, expiry: Timestamp)
    case queueTombstone(name: CloudTasks.QueueName, expiry: Timestamp)
    case flight(number: UInt64, attempt: TaskFlight)
  }

  /// All parts, in an order in which ``restore(_:)`` takes them.
  var entities: [Entity] {
    var entities = [Entity.counters(generator: generator, lastDispatch: lastDispatch, lastTicket: lastTicket)]
    for name in queueNames.elements(after: nil, limit: .max) {
      guard let queue = queues[name] else { continue }
      entities.append(.queue(state: queue, wake: wakes.time(of: name)))
      entities += queue.retainedTasks.map { .task(record: $0.record, expiry: $0.expiry) }
      entities += queue.entombedIDs.map {
        .taskTombstone(name: CloudTasks.TaskName(queue: name, uncheckedID: $0.id), expiry: $0.expiry)
      }
    }
    entities += queueTombstones.sorted { $0.key < $1.key }.map { .queueTombstone(name: $0.key, expiry: $0.value) }
    return entities + flights.sorted { $0.key < $1.key }.map { .flight(number: $0.key, attempt: $0.value) }
  }

  /// Puts a part back into a service that began with the same options; one of a queue that isn't there is left out.
  mutating func restore(_ entity: Entity) {
    switch entity {
    case .counters(let generator, let lastDispatch, let lastTicket):
      self.generator = generator
      self.lastDispatch = lastDispatch
      self.lastTicket = lastTicket
    case .queue(var queue, let wake):
      let name = queue.queue.name
      queue.options = options
      queues[name] = queue
      queueNames.insert(name)
      wakes.set(name, to: wake)
    case .task(let record, let expiry): queues[record.task.name.queue]?.restore(record, expiry: expiry)
    case .taskTombstone(let name, let expiry): queues[name.queue]?.entomb(name.id, expiry: expiry)
    case .queueTombstone(let name, let expiry): queueTombstones[name] = expiry
    case .flight(let number, let flight):
      flights[number] = flight
      deadlines.insert(FlightDeadline(time: flight.deadline, number: number))
    }
  }
}
