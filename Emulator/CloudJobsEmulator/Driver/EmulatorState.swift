package import CloudJobsCore

/// The state of all emulated services, as one value that a driver owns.
package struct EmulatorState: Sendable {
  /// Cloud Tasks.
  package var tasks: CloudTasksService
  /// Cloud Scheduler.
  package var scheduler: CloudSchedulerService
  /// Administrative state of all services.
  package var administration = AdministrationService()
  /// Cloud Firestore.
  package var firestore: FirestoreService
  /// Whether what is due starts only with a `wake`, as while the clock is frozen.
  package internal(set) var isHeld = false

  /// Creates services without queues, jobs or documents.
  ///
  /// - Parameters:
  ///   - tasks: Cloud Tasks settings that Google's documentation leaves open.
  ///   - scheduler: endpoints for Cloud Scheduler targets other than HTTP.
  ///   - zones: the time zones available to schedules.
  ///   - indexes: the indexes of Firestore; nil allows every query.
  ///   - seed: the seed for server-generated names.
  package init(
    tasks: CloudTasks.Options = .init(), scheduler: CloudScheduler.Options = .init(),
    zones: ZoneCatalog = .utcOnly, indexes: Firestore.IndexConfiguration? = nil, seed: UInt64 = 0
  ) {
    self.tasks = CloudTasksService(options: tasks, seed: seed)
    self.scheduler = CloudSchedulerService(zones: zones, options: scheduler, seed: seed &+ 1)
    self.firestore = FirestoreService(indexes: indexes, seed: seed &+ 2)
  }

  /// The next time at which a service has work to do without a new request; it may be in the past.
  package var nextWake: Timestamp? {
    guard let first = tasks.nextWake else { return scheduler.nextWake }
    return min(first, scheduler.nextWake ?? first)
  }

  /// Processes an event and everything that is due in any service.
  ///
  /// - Parameters:
  ///   - event: the event.
  ///   - now: the current time, never earlier than in a previous call.
  /// - Returns: the actions for the driver, in order.
  package mutating func handle(_ event: ServiceEvent, at now: Timestamp) -> [ServiceAction] {
    let startsDue = !isHeld || event == .wake
    return scheduler.handle(event, at: now, startsDue: startsDue) + tasks.handle(event, at: now, startsDue: startsDue)
  }

  /// Returns whether no delivery is in flight, due or waiting for a retry.
  ///
  /// Tasks scheduled for later, tasks in paused queues and the next run of a schedule do not count.
  package mutating func isIdle(at now: Timestamp) -> Bool {
    tasks.isIdle(at: now) && scheduler.isIdle(at: now)
  }

  /// A task or job with the reason why it is waiting.
  package struct Waiting: Hashable, Sendable {
    /// The full name.
    package var name: String
    /// A human-readable reason.
    package var reason: String
  }

  /// Returns why each task and job is waiting: tasks first, then jobs, each sorted by name.
  ///
  /// - Parameters:
  ///   - now: the current time.
  ///   - limit: the maximum number of entries.
  /// - Returns: the first `limit` entries.
  package func waiting(at now: Timestamp, limit: Int = 1_000) -> [Waiting] {
    Array((tasks.waiting(at: now, limit: limit) + scheduler.waiting(limit: limit)).prefix(limit))
  }
}

extension CloudTasksService {
  func waiting(at now: Timestamp, limit: Int) -> [EmulatorState.Waiting] {
    var result: [EmulatorState.Waiting] = []
    for name in queueNames.elements(after: nil, limit: .max) {
      guard let state = queues[name], result.count < limit else { continue }
      for id in state.names.elements(after: nil, limit: limit - result.count) {
        guard let record = state.tasks[id] else { continue }
        result.append(
          .init(name: record.task.name.description, reason: "\(state.waitReason(of: record, at: now))"))
      }
    }
    return result
  }
}

extension CloudSchedulerService {
  func waiting(limit: Int) -> [EmulatorState.Waiting] {
    names.elements(after: nil, limit: limit).compactMap { name in
      jobs[name].map { .init(name: name.text, reason: "\($0.waitReason)") }
    }
  }
}
