import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobsEmulator

@Suite("App Engine targets")
struct AppEngineTargetTests {
  private static let origin = "http://127.0.0.1:9"
  private static let agent = "AppEngine-Google; (+http://code.google.com/appengine)"

  private static func makeTask(
    _ fixture: Fixture, _ target: AppEngineTarget, deadline: Duration? = nil, named id: String? = nil
  ) throws -> CloudTasks.Task {
    let queue = try Fixture.queue()
    return try fixture.emulator.withState { state, now in
      try state.tasks.createTask(
        .init(name: id.map { "\(queue)/tasks/\($0)" }, target: .appEngine(target), dispatchDeadline: deadline),
        in: queue, view: .full, at: now)
    }
  }

  private static func stored(_ task: CloudTasks.Task) throws -> AppEngineTarget {
    guard case .appEngine(let target) = task.target else { throw ServiceFault(.internal, "no App Engine target") }
    return target
  }

  @Test("the headers of the attempts are those that were recorded")
  func attempts() async throws {
    let answers = Mutex([503, 404, 429, 500, 302, 200])
    let fixture = Fixture(options: .init(appEngineOrigin: Self.origin)) { _ in
      .status(answers.withLock { $0.removeFirst() })
    }
    try fixture.makeQueue()
    _ = try Self.makeTask(fixture, .init(relativeURI: "/work?x=1", headers: [HeaderField("User-Agent", "Mine")]))
    #expect(try await fixture.emulator.runUntilIdle())
    let headers = fixture.received.map(\.delivery.headers)
    #expect(headers.map { $0["X-AppEngine-TaskExecutionCount"] } == ["0", "1", "2", "3", "4", "5"])
    #expect(headers.map { $0["X-AppEngine-TaskRetryReason"] } == [nil] + Array(repeating: "App Error", count: 5))
    #expect(headers.map { $0["X-AppEngine-TaskPreviousResponse"] } == [nil, "503", "404", "429", "500", "302"])
    #expect(headers.allSatisfy { $0["User-Agent"] == "Mine \(Self.agent)" })
    #expect(fixture.received.allSatisfy { $0.delivery.url == "\(Self.origin)/work?x=1" })
  }

  @Test("an HTTP task counts no answers of 5xx, and gives no reason")
  func attemptsOfHTTP() async throws {
    let answers = Mutex([503, 404, 429, 500, 302, 200])
    let fixture = Fixture { _ in .status(answers.withLock { $0.removeFirst() }) }
    try fixture.makeQueue()
    try fixture.makeTask(headers: [HeaderField("User-Agent", "Mine")])
    #expect(try await fixture.emulator.runUntilIdle())
    let headers = fixture.received.map(\.delivery.headers)
    #expect(headers.map { $0["X-CloudTasks-TaskExecutionCount"] } == ["0", "0", "1", "2", "2", "3"])
    #expect(headers.map { $0["X-CloudTasks-TaskRetryReason"] } == [nil] + Array(repeating: "", count: 5))
    #expect(headers.allSatisfy { $0["User-Agent"] == "Google-Cloud-Tasks" })
  }

  @Test("a stored task shows the headers that will be sent, and a host")
  func shown() throws {
    let fixture = Fixture(options: .init(appEngineOrigin: Self.origin))
    try fixture.makeQueue()
    let bare = try Self.stored(try Self.makeTask(fixture, .init()))
    #expect(bare.headers == [HeaderField("User-Agent", Self.agent)])
    #expect(bare.routing.host == "p.appspot.com")
    let typed = try Self.stored(
      try Self.makeTask(fixture, .init(headers: [HeaderField("content-type", "text/plain")], body: [1, 2])))
    #expect(typed.headers["Content-Type"] == "text/plain" && typed.headers["Content-Length"] == "2")
    let task = try Self.makeTask(
      fixture, .init(body: [1], routing: .init(service: "s", version: "v", instance: "i")), named: "a")
    #expect(task.dispatchDeadline == nil)
    let target = try Self.stored(task)
    #expect(target.headers["Content-Type"] == "application/octet-stream" && target.headers["Content-Length"] == "1")
    #expect(target.routing.host == "i.v.s.p.appspot.com")
    let name = task.name
    let read = try fixture.emulator.withState { state, now in try state.tasks.getTask(name, view: .full, at: now) }
    #expect(read == task)
  }

  @Test("the domain of an application names its region")
  func region() throws {
    var routing = AppEngineRouting(service: "s")
    routing.fillHost(in: try LocationName("projects/p/locations/us-central1"))
    #expect(routing.host == "s.p.uc.r.appspot.com")
  }

  @Test("a queue's routing replaces the tasks' own, field by field where a mask says so")
  func routing() throws {
    let fixture = Fixture(options: .init(appEngineOrigin: Self.origin))
    var queue = try fixture.makeQueue()
    queue.appEngineRouting = .init(service: "q", version: "v")
    let draft = queue
    try fixture.emulator.withState { state, now in
      let changed = try state.tasks.updateQueue(draft, mask: .init(["appEngineRoutingOverride.service"]), at: now)
      #expect(changed.appEngineRouting == .init(service: "q", host: "q.p.appspot.com"))
    }
    let task = try Self.stored(try Self.makeTask(fixture, .init(routing: .init(service: "t", instance: "i"))))
    #expect(task.routing == .init(service: "q", host: "q.p.appspot.com"))
  }

