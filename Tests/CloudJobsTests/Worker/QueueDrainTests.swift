import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Testing

@Suite("A drain of the queues")
struct QueueDrainTests {
  private let fixture = RuntimeFixture(retryOwner: .pass)

  private func runtime(
    budget: Duration = .seconds(50), concurrency: Int = 10, @JobRegistryBuilder _ jobs: () -> [any JobHandler]
  ) async throws -> JobRuntime {
    var options = fixture.options()
    options.drain.budget = budget
    options.drain.concurrency = concurrency
    options.cancellationGrace = .milliseconds(250)
    return try await fixture.runtime(options: options, jobs)
  }

  /// Lets a drain run while the time passes in steps.
  private func drain(_ runtime: JobRuntime, for seconds: Int) async -> QueueDrainSummary {
    async let summary = runtime.drainQueues()
    for _ in 0..<seconds {
      for _ in 0..<500 { await Task.yield() }
      fixture.clock.advance(by: .seconds(1))
    }
    return await summary
  }

  @Test("Jobs that are due and waiting runs are executed, no more at once than allowed, and the answer counts them")
  func due() async throws {
    let effects = fixture.effects
    let runtime = try await runtime(concurrency: 3) {
      PeriodicJob("tick", every: .minutes(1)) { _ in effects.add("tick") }
      EndpointJob("slow") { context in
        effects.add("begin")
        try await context.clock.sleep(for: .seconds(2))
        effects.add("end")
      }
    }
    try await runtime.enqueue((0..<7).map { _ in EnqueueRequest("slow") })
    fixture.clock.advance(by: .minutes(2))
    let summary = await drain(runtime, for: 12)
    #expect((summary.started, summary.isComplete, summary.error) == (8, true, nil))
    #expect(effects.list.count { $0 == "end" } == 7 && effects.list.contains("tick"))
    var (running, most) = (0, 0)
    for effect in effects.list where effect != "tick" {
      running += effect == "begin" ? 1 : -1
      most = max(most, running)
    }
    #expect(most <= 3)
  }

  @Test("A drain ends when nothing is due any more, also if its places were all taken", arguments: [1, 2, 3, 4])
  func exact(concurrency: Int) async throws {
    let effects = fixture.effects
    let runtime = try await runtime(concurrency: concurrency) { EndpointJob("job") { _ in effects.add("job") } }
    try await runtime.enqueue((0..<12).map { _ in EnqueueRequest("job") })
    try await runtime.enqueue("job", after: .hours(1))
    fixture.clock.advance(by: .seconds(1))
    let summary = await drain(runtime, for: 55)
    #expect((summary.started, summary.isComplete, effects.count) == (12, true, 12))
  }

  @Test("What a scheduled job enqueues is executed by the same drain, though its attempt was the only one")
  func children() async throws {
    let effects = fixture.effects
    let runtime = try await runtime {
      PeriodicJob("tick", every: .minutes(1)) { context in
        try await context.clock.sleep(for: .seconds(1))
        for number in 0..<5 { try await context.enqueue("child", number) }
      }
      EndpointJob("child", input: Int.self) { number, _ in
        effects.add("\(number)")
        return .done
      }
    }
    fixture.clock.advance(by: .minutes(2))
    let summary = await drain(runtime, for: 10)
    #expect((summary.started, summary.isComplete) == (6, true))
    #expect(effects.list.sorted() == ["0", "1", "2", "3", "4"])
  }

  @Test("A run of an unknown job stays due: the drain ends, and does not claim to be complete")
  func unknown() async throws {
    let maker = try await fixture.runtime("maker") { EndpointJob("elsewhere") { _ in .done } }
    try await maker.enqueue("elsewhere")
    fixture.clock.advance(by: .minutes(2))
    let runtime = try await runtime { EndpointJob("job") { _ in .done } }
    let summary = await drain(runtime, for: 3)
    #expect((summary.started, summary.isComplete, summary.error) == (0, false, nil))
  }

  @Test("What exceeds the budget is interrupted, counts as no failure, and goes on from its checkpoint")
  func budget() async throws {
    let effects = fixture.effects
    let runtime = try await runtime(budget: .seconds(10)) {
      EndpointJob("long") { context in
        var done = try context.checkpoint(as: Int.self) ?? 0
        while done < 14 {
          try await context.clock.sleep(for: .seconds(1))
          done += 1
          effects.add("\(done)")
          try await context.checkpoint(done)
        }
        return .done
      }.retry(.never)
    }
    let id = try await runtime.enqueue("long").id
    fixture.clock.advance(by: .seconds(1))
    let first = await drain(runtime, for: 14)
    #expect((first.started, first.isComplete, first.error) == (1, false, nil))
    let run = try await fixture.run(id)
    #expect(!run.status.isTerminal && run.lease == nil && run.failure == nil)
    #expect(effects.count >= 8 && effects.count <= 10)
    let second = await drain(runtime, for: 14)
    #expect(second.error == nil)
    #expect(try await fixture.run(id).status == .succeeded)
    #expect(effects.list == (1...14).map { "\($0)" })
  }

  @Test("A lease ends soon after the budget, so that a drain that dies keeps its runs no longer")
  func leases() async throws {
    let gate = HandlerGate()
    let runtime = try await runtime(budget: .seconds(10)) {
      EndpointJob("long") { _ in
        await gate.pass()
        return .done
      }.timeout(.minutes(30))
    }
    let id = try await runtime.enqueue("long").id
    fixture.clock.advance(by: .seconds(1))
    async let summary = runtime.drainQueues()
    await gate.arrivals()
    let lease = try #require(try await fixture.run(id).lease)
    #expect(lease.expiresAt == fixture.clock.now() + .seconds(25))
    gate.open()
    #expect(await summary.isComplete)
  }

  @Test("A drain over HTTP needs a trusted caller and the method POST; without the store it is answered 503")
  func http() async throws {
    let runtime = try await runtime { EndpointJob("job") { _ in .done } }
    try await runtime.enqueue("job")
    fixture.clock.advance(by: .seconds(1))
    #expect(await runtime.handleRequest(body: [], path: "drain", peer: .unknown).status == 403)
    let (status, body) = await runtime.handleRequest(body: [], path: "drain", peer: .inProcess)
    #expect(status == 200)
    let answer = try JSONValue(parsing: body, limits: .envelope)
    #expect(answer == ["status": "drained", "started": 1, "complete": true])
    fixture.store.isDown = true
    #expect(await runtime.handleRequest(body: [], path: "drain", peer: .inProcess).status == 503)
    fixture.store.isDown = false
    await runtime.drain(within: .zero)
    #expect(await runtime.handleRequest(body: [], path: "drain", peer: .inProcess).status == 503)
  }
}
