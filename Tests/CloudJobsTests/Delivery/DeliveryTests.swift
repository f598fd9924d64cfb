import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Deliveries that repeat, race and get lost")
struct DeliveryTests {
  private let fixture = RuntimeFixture()

  private func runtime(
    _ owner: String = "one", _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>
  ) async throws -> JobRuntime {
    try await fixture.runtime(owner) {
      EndpointJob("job", body)
        .retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(10)), jitter: .none))
        .timeout(.seconds(30))
    }
  }

  private func delivery(_ key: String, attempt: Int? = nil) -> Delivery {
    Delivery(job: "job", trigger: .task, occurrence: .key(key), attempt: attempt)
  }

  @Test("Of 100 copies at once, 50 times over, one each has an effect")
  func copies() async throws {
    let effects = fixture.effects
    let runtimes = [
      try await runtime("one") { context in
        effects.add("\(context.runID)")
        await Task.yield()
        return .done
      },
      try await runtime("two") { context in
        effects.add("\(context.runID)")
        return .done
      },
    ]
    for round in 0..<50 {
      let statuses = await withTaskGroup(of: DeliveryResult.Status.self) { group in
        for copy in 0..<100 {
          let runtime = runtimes[copy % 2]
          group.addTask { await runtime.deliver(delivery("\(round)")).status }
        }
        return await group.reduce(into: [DeliveryResult.Status]()) { $0.append($1) }
      }
      #expect(statuses.count { $0 == .succeeded } == 1)
      #expect(statuses.allSatisfy { [.succeeded, .duplicate, .busy].contains($0) })
    }
    #expect(effects.count == 50)
    #expect(Set(effects.list).count == 50)
  }

  @Test("A lost answer is delivered again: a duplicate, which hands the follow-up over again")
  func lostAnswer() async throws {
    let runtime = try await runtime { context in
      if context.attempt == 1 { throw JobFailure.failed("once") }
      return .done
    }
    let id = try await runtime.enqueue("job").id
    let task = try #require(fixture.queue.tasks.first)
    await fixture.deliverDue(to: runtime)
    // The instance died between its commit and the queue.
    fixture.queue.lose()
    let lossy = RecordingQueue()
    let other = try await fixture.runtime("two", queue: lossy) { EndpointJob("job") { _ in .done } }
    let response = await other.handleRequest(body: task.body.bytes, peer: .inProcess)
    #expect(response.status == 200)
    #expect(String(decoding: response.body, as: UTF8.self).contains(#""status":"duplicate""#))
    #expect(lossy.tasks.map(\.name) == ["\(id)-2"])
    #expect(lossy.tasks.first?.notBefore == RuntimeFixture.start + .seconds(10))
    fixture.clock.advance(by: .seconds(10))
    #expect(await fixture.deliverDue(to: other) == [])
    let second = await other.deliver(Delivery(job: "job", trigger: .task, runID: id, attempt: 2))
    #expect((second.status, second.attempt) == (.succeeded, 2))
    #expect(await other.deliver(Delivery(job: "job", trigger: .task, runID: id, attempt: 1)).status == .duplicate)
  }

  @Test("While the queue is down, a failed attempt asks to be delivered again, and hands over then")
  func queueDown() async throws {
    let runtime = try await runtime { _ in throw JobFailure.failed("always") }
    let id = try await runtime.enqueue("job").id
    fixture.queue.isDown = true
    #expect(await fixture.deliverDue(to: runtime, rounds: 1) == [503])
    #expect(await fixture.deliverDue(to: runtime, rounds: 1) == [503])
    fixture.queue.isDown = false
    #expect(await fixture.deliverDue(to: runtime, rounds: 1) == [200])
    #expect(fixture.queue.tasks.map(\.name) == ["\(id)-2"])
    #expect(try await fixture.run(id).attempt == 1)
  }

  @Test("A zombie's result is refused, 100 times of 100")
  func zombies() async throws {
    let gate = HandlerGate()
    let effects = fixture.effects
    let runtime = try await runtime { context in
      if context.attempt == 1 { await gate.pass() }
      effects.add("\(context.attempt)")
      return .done
    }
    let zombies = await withTaskGroup(of: DeliveryResult.Status.self) { group in
      for number in 0..<100 { group.addTask { await runtime.deliver(delivery("\(number)")).status } }
      await gate.arrivals(100)
      // The handlers ignore their cancellation, so that the leases run out over them.
      fixture.clock.advance(by: .seconds(45))
      for number in 0..<100 {
        let result = await runtime.deliver(delivery("\(number)"))
        #expect((result.status, result.attempt) == (.succeeded, 2))
      }
      gate.open()
      return await group.reduce(into: [DeliveryResult.Status]()) { $0.append($1) }
    }
    #expect(zombies == Array(repeating: .leaseLost, count: 100))
    let runs = try await fixture.runs()
    #expect(runs.count == 100)
    #expect(runs.allSatisfy { ($0.status, $0.attempt, $0.failures) == (.succeeded, 2, 1) })
  }

  @Test("A zombie can't bring back a run that was buried")
  func buried() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in
        await gate.pass()
        return .done
      }.retry(.never).timeout(.seconds(30))
    }
    async let zombie = runtime.deliver(delivery("one"))
    await gate.arrivals()
    fixture.clock.advance(by: .seconds(45) - .microseconds(1))
    let early = await runtime.deliver(delivery("one"))
    #expect((early.status, early.retryAt) == (.busy, RuntimeFixture.start + .seconds(45)))
    fixture.clock.advance(by: .microseconds(1))
    #expect(await runtime.deliver(delivery("one")).status == .deadLettered)
    gate.open()
    #expect(await zombie.status == .leaseLost)
    let run = try await fixture.run(RunID(job: "job", occurrence: .key("one")))
    #expect((run.status, run.failure?.kind) == (.failed, "leaseLost"))
  }

  @Test(
    "A fault in any commit loses nothing, and counts no failure where the answer alone was lost",
    arguments: Fault.allCases, 1...7)
  func faults(_ fault: Fault, number: Int) async throws {
    let effects = fixture.effects
    let runtime = try await runtime { context in
      effects.add("\(context.attempt)")
      if context.attempt == 1 { throw JobFailure.failed("once") }
      return .done
    }
    fixture.store.fail(commit: number, fault)
    var enqueued: RunID?
    for _ in 0..<3 where enqueued == nil { enqueued = try? await runtime.enqueue("job", key: "one").id }
    let id = try #require(enqueued)
    for _ in 0..<12 {
      await fixture.deliverDue(to: runtime, rounds: 1)
      fixture.clock.advance(by: .seconds(10))
    }
    let run = try await fixture.run(id)
    #expect(run.status == .succeeded)
    // Work is repeated only where its end never reached the store: the lease had to run out.
    let isRepeated = fault == .unavailable && number == 5
    #expect(run.failures == (isRepeated ? 2 : 1))
    #expect(effects.count == (isRepeated ? 3 : 2))
    #expect(fixture.queue.tasks.isEmpty)
  }

  @Test("A claim whose answer was lost is confirmed and executed once", arguments: [Fault.lostBefore, .lostAfter])
  func confirmed(_ fault: Fault) async throws {
    let effects = fixture.effects
    let runtime = try await runtime { _ in
      effects.add("ran")
      return .done
    }
    fixture.store.fail(commit: 1, fault)
    let result = await runtime.deliver(delivery("one"))
    #expect((result.status, result.attempt) == (.succeeded, 1))
    let run = try await fixture.run(result.runID)
    #expect((run.failures, run.fence, effects.count) == (0, 1, 1))
  }

  @Test("A claim that took effect only after it was looked for is still ours")
  func lateClaim() async throws {
    let effects = fixture.effects
    let runtime = try await runtime { _ in
      effects.add("ran")
      return .done
    }
    // The first try is lost on its way, and arrives just before the second.
    fixture.store.fail(commit: 1, .lostBefore)
    let memory = fixture.memory
    let commits = Effects()
    fixture.store.onCommit { writes in
      if commits.number() == 2 { _ = try? await memory.commit(writes) }
    }
    let result = await runtime.deliver(delivery("one"))
    #expect((result.status, result.attempt, effects.count) == (.succeeded, 1, 1))
  }

  @Test("While the store is away, the answer is 503 and nothing is executed")
  func storeDown() async throws {
    let effects = fixture.effects
    let runtime = try await runtime { _ in
      effects.add("ran")
      return .done
    }
    fixture.store.isDown = true
    let result = await runtime.deliver(delivery("one"))
    #expect((result.status, result.error?.code) == (.rejected, .storeUnavailable))
    #expect(effects.count == 0)
    fixture.store.isDown = false
    #expect(await runtime.deliver(delivery("one")).status == .succeeded)
  }

  @Test("A delivery that names no occurrence is a run of its own each time")
  func anonymous() async throws {
    let runtime = try await runtime { _ in .done }
    let first = await runtime.deliver(Delivery(job: "job", trigger: .manual))
    let second = await runtime.deliver(Delivery(job: "job", trigger: .manual))
    #expect((first.status, second.status) == (.succeeded, .succeeded))
    #expect(first.runID != second.runID)
  }

  @Test("A task for a run that was deleted does not bring it back")
  func deleted() async throws {
    let runtime = try await runtime { _ in throw JobFailure.failed("once") }
    let id = try await runtime.enqueue("job").id
    await fixture.deliverDue(to: runtime)
    _ = try await fixture.memory.commit([.deleteRun(id, .none)])
    fixture.clock.advance(by: .seconds(10))
    #expect(await fixture.deliverDue(to: runtime, rounds: 1) == [404])
    #expect(try await fixture.runs().isEmpty)
  }
}
