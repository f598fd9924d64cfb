import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A simulated emulator whose target responds by a function of the attempt, with a record of the deliveries.
final class Fixture: Sendable {
  /// A delivery as the target saw it.
  struct Received: Sendable {
    var time: Timestamp
    var delivery: DeliveryRequest
  }

  static let start = Timestamp(seconds: 1_795_000_000)
  static let location = "projects/p/locations/l"

  let clock = VirtualClock(start: Fixture.start)
  let emulator: SimulatedEmulator

  /// Creates an emulator whose target responds at once or after a virtual duration.
  init(
    options: CloudTasks.Options = .init(), scheduler: CloudScheduler.Options = .init(), seed: UInt64 = 1,
    taking span: Duration = .zero, answer: @escaping @Sendable (DeliveryRequest) -> DeliveryOutcome = { _ in .ok }
  ) {
    let log = Logbook()
    let clock = self.clock
    emulator = SimulatedEmulator(
      state: EmulatorState(tasks: options, scheduler: scheduler, seed: seed), clock: clock
    ) { delivery in
      log.entries.withLock { $0.append(Received(time: clock.now(), delivery: delivery)) }
      if span > .zero { try? await clock.sleep(until: clock.now() + span) }
      return answer(delivery)
    }
    logbook = log
  }

  private final class Logbook: Sendable {
    let entries = Mutex<[Received]>([])
  }

  private let logbook: Logbook

  /// The deliveries, in order.
  var received: [Received] { logbook.entries.withLock { $0 } }

  /// The times of deliveries in seconds from the start.
  var offsets: [Duration] { received.map { $0.time - Self.start } }

  /// A queue's name.
  static func queue(_ id: String = "q") throws -> CloudTasks.QueueName {
    try CloudTasks.QueueName("\(location)/queues/\(id)")
  }

  /// A task's name.
  static func task(_ id: String, in queue: String = "q") throws -> CloudTasks.TaskName {
    try CloudTasks.TaskName("\(location)/queues/\(queue)/tasks/\(id)")
  }

  /// A scheduler job's name.
  static func job(_ id: String = "j") throws -> CloudScheduler.JobName {
    try CloudScheduler.JobName("\(location)/jobs/\(id)")
  }

  /// Makes a queue.
  @discardableResult
  func makeQueue(
    _ id: String = "q", rate: CloudTasks.RateLimits = .init(), retry: CloudTasks.RetryConfig = .init()
  ) throws -> CloudTasks.Queue {
    let name = try Self.queue(id)
    return try emulator.withState { state, now in
      try state.tasks.createQueue(.init(name: name, rateLimits: rate, retryConfig: retry), at: now)
    }
  }

  /// Makes a task.
  @discardableResult
  func makeTask(
    _ id: String? = nil, in queue: String = "q", url: String = "http://127.0.0.1/t", at time: Duration? = nil,
    deadline: Duration? = nil, headers: [HeaderField] = [], body: [UInt8] = []
  ) throws -> CloudTasks.Task {
    let parent = try Self.queue(queue)
    let name = id.map { "\(parent)/tasks/\($0)" }
    return try emulator.withState { state, now in
      try state.tasks.createTask(
        .init(
          name: name, target: .http(.init(url: url, headers: headers, body: body)),
          scheduleTime: time.map { Self.start + $0 }, dispatchDeadline: deadline), in: parent, at: now)
    }
  }

  /// Makes a scheduler's job.
  @discardableResult
  func makeJob(
    _ id: String = "j", schedule: String = "* * * * *", retry: CloudScheduler.RetryConfig = .init(),
    deadline: Duration? = nil, target: CloudScheduler.Target = .http(.init(url: "http://127.0.0.1/j"))
  ) throws -> CloudScheduler.Job {
    let parent = try LocationName(Self.location)
    return try emulator.withState { state, now in
      try state.scheduler.createJob(
        .init(
          name: id.isEmpty ? "" : "\(parent)/jobs/\(id)", target: target, schedule: schedule, retryConfig: retry,
          attemptDeadline: deadline), in: parent, at: now)
    }
  }
}

extension DeliveryOutcome {
  static let ok = DeliveryOutcome.response(status: 200)
  static func status(_ code: Int) -> DeliveryOutcome { .response(status: code) }
}

/// Returns the error of a request, or nil if it succeeds.
func fault(of body: () throws -> Void) -> ServiceFault? {
  do {
    try body()
    return nil
  } catch {
    return error as? ServiceFault
  }
}
