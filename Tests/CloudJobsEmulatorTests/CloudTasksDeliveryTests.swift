import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Cloud Tasks deliveries")
struct CloudTasksDeliveryTests {
  @Test("a task is retried with backoff and then deleted")
  func retries() async throws {
    let fixture = Fixture { _ in .status(500) }
    try fixture.makeQueue(
      retry: .init(maxAttempts: 9, minBackoff: .seconds(10), maxBackoff: .seconds(300), maxDoublings: 3))
    try fixture.makeTask("a")
    #expect(try await fixture.emulator.runUntilIdle())
    let gaps = zip(fixture.offsets, fixture.offsets.dropFirst()).map { $1 - $0 }
    #expect(gaps == [10, 20, 40, 80, 160, 240, 300, 300].map { .seconds($0) })
    #expect(fixture.emulator.trace.last?.hasSuffix("HTTP 500, given up: maxAttempts 9 reached") == true)
    let name = try Fixture.queue()
    #expect(try fixture.emulator.withState { state, _ in try state.tasks.listTasks(in: name).items.isEmpty })
  }

  @Test("each attempt has the measured headers")
  func headers() async throws {
    let answers: [DeliveryOutcome] = [.status(404), .status(503), .timedOut, .connectionFailed("refused"), .ok]
    let fixture = Fixture { answers[$0.attempt - 1] }
    try fixture.makeQueue(retry: .init(minBackoff: .seconds(20), maxDoublings: 1))
    try fixture.makeTask(
      "a", at: .milliseconds(1_500),
      headers: [.init("X-Mine", "1"), .init("User-Agent", "me"), .init("x-cloudtasks-taskname", "b")], body: [1])
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.received.isEmpty, "a task for later does not keep the emulator busy")
    try await fixture.emulator.advance(by: .seconds(2))
    #expect(try await fixture.emulator.runUntilIdle())
    func value(_ name: String) -> [String?] { fixture.received.map { $0.delivery.headers[name] } }
    #expect(value("User-Agent") == Array(repeating: "Google-Cloud-Tasks", count: 5))
    #expect(value("X-CloudTasks-QueueName") == Array(repeating: "q", count: 5))
    #expect(value("X-CloudTasks-TaskName") == Array(repeating: "a", count: 5))
    #expect(value("X-Mine") == Array(repeating: "1", count: 5))
    #expect(value("X-CloudTasks-TaskRetryCount") == ["0", "1", "2", "3", "4"])
    #expect(value("X-CloudTasks-TaskExecutionCount") == ["0", "1", "1", "1", "1"])
    #expect(value("X-CloudTasks-TaskPreviousResponse") == [nil, "404", "503", "504", "503"])
    #expect(value("X-CloudTasks-TaskRetryReason") == [nil, "", "", "", ""])
    #expect(value("X-CloudTasks-TaskETA").first == "\(Fixture.start.seconds + 1).500000")
    #expect(value("Content-Type") == Array(repeating: nil, count: 5))
    let first = try #require(fixture.received.first).delivery
    #expect(first.headers.filter { $0.name.lowercased() == "x-cloudtasks-taskname" }.count == 1)
    #expect(fixture.offsets == [1_500, 21_500, 61_500, 141_500, 261_500].map { .milliseconds($0) })
  }

  @Test("the first and last attempt are recorded")
  func attempts() async throws {
    let fixture = Fixture(taking: .seconds(1)) { _ in .status(502) }
    try fixture.makeQueue(retry: .init(minBackoff: .seconds(10)))
    try fixture.makeTask("a", at: .seconds(5))
    let name = try Fixture.task("a")
    try await fixture.emulator.advance(by: .milliseconds(5_500))
    let running = try fixture.emulator.withState { state, now in try state.tasks.getTask(name, at: now) }
    #expect(running.dispatchCount == 1 && running.responseCount == 0)
    #expect(running.lastAttempt?.responseTime == nil && running.lastAttempt?.responseStatus == nil)
    try await fixture.emulator.advance(by: .seconds(1))
    let failed = try fixture.emulator.withState { state, now in try state.tasks.getTask(name, at: now) }
    #expect(failed.dispatchCount == 1 && failed.responseCount == 1)
    #expect(failed.firstAttempt?.dispatchTime == Fixture.start + .seconds(5))
    #expect(failed.firstAttempt?.scheduleTime == nil && failed.firstAttempt?.responseTime == nil)
    #expect(failed.lastAttempt?.scheduleTime == Fixture.start + .seconds(5))
    #expect(failed.lastAttempt?.dispatchTime == Fixture.start + .seconds(5))
    #expect(failed.lastAttempt?.responseTime == Fixture.start + .seconds(6))
    #expect(failed.lastAttempt?.responseStatus?.message == "INTERNAL(13): HTTP status code 502")
    #expect(failed.scheduleTime == Fixture.start + .seconds(16))
  }

  @Test("an attempt ends at its deadline, and a later response has no effect")
  func deadline() async throws {
    let fixture = Fixture(taking: .seconds(20))
    try fixture.makeQueue(retry: .init(maxAttempts: 2, minBackoff: .seconds(10)))
    try fixture.makeTask("a", deadline: .seconds(15))
    try await fixture.emulator.advance(by: .seconds(22))
    let name = try Fixture.task("a")
    let task = try fixture.emulator.withState { state, now in try state.tasks.getTask(name, at: now) }
    #expect(task.responseCount == 0 && task.dispatchCount == 1)
    #expect(task.lastAttempt?.responseStatus?.code == .deadlineExceeded)
    #expect(task.lastAttempt?.responseTime == Fixture.start + .seconds(15))
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == [.zero, .seconds(25)])
  }

  @Test(
    "the burst is a fifth of the rate, at least 10 and at most 100",
    arguments: [(1, 10), (5, 10), (50, 10), (60, 12), (250, 50), (500, 100)])
  func burstSize(rate: Int64, burst: Int) async throws {
    let fixture = Fixture()
    let queue = try fixture.makeQueue(rate: .init(maxDispatchesPerSecond: .perSecond(rate)))
    #expect(queue.rateLimits.maxBurstSize == burst)
    for _ in 0...burst { try fixture.makeTask() }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets.count { $0 == .zero } == burst)
  }

  @Test("the token bucket allows a burst, then limits the rate")
  func rate() async throws {
    let fixture = Fixture(options: .init(burstSize: 3))
    try fixture.makeQueue(rate: .init(maxDispatchesPerSecond: .init(millionthsPerSecond: 500_000)))
    for index in 0..<6 { try fixture.makeTask("t\(index)") }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == [0, 0, 0, 2, 4, 6].map { .seconds($0) })
    #expect(fixture.received.map { String($0.delivery.shortID) } == (0..<6).map { "t\($0)" })
  }

  @Test("a rate whose interval is not a whole number of microseconds is exact")
  func oddRate() async throws {
    let fixture = Fixture(options: .init(burstSize: 1))
    try fixture.makeQueue(rate: .init(maxDispatchesPerSecond: .perSecond(3)))
    for _ in 0..<31 { try fixture.makeTask() }
    #expect(try await fixture.emulator.runUntilIdle())
    let last = try #require(fixture.offsets.last)
    #expect((.seconds(10) ... .microseconds(10_000_030)).contains(last))
  }

  @Test("no more attempts are in flight than the queue allows")
  func concurrency() async throws {
    let fixture = Fixture(taking: .seconds(10))
    try fixture.makeQueue(rate: .init(maxConcurrentDispatches: 2))
    for index in 0..<5 { try fixture.makeTask("t\(index)") }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == [0, 0, 10, 10, 20].map { .seconds($0) })
  }

  @Test("a paused queue holds its tasks until run or resume")
  func pause() async throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    let (queue, name) = try (Fixture.queue(), Fixture.task("a"))
    _ = try fixture.emulator.withState { state, now in try state.tasks.pauseQueue(queue, at: now) }
    try fixture.makeTask("a")
    try fixture.makeTask("b")
    try await fixture.emulator.advance(by: .hours(1))
    #expect(fixture.received.isEmpty)
    _ = try fixture.emulator.withState { state, now in try state.tasks.runTask(name, at: now) }
    try await fixture.emulator.advance(by: .seconds(1))
    #expect(fixture.received.map { String($0.delivery.shortID) } == ["a"])
    _ = try fixture.emulator.withState { state, now in try state.tasks.resumeQueue(queue, at: now) }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.received.map { String($0.delivery.shortID) } == ["a", "b"])
  }

  @Test("run exceeds the limits, and the retry delay counts from the call")
  func run() async throws {
    let fixture = Fixture(options: .init(burstSize: 1), taking: .seconds(4)) {
      $0.shortID == "b" ? .status(500) : .ok
    }
    try fixture.makeQueue(
      rate: .init(maxDispatchesPerSecond: .init(millionthsPerSecond: 1_000), maxConcurrentDispatches: 1),
      retry: .init(maxAttempts: 2, minBackoff: .seconds(30)))
    try fixture.makeTask("a")
    try fixture.makeTask("b", at: .hours(2))
    let name = try Fixture.task("b")
    try await fixture.emulator.advance(by: .seconds(1))
    _ = try fixture.emulator.withState { state, now in try state.tasks.runTask(name, at: now) }
    try await fixture.emulator.advance(by: .seconds(10))
    #expect(fixture.offsets == [.zero, .seconds(1)])
    let task = try fixture.emulator.withState { state, now in try state.tasks.getTask(name, at: now) }
    #expect(task.scheduleTime == Fixture.start + .seconds(31))
  }

  @Test("purge and delete end tasks, including one in flight")
  func purge() async throws {
    let fixture = Fixture(taking: .seconds(5)) { _ in .status(500) }
    try fixture.makeQueue()
    for id in ["a", "b", "c"] { try fixture.makeTask(id, at: id == "a" ? nil : .seconds(60)) }
    try await fixture.emulator.advance(by: .seconds(1))
    let (queue, deleted) = try (Fixture.queue(), Fixture.task("b"))
    try fixture.emulator.withState { state, now in
      try state.tasks.deleteTask(deleted, at: now)
      #expect(try state.tasks.listTasks(in: queue).items.map(\.name.id) == ["a", "c"])
      #expect(try state.tasks.purgeQueue(queue, at: now).purgeTime == now)
      #expect(try state.tasks.listTasks(in: queue).items.isEmpty)
    }
    try await fixture.emulator.advance(by: .hours(1))
    #expect(fixture.received.count == 1)
    #expect(fixture.emulator.trace.last?.hasSuffix("HTTP 500, ignored: the task is gone") == true)
  }

  @Test("a task expires after 31 days")
  func retention() async throws {
    let fixture = Fixture { _ in .status(500) }
    try fixture.makeQueue(retry: .init(maxAttempts: -1, minBackoff: .hours(24), maxBackoff: .hours(24)))
    try fixture.makeTask("a")
    try await fixture.emulator.advance(by: .days(40))
    #expect(fixture.received.count == 31)
    #expect(fixture.emulator.trace.last?.contains("given up: its retention") == true)
  }

  @Test("503 and Retry-After slow the whole queue down")
  func slowdown() async throws {
    let fixture = Fixture(options: .init(burstSize: 1)) { delivery in
      delivery.attempt == 1 && delivery.shortID == "a"
        ? .response(status: 503, headers: [.init("retry-after", "30")]) : .ok
    }
    try fixture.makeQueue(
      rate: .init(maxDispatchesPerSecond: .perSecond(1)), retry: .init(minBackoff: .seconds(100)))
    for id in ["a", "b", "c"] { try fixture.makeTask(id) }
    try await fixture.emulator.advance(by: .seconds(29))
    #expect(fixture.received.map { String($0.delivery.shortID) } == ["a"])
    let name = try Fixture.task("b")
    let reason = try fixture.emulator.withState { state, now in try state.tasks.waitReason(of: name, at: now) }
    #expect(reason == .slowdown(until: Fixture.start + .seconds(30)))
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == [0, 30, 31, 100].map { .seconds($0) })
  }

  @Test("reports why each task is waiting")
  func why() async throws {
    let fixture = Fixture(options: .init(burstSize: 2), taking: .seconds(3)) { _ in .status(500) }
    try fixture.makeQueue(
      rate: .init(maxDispatchesPerSecond: .init(millionthsPerSecond: 100_000), maxConcurrentDispatches: 2),
      retry: .init(minBackoff: .seconds(60)))
    for id in ["a", "b", "c"] { try fixture.makeTask(id) }
    try fixture.makeTask("later", at: .seconds(500))
    func why(_ id: String) throws -> CloudTasks.WaitReason {
      let name = try Fixture.task(id)
      return try fixture.emulator.withState { state, now in try state.tasks.waitReason(of: name, at: now) }
    }
    #expect(try why("a") == .ready)
    try await fixture.emulator.advance(by: .seconds(1))
    #expect(try why("a") == .inFlight(attempt: 1, since: Fixture.start))
    #expect(try why("c") == .concurrencyLimit(2))
    #expect(try why("later") == .scheduled(until: Fixture.start + .seconds(500)))
    try await fixture.emulator.advance(by: .seconds(3))
    #expect(try why("a") == .backoff(afterAttempt: 1, until: Fixture.start + .seconds(63)))
    #expect(try why("c") == .rateLimit(until: Fixture.start + .seconds(10)))
    let queue = try Fixture.queue()
    _ = try fixture.emulator.withState { state, now in try state.tasks.pauseQueue(queue, at: now) }
    #expect(try why("c") == .paused)
  }

  @Test("lists are sorted and paged, and only the full view contains the body")
  func lists() throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    for id in ["b", "a", "C", "10", "9", "_"] { try fixture.makeTask(id, body: [7]) }
    let queue = try Fixture.queue()
    try fixture.emulator.withState { state, now in
      var seen: [String] = []
      var token = ""
      repeat {
        let page = try state.tasks.listTasks(in: queue, page: .init(size: 4, token: token), view: .full)
        seen += page.items.map(\.name.id)
        #expect(page.items.allSatisfy { $0.target.body == [7] })
        token = page.nextPageToken
      } while !token.isEmpty
      #expect(seen == ["10", "9", "C", "_", "a", "b"])
      #expect(try state.tasks.listTasks(in: queue).items.allSatisfy { $0.target.body.isEmpty })
    }
  }
}
