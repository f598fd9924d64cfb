import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import Logging
import Synchronization
import Testing

@testable import CloudJobs

@Suite("The worker in virtual time")
struct JobWorkerTests {
  private let fixture = RuntimeFixture()

  private func runtime(
    _ owner: String = "one", store: (any JobStore)? = nil, @JobRegistryBuilder _ jobs: () -> [any JobHandler]
  ) async throws -> JobRuntime {
    try await JobRuntime.prepared(
      try JobRegistry(jobs), store: store ?? fixture.memory, queue: .store, authentication: .trustLoopback,
      options: fixture.options(owner))
  }

  /// Lets a worker run while a test moves the clock.
  private func working(
    _ runtimes: JobRuntime..., options: JobWorker.Options = .init(), _ body: () async throws -> Void
  ) async throws {
    var options = options
    // Heartbeats would be sleepers of their own.
    options.heartbeat = nil
    try await withThrowingTaskGroup(of: Void.self) { [options] group in
      for runtime in runtimes { group.addTask { await JobWorker(runtime, options: options).run() } }
      try await body()
      for runtime in runtimes { await runtime.drain(within: .zero) }
      try await group.waitForAll()
    }
  }

  /// Lets other tasks run until a condition holds.
  private func until(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<200_000 {
      if try await condition() { return }
      await Task.yield()
    }
    Issue.record("The condition does not hold.")
  }

  /// Lets other tasks run until the worker and nothing else sleeps.
  private func rest(_ sleepers: Int = 1) async throws {
    var calm = 0
    try await until {
      calm = fixture.clock.sleeperCount == sleepers ? calm + 1 : 0
      return calm > 200
    }
  }

