import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Cloud Tasks errors, as measured")
struct CloudTasksErrorTests {
  private static let tooLate = Fixture.start + .hours(720) + .microseconds(1)
  private static let missingQueue =
    "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize."

  private static func help(_ definition: String, _ place: String) -> [FaultDetail] {
    let url = "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.\(place)"
    return [.help(description: definition, url: url)]
  }

  @Test(
    "invalid queue names", arguments: ["", "q", "projects/p/locations/l/queues", "projects/p/locations/l_/queues/q"])
  func queueName(text: String) {
    let expected =
      "Queue name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>\"."
    #expect(
      fault { _ = try CloudTasks.QueueName(text) }
        == ServiceFault(
          .invalidArgument, expected, details: Self.help("Definition of queue name", "queues#Queue.FIELDS.name")))
  }

  @Test("invalid queue IDs", arguments: ["", "a_b", String(repeating: "q", count: 101)])
  func queueID(id: String) {
    let expected =
      "Queue ID \"\(id)\" can contain only letters ([A-Za-z]), numbers ([0-9]), or hyphens (-). "
      + "Queue ID must between 1 and 100 characters."
    #expect(
      fault { _ = try CloudTasks.QueueName("projects/p/locations/l/queues/\(id)") }
        == ServiceFault(
          .invalidArgument, expected, details: Self.help("Definition of queue ID", "queues#Queue.FIELDS.name")))
  }

  @Test("an existing queue")
  func existing() throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    #expect(fault { try fixture.makeQueue() } == ServiceFault(.alreadyExists, "Queue already exists"))
  }

  @Test("a queue deleted too recently")
  func tombstone() async throws {
    let fixture = Fixture(options: .init(queueTombstone: .seconds(60)))
    try fixture.makeQueue()
    let name = try Fixture.queue()
    try fixture.emulator.withState { state, now in try state.tasks.deleteQueue(name, at: now) }
    let expected = ServiceFault(
      .failedPrecondition, "The queue cannot be created because a queue with this name existed too recently.")
    #expect(fault { try fixture.makeQueue() } == expected)
    try await fixture.emulator.advance(by: .seconds(59))
    #expect(fault { try fixture.makeQueue() } == expected)
    try await fixture.emulator.advance(by: .seconds(1))
    #expect(fault { try fixture.makeQueue() } == nil)
  }

  @Test(
    "limits and retry settings out of range",
    arguments: [
      (
        CloudTasks.RateLimits(maxDispatchesPerSecond: .init(millionthsPerSecond: -1)), CloudTasks.RetryConfig(),
        "RateLimits.maxDispatchesPerSecond cannot be negative."
      ),
      (
        .init(maxDispatchesPerSecond: .init(millionthsPerSecond: 500_000_001)), .init(),
        "RateLimits.maxDispatchesPerSecond must be less than or equal to 500."
      ),
      (
        .init(maxConcurrentDispatches: -1), .init(), "RateLimits.maxConcurrentDispatches cannot be negative."
      ),
      (
        .init(maxConcurrentDispatches: 5_001), .init(),
        "RateLimits.maxConcurrentDispatches must be less than or equal to 5000."
      ),
      (.init(), .init(maxAttempts: -2), "RetryConfig.maxAttempts must be greater or equal to -1."),
      (.init(), .init(maxDoublings: -1), "RetryConfig.maxDoublings cannot be negative."),
      (.init(), .init(minBackoff: .seconds(-1)), "RetryConfig.minBackoff cannot be negative."),
      (
        .init(), .init(minBackoff: .seconds(4_000)),
        "RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff."
      ),
    ])
  func limits(rate: CloudTasks.RateLimits, retry: CloudTasks.RetryConfig, message: String) throws {
    let fixture = Fixture()
    #expect(fault { try fixture.makeQueue(rate: rate, retry: retry) } == .invalidArgument(message))
    try fixture.makeQueue()
    let name = try Fixture.queue()
    let update = fault {
      _ = try fixture.emulator.withState { state, now in
        try state.tasks.updateQueue(.init(name: name, rateLimits: rate, retryConfig: retry), at: now)
      }
    }
    #expect(update == .invalidArgument(message))
  }

  @Test("the bounds of the ranges are allowed")
  func edges() throws {
    let fixture = Fixture()
    try fixture.makeQueue(
      rate: .init(maxDispatchesPerSecond: .perSecond(500), maxConcurrentDispatches: 5_000),
      retry: .init(maxAttempts: -1, minBackoff: .seconds(5), maxBackoff: .seconds(5)))
  }

  @Test("requests to a missing queue")
  func missing() throws {
    let fixture = Fixture()
    let name = try Fixture.queue()
    let expected = ServiceFault(.notFound, Self.missingQueue)
    fixture.emulator.withState { state, now in
      #expect(fault { _ = try state.tasks.getQueue(name) } == expected)
      #expect(fault { _ = try state.tasks.pauseQueue(name, at: now) } == expected)
      #expect(fault { _ = try state.tasks.resumeQueue(name, at: now) } == expected)
      #expect(fault { _ = try state.tasks.purgeQueue(name, at: now) } == expected)
      #expect(fault { _ = try state.tasks.listTasks(in: name) } == expected)
      let notFound = ServiceFault(.notFound, "Requested entity was not found.")
      #expect(fault { try state.tasks.deleteQueue(name, at: now) } == notFound)
    }
    #expect(fault { try fixture.makeTask() } == expected)
  }

  @Test(
    "bad tasks",
    arguments: [
      (CloudTasks.NewTask(target: nil), "Task.payload_type is not set."),
      (.init(target: .http(.init(url: ""))), "HttpRequest.url is required."),
      (.init(target: .http(.init(url: "ftp://h/"))), "HttpTarget.url must start with 'http://' or 'https://'."),
      (
        .init(target: .http(.init(url: "http://h")), dispatchDeadline: .milliseconds(14_999)),
        "Task.dispatchDeadline must be between [15s, 30m]."
      ),
      (
        .init(target: .http(.init(url: "http://h")), dispatchDeadline: .seconds(1_801)),
        "Task.dispatchDeadline must be between [15s, 30m]."
      ),
      (
        .init(target: .http(.init(url: "http://h")), scheduleTime: Self.tooLate),
        "The Task.scheduleTime, \(Self.tooLate), is too far in the future. "
          + "Schedule time must be no more than 720h in the future."
      ),
      (
        .init(name: "\(Fixture.location)/queues/q/tasks/a b", target: .http(.init(url: "http://h"))),
        "Task ID \"a b\" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_). "
          + "Task ID must between 1 and 500 characters."
      ),
      (
        .init(name: "\(Fixture.location)/queues/other/tasks/a", target: .http(.init(url: "http://h"))),
        "The queue name from request ('projects/p/locations/l/queues/q') must be the same as the queue name in the "
          + "named task ('projects/p/locations/l/queues/other')."
      ),
    ])
  func tasks(task: CloudTasks.NewTask, message: String) throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    let queue = try Fixture.queue()
    let refusal = fault {
      _ = try fixture.emulator.withState { state, now in try state.tasks.createTask(task, in: queue, at: now) }
    }
    #expect(refusal?.code == .invalidArgument && refusal?.message == message)
    let isOfID = message.hasPrefix("Task ID")
    #expect(
      refusal?.details == (isOfID ? Self.help("Definition of task ID", "queues.tasks#Task.FIELDS.name") : []))
  }

  @Test("a name is in use, tombstoned, then free; get distinguishes an ended task from an unknown one")
  func names() async throws {
    let fixture = Fixture(options: .init(taskTombstone: .hours(1)))
    try fixture.makeQueue()
    try fixture.makeTask("a", at: .seconds(10))
    let duplicate = ServiceFault(.alreadyExists, "Requested entity already exists")
    #expect(fault { try fixture.makeTask("a") } == duplicate)
    try await fixture.emulator.advance(by: .seconds(20))
    #expect(fixture.received.count == 1)
    #expect(fault { try fixture.makeTask("a") } == duplicate)
    let (name, other) = try (Fixture.task("a"), Fixture.task("b"))
    let gone = ServiceFault(
      .notFound,
      "The task no longer exists, though a task with this name existed recently. The task either successfully "
        + "completed or was deleted.")
    let notFound = ServiceFault(.notFound, "Requested entity was not found.")
    fixture.emulator.withState { state, now in
      #expect(fault { _ = try state.tasks.getTask(name, at: now) } == gone)
      #expect(fault { _ = try state.tasks.getTask(other, at: now) } == notFound)
      #expect(fault { try state.tasks.deleteTask(name, at: now) } == notFound)
      #expect(fault { _ = try state.tasks.runTask(name, at: now) } == notFound)
    }
    try await fixture.emulator.advance(by: .hours(1))
    fixture.emulator.withState { state, now in
      #expect(fault { _ = try state.tasks.getTask(name, at: now) } == notFound)
    }
    #expect(fault { try fixture.makeTask("a") } == nil)
  }
}