  @Test(
    "invalid requests are refused",
    arguments: [
      AppEngineTarget(relativeURI: "x"), .init(relativeURI: "/a b"), .init(relativeURI: "/ü"),
      .init(relativeURI: "/%z"),
      .init(relativeURI: "/" + String(repeating: "a", count: 2_083)), .init(method: .patch, body: [1]),
      .init(method: .get, body: [1]), .init(headers: [HeaderField("a b", "")]),
    ])
  func refused(target: AppEngineTarget) throws {
    let fixture = Fixture(options: .init(appEngineOrigin: Self.origin))
    try fixture.makeQueue()
    #expect(
      fault { _ = try Self.makeTask(fixture, target) }?.message.hasPrefix("AppEngineHttpRequest.") == true)
    #expect(
      fault { try fixture.makeJob(target: .appEngine(target)) }?.message.hasPrefix("AppEngineHttpTarget.") == true)
  }

  @Test("a scheduler job says App Engine's agent, never its own, also after updates")
  func scheduler() async throws {
    let fixture = Fixture(scheduler: .init(appEngineOrigin: Self.origin))
    let made = try fixture.makeJob(
      deadline: .hours(24) + .seconds(15),
      target: .appEngine(.init(headers: [HeaderField("user-agent", "Mine")], body: [1, 2, 3])))
    let draft = CloudScheduler.JobDraft(made)
    let job = try fixture.emulator.withState { state, now in
      try state.scheduler.updateJob(draft, mask: .init(["description"]), at: now)
    }
    guard case .appEngine(let target) = job.target else { throw ServiceFault(.internal, "no App Engine target") }
    #expect(target.headers["User-Agent"] == "Mine \(Self.agent)" && target.headers["Content-Length"] == "3")
    try await fixture.emulator.advance(by: .minutes(1))
    let delivery = try #require(fixture.received.first?.delivery)
    #expect(delivery.headers["User-Agent"] == "Mine \(Self.agent)")
    #expect(delivery.headers["X-CloudScheduler"] == "true" && delivery.headers["Content-Length"] == nil)
    #expect(delivery.headers.count { $0.name.lowercased() == "user-agent" } == 1)
    #expect(delivery.deadline == .hours(24) + .seconds(15))
    #expect(fault { try fixture.makeJob("k", target: .appEngine(.init(method: .patch))) }?.code == .invalidArgument)
    #expect(
      fault { try fixture.makeJob("k", deadline: .hours(24) + .seconds(16), target: .appEngine(.init())) }?.message
        == "Job.attemptDeadline must be between [15s, 24h15s].")
  }

  @Test("a mask of an empty routing leaves the tasks' own, and the default deadline of one kind is not another's")
  func defaults() throws {
    let fixture = Fixture(
      options: .init(appEngineOrigin: Self.origin), scheduler: .init(appEngineOrigin: Self.origin))
    let queue = try fixture.makeQueue()
    let changed = try fixture.emulator.withState { state, now in
      try state.tasks.updateQueue(queue, mask: .init(["appEngineRoutingOverride.service"]), at: now)
    }
    #expect(changed.appEngineRouting == nil)
    let job = try fixture.makeJob()
    #expect(job.attemptDeadline == .minutes(3))
    let draft = CloudScheduler.JobDraft(name: job.name.text, target: .appEngine(.init()))
    let moved = try fixture.emulator.withState { state, now in
      try state.scheduler.updateJob(draft, mask: .init(["appEngineHttpTarget"]), at: now)
    }
    #expect(moved.attemptDeadline == nil)
  }

  @Test("each field of an update's mask changes only itself")
  func masks() throws {
    let fixture = Fixture(scheduler: .init(appEngineOrigin: Self.origin))
    let job = try fixture.makeJob(target: .appEngine(.init(relativeURI: "/a", body: [1], routing: .init(service: "s"))))
    let other = CloudScheduler.JobDraft(
      name: job.name.text,
      target: .appEngine(.init(relativeURI: "/b", method: .put, body: [2, 3], routing: .init(service: "t"))))
    for (path, check) in [
      ("relativeUri", { $0.relativeURI == "/b" && $0.method == .post }), ("httpMethod", { $0.method == .put }),
      ("body", { $0.body == [2, 3] && $0.headers["Content-Length"] == "2" && $0.routing.service == "s" }),
      ("appEngineRouting", { $0.routing.host == "t.p.appspot.com" }),
    ] as [(String, (AppEngineTarget) -> Bool)] {
      let changed = try fixture.emulator.withState { state, now in
        try state.scheduler.updateJob(other, mask: .init(["appEngineHttpTarget.\(path)"]), at: now)
      }
      guard case .appEngine(let target) = changed.target else { throw ServiceFault(.internal, "no App Engine target") }
      #expect(check(target), "\(path): \(target)")
    }
  }
}