  @Test("An attempt has not failed if the task of its worker is cancelled, as by a group of services that ends")
  func cancelledTask() async throws {
    let runtime = try await runtime {
      EndpointJob("job") { context in try await context.clock.sleep(until: .distantFuture) }.retry(.never)
    }
    let id = try await runtime.enqueue("job").id
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await JobWorker(runtime).run() }
      try await until { fixture.clock.sleeperCount > 2 }
      group.cancelAll()
      try await group.waitForAll()
    }
    let waiting = try await fixture.run(id)
    #expect((waiting.status, waiting.failures, waiting.lease) == (.scheduled, 0, nil))
  }

  @Test("A run is executed at once, a delayed one at its time and not before, though the worker polls in between")
  func times() async throws {
    let effects = fixture.effects
    let runtime = try await runtime {
      EndpointJob("job", input: String.self) { name, _ in
        effects.add(name)
        return .done
      }
    }
    try await working(runtime) {
      try await rest()
      try await runtime.enqueue("job", "now")
      try await until { effects.list == ["now"] }
      try await rest()
      try await runtime.enqueue("job", "later", after: .milliseconds(4_500))
      for _ in 0..<4 {
        try await rest()
        fixture.clock.advance(by: .seconds(1))
      }
      try await rest()
      fixture.clock.advance(by: .milliseconds(499))
      try await rest()
      #expect(effects.list == ["now"])
      fixture.clock.advance(by: .milliseconds(1))
      try await until { effects.list == ["now", "later"] }
    }
  }

  @Test("A failed attempt is retried at its delay, without a pass")
  func retries() async throws {
    let effects = fixture.effects
    let runtime = try await runtime {
      EndpointJob("job") { context in
        effects.add("\(context.attempt) at \((context.clock.now() - RuntimeFixture.start).components.seconds)")
        if context.attempt < 3 { throw JobFailure.failed("not yet") }
        return .done
      }.retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(2)), jitter: .none))
    }
    try await working(runtime) {
      try await runtime.enqueue("job")
      for count in 1...3 {
        try await until { effects.count == count }
        if count == 3 { break }
        for _ in 0..<2 {
          try await rest()
          fixture.clock.advance(by: .seconds(1))
        }
      }
      #expect(effects.list == ["1 at 0", "2 at 2", "3 at 4"])
    }
  }

  @Test("A periodic job runs at each of its times, also between the minutes and while an attempt is under way")
  func periodic() async throws {
    let effects = fixture.effects
    let gate = HandlerGate()
    let runtime = try await runtime {
      PeriodicJob("tick", every: .seconds(7)) { context in
        effects.add("\(context.scheduledFor.map { $0 - RuntimeFixture.start } ?? .zero)")
        if effects.count == 1 { await gate.pass() }
        return .done
      }.overlap(.allow)
    }
    try await working(runtime) {
      try await rest()
      let first = try #require(try await fixture.document("tick").state.nextRun)
      fixture.clock.advance(by: first - fixture.clock.now())
      await gate.arrivals()
      for count in 2...4 {
        try await rest(2)
        fixture.clock.advance(by: .seconds(7))
        try await until { effects.count == count }
      }
      gate.open()
    }
    #expect(try await fixture.runs().count == 4)
    #expect(Set(try await fixture.runs().map(\.scheduledFor)).count == 4)
  }

  @Test("A long attempt holds nobody else up, and no more attempts execute at once than allowed")
  func concurrency() async throws {
    let (effects, gate) = (fixture.effects, HandlerGate())
    let runtime = try await runtime {
      EndpointJob("slow") { _ in
        await gate.pass()
        return .done
      }
      EndpointJob("quick") { _ in
        effects.add("quick")
        return .done
      }
    }
    var options = JobWorker.Options()
    options.concurrency = 2
    try await working(runtime, options: options) {
      try await runtime.enqueue("slow")
      await gate.arrivals()
      for count in 1...5 {
        try await runtime.enqueue("quick")
        try await until { effects.count == count }
      }
      try await runtime.enqueue("slow")
      await gate.arrivals(2)
      try await runtime.enqueue("quick")
      try await rest(2)
      #expect(effects.count == 5, "both places are taken")
      gate.open()
      try await until { effects.count == 6 }
    }
  }

  @Test("Two workers over one store run each occurrence once")
  func sharing() async throws {
    let effects = fixture.effects
    func jobs() -> [any JobHandler] {
      [
        EndpointJob("job", input: Int.self) { number, _ in
          effects.add("\(number)")
          return .done
        },
        PeriodicJob("tick", every: .seconds(1)) { context in
          effects.add("tick \(context.runID)")
          return .done
        },
      ]
    }
    let (one, two) = (try await runtime("one") { jobs() }, try await runtime("two") { jobs() })
    try await working(one, two) {
      try await one.enqueue(
        (0..<200).map { EnqueueRequest("job", $0, start: .at(RuntimeFixture.start + .seconds($0 % 5))) })
      for second in 1...5 {
        try await rest(2)
        fixture.clock.advance(by: .seconds(1))
        try await until { effects.list.count { !$0.hasPrefix("tick") } >= min(200, 40 * (second + 1)) }
      }
      try await until { effects.list.count { $0.hasPrefix("tick") } == 5 }
    }
    #expect(Set(effects.list).count == effects.count, "nothing ran twice")
    #expect(effects.count == 205)
    #expect(try await fixture.runs().allSatisfy { $0.attempt == 1 && $0.status == .succeeded })
  }

  @Test("Work that can't be done here does not keep the worker busy: a look a second, one try a minute in the end")
  func stuck() async throws {
    let maker = try await runtime("maker") { PeriodicJob("elsewhere", every: .seconds(60)) { _ in .done } }
    try await maker.enqueue("elsewhere")
    fixture.clock.advance(by: .minutes(5))
    let store = FaultyStore(fixture.memory)
    let runtime = try await runtime(store: store) { EndpointJob("job") { _ in .done } }
    try await working(runtime) {
      try await rest()
      store.reset()
      for _ in 0..<60 {
        fixture.clock.advance(by: .seconds(1))
        try await rest()
      }
      // A store that can't tell its due times is asked by two queries, and by two more for the pages that are due; two
      // held items add six looks each.
      #expect(store.counts.queries <= 4 * 75, "\(store.counts.queries) queries in a minute")
    }
  }

  @Test("A run whose attempt has the largest number is left alone and told, and neither traps nor keeps others waiting")
  func lastAttempt() async throws {
    let effects = fixture.effects
    let store = FaultyStore(fixture.memory)
    let runtime = try await runtime(store: store) {
      EndpointJob("job") { _ in
        effects.add("job")
        return .done
      }
    }
    var run = Run(
      id: RunID(job: "job", occurrence: .key("edited")), job: "job", trigger: .task, status: .scheduled,
      maxAttempts: 3, notBefore: RuntimeFixture.start, createdAt: RuntimeFixture.start)
    run.attempt = .max
    run.wakeAt = RuntimeFixture.start
    _ = try await fixture.memory.commit([.putRun(run, .absent)])
    try await working(runtime) {
      try await rest()
      try await runtime.enqueue("job")
      try await until { effects.count == 1 }
      #expect(await runtime.healthReport().problems.map(\.code).contains(.unreadableRuns))
      store.reset()
      for _ in 0..<30 {
        fixture.clock.advance(by: .seconds(1))
        try await rest()
      }
      #expect(store.counts.queries <= 4 * 45, "\(store.counts.queries) queries in 30 s")
    }
    #expect(await runtime.deliver(Delivery(job: "job", trigger: .task, runID: run.id)).status == .rejected)
    #expect(try await fixture.run(run.id) == run)
  }

  @Test("An edited document counts within the reconcile interval, and configure(_:_:) at once")
  func edits() async throws {
    let effects = fixture.effects
    let runtime = try await runtime {
      PeriodicJob("tick", every: .hours(1)) { _ in
        effects.add("tick")
        return .done
      }
    }
    try await working(runtime) {
      try await rest()
      try await runtime.configure("tick") { $0.interval = .seconds(5) }
      for _ in 0..<6 {
        try await rest()
        fixture.clock.advance(by: .seconds(1))
      }
      try await until { effects.count >= 1 }
      fixture.memory.importJob(id: "tick", fields: ["interval": 3])
      for _ in 0..<14 {
        try await rest()
        fixture.clock.advance(by: .seconds(1))
      }
      try await until { effects.count >= 3 }
    }
  }

  @Test("A busy worker serves queues by their weights and runs by their priority, those that come later too")
  func queues() async throws {
    let effects = fixture.effects
    let runtime = try await runtime {
      EndpointJob("job", input: String.self) { name, context in
        effects.add(name)
        try await context.clock.sleep(for: .seconds(1))
      }
    }
    func requests(_ queue: String?, _ name: String, priority: Int = 0, count: Int) -> [EnqueueRequest] {
      (0..<count).map { _ in
        var request = EnqueueRequest("job", name)
        (request.queue, request.priority) = (queue, priority)
        return request
      }
    }
    var options = JobWorker.Options()
    options.concurrency = 1
    options.pollInterval = .seconds(3_600)
    try await working(runtime, options: options) {
      try await rest()
      try await runtime.enqueue(
        requests("low", "low", count: 4) + requests(nil, "default", count: 8)
          + requests(nil, "first", priority: 1, count: 1))
      for number in 1...14 {
        try await until { effects.count == number }
        if number == 6 { try await runtime.enqueue(requests("critical", "critical", count: 1)) }
        // The worker, the handler, and the timer of its time limit sleep.
        try await rest(3)
        fixture.clock.advance(by: .seconds(1))
      }
    }
    #expect(
      effects.list.filter { $0 != "low" && $0 != "critical" } == ["first"] + Array(repeating: "default", count: 8))
    #expect(effects.list[0] == "first")
    #expect(effects.list[6] == "critical", "the next after it was enqueued")
    #expect(effects.list.prefix(6).count { $0 == "low" } == 1, "a quarter of the turns")
  }

  @Test(
    "Whatever happens to a claim of many runs, each is executed once, and none waits for a lease to expire",
    arguments: [Fault.lostAfter, .lostBefore, .unavailable])
  func lostClaims(_ fault: Fault) async throws {
    let effects = fixture.effects
    let store = LosingClaims(fixture.memory, [fault])
    let runtime = try await runtime(store: store) {
      EndpointJob("job", input: Int.self) { number, _ in
        effects.add("\(number)")
        return .done
      }
    }
    try await working(runtime) {
      // The first run of a job is delivered alone: its document is not read ahead yet.
      try await runtime.enqueue("job", 0)
      try await until { effects.count == 1 }
      try await runtime.enqueue((1...40).map { EnqueueRequest("job", $0) })
      for _ in 0..<3 where effects.count < 41 {
        try await rest()
        fixture.clock.advance(by: .seconds(1))
      }
      try await until { effects.count == 41 }
    }
    #expect(store.faultsLeft == 0)
    #expect(Set(effects.list).count == 41, "none ran twice")
    #expect(try await fixture.runs().allSatisfy { ($0.status, $0.attempt) == (.succeeded, 1) })
  }

  @Test("A schedule keeps its times while a backlog of runs fills all places")
  func scheduleUnderLoad() async throws {
    let effects = fixture.effects
    let runtime = try await runtime {
      PeriodicJob("tick", every: .seconds(5)) { _ in effects.add("tick") }
      EndpointJob("job") { context in
        try await context.clock.sleep(for: .milliseconds(500))
        effects.add("job")
      }
    }
    var options = JobWorker.Options()
    options.concurrency = 4
    try await working(runtime, options: options) {
      try await rest()
      try await runtime.enqueue((0..<300).map { _ in EnqueueRequest("job") })
      for _ in 0..<600 {
        for _ in 0..<200 { await Task.yield() }
        fixture.clock.advance(by: .milliseconds(50))
      }
      #expect(effects.list.count { $0 == "tick" } >= 5, "30 s have passed")
      #expect((20..<300).contains(effects.list.count { $0 == "job" }), "the backlog is served, and lasts")
    }
  }

  @Test("A worker claims as many runs as it has room for, and serves a limit beside them")
  func batches() async throws {
    let effects = fixture.effects
    let gate = HandlerGate()
    let runtime = try await runtime {
      EndpointJob("job") { _ in
        effects.add("job")
        await gate.pass()
        return .done
      }
      EndpointJob("single") { _ in
        effects.add("single")
        await gate.pass()
        return .done
      }.maxConcurrent(1)
    }
    var options = JobWorker.Options()
    options.concurrency = 12
    try await working(runtime, options: options) {
      try await runtime.enqueue((0..<3).map { _ in EnqueueRequest("single") })
      try await until { effects.count == 1 }
      try await runtime.enqueue((0..<30).map { _ in EnqueueRequest("job") })
      try await until { effects.count == 12 }
      for _ in 0..<500 { await Task.yield() }
      #expect(effects.list.count { $0 == "job" } == 11 && effects.count == 12)
      gate.open()
      for _ in 0..<10 where effects.count < 33 {
        try await rest()
        fixture.clock.advance(by: .seconds(1))
      }
      try await until { effects.count == 33 }
    }
  }

  @Test("Ended runs are deleted after their retention")
  func retention() async throws {
    let runtime = try await runtime { EndpointJob("job") { _ in .done }.retention(.minutes(30)) }
    try await working(runtime) {
      let id = try await runtime.enqueue("job").id
      try await until { try await fixture.run(id).status == .succeeded }
      try await rest()
      fixture.clock.advance(by: .minutes(30) - .seconds(1))
      try await rest()
      #expect(try await fixture.runs().count == 1)
      fixture.clock.advance(by: .minutes(6))
      try await until { try await fixture.runs().isEmpty }
    }
  }

  @Test("A run that another process enqueued is found at the next poll, and not before")
  func polls() async throws {
    let effects = fixture.effects
    let runtime = try await runtime("one") {
      EndpointJob("job") { _ in effects.add("ran") }
    }
    // It has no worker, and its wake-up calls reach no other process.
    let other = try await self.runtime("two") { EndpointJob("job") { _ in .done } }
    var options = JobWorker.Options()
    options.pollInterval = .seconds(7)
    try await working(runtime, options: options) {
      try await rest()
      fixture.clock.advance(by: .seconds(1))
      try await other.enqueue("job")
      try await rest()
      fixture.clock.advance(by: .seconds(6) - .microseconds(1))
      try await rest()
      #expect(effects.count == 0)
      fixture.clock.advance(by: .microseconds(1))
      try await until { effects.count == 1 }
    }
  }

  @Test("A worker whose runtime drains ends after its attempts, and not before")
  func drain() async throws {
    let (effects, gate) = (fixture.effects, HandlerGate())
    let clock = VirtualClock(start: RuntimeFixture.start)
    let runtime = try await runtime {
      EndpointJob("slow") { _ in
        await gate.pass()
        effects.add("attempt")
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await JobWorker(runtime).run()
        effects.add("worker")
      }
      try await runtime.enqueue("slow")
      await gate.arrivals()
      group.addTask { #expect(await runtime.drain(within: .seconds(7), by: clock) == 0) }
      while clock.sleeperCount == 0 { await Task.yield() }
      for _ in 0..<500 { await Task.yield() }
      #expect(effects.list.isEmpty, "the worker waits")
      gate.open()
    }
    #expect(effects.list == ["attempt", "worker"])
    #expect(try await fixture.runs().map(\.status) == [.succeeded])
  }
}
