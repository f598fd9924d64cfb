import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

/// The largest tasks that Cloud Tasks took, as recorded in a probe of `us-central1`.
@Suite("The size of stored tasks")
struct TaskSizeTests {
  private static let location = "projects/cloudtasksemu/locations/us-central1"
  private static let start = Timestamp(seconds: 1_755_900_000)

  private static func fault(
    _ queue: String, task: String? = nil, deadline: Duration? = nil, _ target: CloudTasks.Target
  ) -> ServiceFault? {
    CloudJobsEmulatorTests.fault {
      var service = CloudTasksService(options: .init(appEngineOrigin: "http://127.0.0.1:9"))
      let name = try CloudTasks.QueueName("\(location)/queues/cte-probe-1234567890-\(queue)")
      _ = try service.createQueue(.init(name: name), at: start)
      _ = try service.createTask(
        .init(
          name: "\(name)/tasks/cte-probe-1234567890-t000001", target: target, scheduleTime: start,
          dispatchDeadline: deadline), in: name, at: start)
    }
  }

  private static func bytes(_ count: Int) -> [UInt8] { Array(repeating: 7, count: count) }

  @Test("an HTTP task")
  func http() {
    func fault(_ count: Int) -> ServiceFault? {
      Self.fault("http", .http(.init(url: "https://example.com/", body: Self.bytes(count))))
    }
    #expect(fault(1_048_368) == nil)
    #expect(fault(1_048_369) == .invalidArgument("Task size too large"))
  }

  @Test(
    "an App Engine task, with a deadline, with a service",
    arguments: [
      (1_048_256, nil, AppEngineRouting()), (1_048_251, .seconds(900), AppEngineRouting()),
      (1_048_237, nil, AppEngineRouting(service: "size-probe-service")),
    ] as [(Int, Duration?, AppEngineRouting)])
  func appEngine(most: Int, deadline: Duration?, routing: AppEngineRouting) {
    func fault(_ count: Int) -> ServiceFault? {
      Self.fault("ae", deadline: deadline, .appEngine(.init(body: Self.bytes(count), routing: routing)))
    }
    #expect(fault(most) == nil)
    #expect(fault(most + 1) == .invalidArgument("Task size too large"))
  }
}
