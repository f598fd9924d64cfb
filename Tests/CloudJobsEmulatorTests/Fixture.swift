import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A virtual world whose target answers by a function of the attempt, and that keeps what was delivered.
final class Fixture: Sendable {
  /// A delivery as the target saw it.
  struct Received: Sendable {
    var time: Timestamp
    var dispatch: Dispatch
  }

  static let start = Timestamp(seconds: 1_795_000_000)
  static let location = "projects/p/locations/l"

  let clock = VirtualClock(start: Fixture.start)
  let world: VirtualWorld

  /// A world whose target answers at once, or after a span of virtual time.
  init(
    options: CloudTasks.Options = .init(), scheduler: CloudScheduler.Options = .init(), seed: UInt64 = 1,
    taking span: Duration = .zero, answer: @escaping @Sendable (Dispatch) -> DispatchOutcome = { _ in .ok }
  ) {
    let log = Logbook()
    let clock = self.clock
    world = VirtualWorld(
      state: EmulatorState(tasks: options, scheduler: scheduler, seed: seed), clock: clock
    ) { dispatch in
      log.entries.withLock { $0.append(Received(time: clock.now(), dispatch: dispatch)) }
      if span > .zero { try? await clock.sleep(until: clock.now() + span) }
      return answer(dispatch)
    }
    logbook = log
  }

  private final class Logbook: Sendable {
    let entries = Mutex<[Received]>([])
  }

  private let logbook: Logbook

  /// What was delivered, in order.
  var received: [Received] { logbook.entries.withLock { $0 } }

  /// When deliveries were made, in whole or fractional seconds from the start.
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
    return try world.withState { state, now in
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
    return try world.withState { state, now in
      try state.tasks.createTask(
        .init(
          name: name, httpRequest: .init(url: url, headers: headers, body: body),
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
    return try world.withState { state, now in
      try state.scheduler.createJob(
        .init(
          name: id.isEmpty ? "" : "\(parent)/jobs/\(id)", target: target, schedule: schedule, retryConfig: retry,
          attemptDeadline: deadline), in: parent, at: now)
    }
  }
}

extension DispatchOutcome {
  static let ok = DispatchOutcome.response(status: 200)
  static func status(_ code: Int) -> DispatchOutcome { .response(status: code) }
}

/// What a throwing request was refused with, or nil where it was not refused.
func fault(of body: () throws -> Void) -> ServiceFault? {
  do {
    try body()
    return nil
  } catch {
    return error as? ServiceFault
  }
}
