public import CloudJobsCore

/// All emulated services as one value: what a driver owns.
public struct EmulatorState: Sendable {
  /// Cloud Tasks.
  public var tasks: CloudTasksService
  /// Cloud Scheduler.
  public var scheduler: CloudSchedulerService
  /// What all services keep about themselves.
  public var administration = AdministrationService()
  /// Cloud Firestore.
  public var firestore: FirestoreService

  /// Services without queues, jobs and documents.
  ///
  /// - Parameters:
  ///   - tasks: how Cloud Tasks behaves where the documents leave it open.
  ///   - scheduler: where Cloud Scheduler delivers what needs more than an HTTP target.
  ///   - zones: the time zones that schedules may name.
  ///   - indexes: the indexes that Firestore has; nil lets every query run.
  ///   - seed: draws the names that clients leave to the services.
  public init(
    tasks: CloudTasks.Options = .init(), scheduler: CloudScheduler.Options = .init(),
    zones: ZoneCatalog = .utcOnly, indexes: Firestore.IndexConfiguration? = nil, seed: UInt64 = 0
  ) {
    self.tasks = CloudTasksService(options: tasks, seed: seed)
    self.scheduler = CloudSchedulerService(zones: zones, options: scheduler, seed: seed &+ 1)
    self.firestore = FirestoreService(indexes: indexes, seed: seed &+ 2)
  }

  /// When the services next have something to do if no request comes; it may lie in the past.
  public var nextWake: Timestamp? {
    guard let first = tasks.nextWake else { return scheduler.nextWake }
    return min(first, scheduler.nextWake ?? first)
  }

  /// Does what an event asks for and what is due in any service.
  ///
  /// - Parameters:
  ///   - event: what happened.
  ///   - now: the time; never before that of an earlier call.
  /// - Returns: what the driver has to do, in order.
  public mutating func handle(_ event: ServiceEvent, at now: Timestamp) -> [ServiceAction] {
    scheduler.handle(event, at: now) + tasks.handle(event, at: now)
  }

  /// Whether nothing is in flight, due or to be tried again.
  ///
  /// Tasks for later, tasks in paused queues and the next firing of a schedule don't count.
  public mutating func isIdle(at now: Timestamp) -> Bool {
    tasks.isIdle(at: now) && scheduler.isIdle(at: now)
  }
}
