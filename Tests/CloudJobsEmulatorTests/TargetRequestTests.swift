import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Headers and bodies of targets")
struct TargetRequestTests {
  /// Returns the error of creating a task with a target.
  private static func fault(_ target: CloudTasks.Target) throws -> ServiceFault? {
    let fixture = Fixture(options: .init(appEngineOrigin: "http://127.0.0.1:9"))
    try fixture.makeQueue()
    let queue = try Fixture.queue()
    return CloudJobsEmulatorTests.fault {
      try fixture.emulator.withState { state, now in
        _ = try state.tasks.createTask(.init(target: target), in: queue, at: now)
      }
    }
  }

  /// Returns the error of creating a job with a target.
  private static func fault(_ target: CloudScheduler.Target) -> ServiceFault? {
    CloudJobsEmulatorTests.fault { try Fixture().makeJob(target: target) }
  }

  @Test("all headers together have less than 80 KB", arguments: [(81_919, true), (81_920, false)])
  func headerSize(bytes: Int, isAllowed: Bool) throws {
    // The names have three bytes each.
    let headers = [
      HeaderField("X-A", String(repeating: "a", count: 40_000)),
      HeaderField("X-B", String(repeating: "b", count: bytes - 40_006)),
    ]
    func expected(_ message: String) -> ServiceFault? {
      isAllowed ? nil : ServiceFault.invalidArgument("\(message).headers must be less than 80KB.")
    }
    let http = HTTPTarget(url: "http://127.0.0.1/", headers: headers)
    let appEngine = AppEngineTarget(headers: headers)
    #expect(try Self.fault(CloudTasks.Target.http(http)) == expected("HttpRequest"))
    #expect(try Self.fault(CloudTasks.Target.appEngine(appEngine)) == expected("AppEngineHttpRequest"))
    #expect(Self.fault(CloudScheduler.Target.http(http)) == expected("HttpTarget"))
    #expect(Self.fault(CloudScheduler.Target.appEngine(appEngine)) == expected("AppEngineHttpTarget"))
  }

  @Test("a body needs POST, PUT or PATCH", arguments: HTTPTarget.Method.allCases)
  func bodies(method: HTTPTarget.Method) throws {
    let isAllowed = [.post, .put, .patch].contains(method)
    func expected(_ message: String) -> ServiceFault? {
      isAllowed ? nil : .invalidArgument("\(message).body is not allowed with the method \(method.name).")
    }
    let target = HTTPTarget(url: "http://127.0.0.1/", method: method, body: [1])
    #expect(try Self.fault(CloudTasks.Target.http(target)) == expected("HttpRequest"))
    #expect(Self.fault(CloudScheduler.Target.http(target)) == expected("HttpTarget"))
    let bare = HTTPTarget(url: "http://127.0.0.1/", method: method)
    #expect(try Self.fault(CloudTasks.Target.http(bare)) == nil)
    #expect(Self.fault(CloudScheduler.Target.http(bare)) == nil)
  }

  /// Headers that the services set or reserve, with one that they leave as it is.
  private static func reserved(_ prefix: String) -> [HeaderField] {
    let names = [
      "Host", "Content-Length", "user-agent", "X-Google-A", "x-google-b", "X-AppEngine-QueueName", "x-appengine-c",
      "X-Mine",
    ]
    return (names + ["\(prefix)JobName", "\(prefix)TaskName", prefix.lowercased() + "d"]).map { HeaderField($0, "me") }
  }

  @Test("a task's reserved headers are dropped, and the agent is the service's")
  func task() async throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    try fixture.makeTask("t", headers: Self.reserved("X-CloudTasks-"))
    #expect(try await fixture.emulator.runUntilIdle())
    let headers = try #require(fixture.received.first?.delivery.headers)
    #expect(
      headers.map(\.name) == [
        "User-Agent", "X-CloudTasks-QueueName", "X-CloudTasks-TaskName", "X-CloudTasks-TaskRetryCount",
        "X-CloudTasks-TaskExecutionCount", "X-CloudTasks-TaskETA", "X-Mine",
      ])
    #expect(headers["User-Agent"] == "Google-Cloud-Tasks" && headers["X-CloudTasks-TaskName"] == "t")
    #expect(headers["X-Mine"] == "me")
  }

  @Test("a job's reserved headers are dropped, and the agent is the service's")
  func job() async throws {
    let fixture = Fixture()
    let target = HTTPTarget(
      url: "http://127.0.0.1/", headers: Self.reserved("X-CloudScheduler-") + [HeaderField("X-CloudScheduler", "me")])
    try fixture.makeJob(target: .http(target))
    try await fixture.emulator.advance(by: .minutes(1))
    let received = try #require(fixture.received.first)
    #expect(
      received.delivery.headers == [
        HeaderField("User-Agent", "Google-Cloud-Scheduler"), HeaderField("X-CloudScheduler", "true"),
        HeaderField("X-CloudScheduler-JobName", "j"),
        HeaderField("X-CloudScheduler-ScheduleTime", "\(received.time)"), HeaderField("X-Mine", "me"),
      ])
  }
}
