import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Sweep of what was lost")
struct SweepTests {
  /// A time in the first minute of a span between housekeepings.
  private let fixture = RuntimeFixture(RuntimeFixture.time("2026-11-21T10:00:10Z"))

  private func runtime(
    _ owner: String = "one", in fixture: RuntimeFixture, queue: (any TaskQueue)? = nil, gate: HandlerGate? = nil
  ) async throws -> JobRuntime {
    let effects = fixture.effects
    return try await fixture.runtime(owner, queue: queue) {
      EndpointJob("job") { context in
        let number = effects.number("\(context.attempt)")
        if number == 1 { await gate?.pass() }
        return .done
      }.timeout(.seconds(30)).retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(10)), jitter: .none))
    }
  }

  @Test("A run whose task was lost is handed over again under another name, after 60 s and not before")
  func lostTask() async throws {
    let runtime = try await runtime(in: fixture)
    let id = try await runtime.enqueue("job").id
    fixture.queue.lose()
    fixture.clock.advance(by: .seconds(60) - .microseconds(1) - .seconds(20))
    #expect(await runtime.runMasterPass().recovered == 0)
    fixture.clock.advance(by: .seconds(20) + .minutes(4))
    #expect(await runtime.runMasterPass().recovered == 1)
    #expect(fixture.queue.tasks.map(\.name) == ["\(id)-1-1"])
    #expect(await runtime.runMasterPass().recovered == 0)
    #expect(await fixture.deliverDue(to: runtime) == [200])
    #expect(try await fixture.run(id).status == .succeeded)
    fixture.clock.advance(by: .minutes(5))
    #expect(await runtime.runMasterPass().recovered == 0)
  }

  @Test("A crashed attempt is found by its lease and counts as one")
  func crashed() async throws {
    let gate = HandlerGate()
    let dying = try await runtime("dying", in: fixture, gate: gate)
    let id = try await dying.enqueue("job").id
    let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
    async let zombie = dying.handleRequest(body: task.body.bytes, peer: .inProcess)
    await gate.arrivals()
    fixture.clock.advance(by: .minutes(5))
    let other = try await runtime("other", in: fixture)
    #expect(await other.runMasterPass().recovered == 1)
    #expect(await fixture.deliverDue(to: other) == [200])
    let run = try await fixture.run(id)
    #expect((run.status, run.attempt, run.failures) == (.succeeded, 2, 1))
    gate.open()
    #expect(await zombie.status == 409)
    #expect(try await fixture.run(id) == run)
  }

  @Test("Sweeps happen in the first minute of each span only, as they cost a query")
  func spans() async throws {
    let runtime = try await runtime(in: fixture)
    for minute in 0..<11 {
      fixture.store.reset()
      _ = await runtime.runMasterPass()
      #expect(fixture.store.counts.queries == (minute % 5 == 0 ? 2 : 1))
      fixture.clock.advance(by: .minutes(1))
    }
  }

  @Test("Two passes at once count each run that they set going once", arguments: 0..<10)
  func twoPasses(round: Int) async throws {
    let fixture = RuntimeFixture()
    let one = try await runtime("one", in: fixture, queue: .store)
    let two = try await runtime("two", in: fixture, queue: .store)
    try await one.enqueue((0..<4).map { EnqueueRequest("job", key: "\(round)-\($0)") })
    async let first = one.runMasterPass()
    async let second = two.runMasterPass()
    #expect(await first.recovered + second.recovered == 4)
    #expect(fixture.effects.count == 4)
  }

  @Test("With the store as queue, each pass executes what waits, retries and crashes included")
  func storeQueue() async throws {
    let fixture = RuntimeFixture()
    let effects = fixture.effects
    let runtime = try await fixture.runtime(queue: .store) {
      EndpointJob("job") { context in
        effects.add("\(context.attempt)")
        if context.attempt == 1 { throw JobFailure.failed("once") }
        return .done
      }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(10)), jitter: .none))
    }
    let id = try await runtime.enqueue("job").id
    let later = try await runtime.enqueue("job", after: .minutes(1)).id
    #expect(await runtime.runMasterPass().recovered == 1)
    #expect(try await fixture.run(id).status == .scheduled)
    #expect(await runtime.runMasterPass().recovered == 0)
    fixture.clock.advance(by: .seconds(10))
    #expect(await runtime.runMasterPass().recovered == 1)
    #expect(try await fixture.run(id).status == .succeeded)
    #expect(effects.list == ["1", "2"])
    fixture.clock.advance(by: .seconds(50))
    #expect(await runtime.runMasterPass().recovered == 1)
    #expect(try await fixture.run(later).attempt == 1)
  }

  @Test("With the store as queue, a crashed attempt is taken up when its lease has run out")
  func storeQueueCrash() async throws {
    let gate = HandlerGate()
    let runtime = try await runtime(in: fixture, queue: .store, gate: gate)
    let id = try await runtime.enqueue("job").id
    async let zombie = runtime.runMasterPass()
    await gate.arrivals()
    fixture.clock.advance(by: .seconds(45) - .microseconds(1))
    #expect(await runtime.runMasterPass().recovered == 0)
    fixture.clock.advance(by: .microseconds(1))
    #expect(await runtime.runMasterPass().recovered == 1)
    gate.open()
    _ = await zombie
    let run = try await fixture.run(id)
    #expect((run.status, run.attempt, run.failures) == (.succeeded, 2, 1))
  }

  @Test("A store that goes away in a sweep is told, and the next sweep goes on", arguments: [1, 2, 3])
  func storeGoesAway(number: Int) async throws {
    let runtime = try await runtime(in: fixture)
    for key in ["a", "b", "c"] { try await runtime.enqueue("job", key: key) }
    fixture.queue.lose()
    fixture.clock.advance(by: .minutes(5))
    fixture.store.fail(commit: number, .unavailable)
    #expect(await runtime.runMasterPass().error?.code == .storeUnavailable)
    #expect(await runtime.runMasterPass().error == nil)
    #expect(fixture.queue.tasks.count == 3)
    await fixture.deliverDue(to: runtime)
    #expect(fixture.effects.count == 3)
  }

  @Test("Taking over sets going at once what a dead process left, and refuses what it still brings")
  func takeOver() async throws {
    let gate = HandlerGate()
    let dying = try await runtime("dying", in: fixture, gate: gate)
    let running = try await dying.enqueue("job", key: "a").id
    let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
    async let zombie = dying.handleRequest(body: task.body.bytes, peer: .inProcess)
    await gate.arrivals()
    let waiting = try await dying.enqueue("job", key: "b").id
    let later = try await dying.enqueue("job", after: .hours(1), key: "c").id
    fixture.queue.lose()
    let other = try await runtime("other", in: fixture)
    #expect(try await other.takeOver() == 3)
    #expect(Set(fixture.queue.tasks.map(\.name)) == ["\(running)-2", "\(waiting)-1-1", "\(later)-1-1"])
    #expect(await fixture.deliverDue(to: other) == [200, 200])
    gate.open()
    #expect(await zombie.status == 409)
    let run = try await fixture.run(running)
    #expect((run.status, run.attempt, run.failures) == (.succeeded, 2, 0))
    #expect(try await fixture.run(waiting).status == .succeeded)
    #expect(try await fixture.run(later).notBefore == RuntimeFixture.time("2026-11-21T11:00:10Z"))
  }

  @Test("Taking over cancels the runs whose cancellation was requested")
  func takeOverCancelled() async throws {
    let gate = HandlerGate()
    let dying = try await runtime("dying", in: fixture, gate: gate)
    let running = try await dying.enqueue("job", key: "a").id
    let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
    async let zombie = dying.handleRequest(body: task.body.bytes, peer: .inProcess)
    await gate.arrivals()
    let other = try await runtime("other", in: fixture)
    try await other.cancel(run: running)
    fixture.queue.lose()
    #expect(try await other.takeOver() == 1)
    #expect(try await fixture.run(running).status == .cancelled)
    #expect(fixture.queue.tasks.isEmpty)
    gate.open()
    #expect(await zombie.status == 409)
  }

  @Test("A crashed attempt of a job that is not retryable is a dead letter, and is not executed again")
  func crashedForGood() async throws {
    let gate = HandlerGate()
    let effects = fixture.effects
    let jobs: @Sendable () -> [any JobHandler] = {
      [
        EndpointJob("job") { context in
          effects.add("\(context.attempt)")
          if context.attempt == 1 { await gate.pass() }
          return .done
        }.timeout(.seconds(30)).retry(RetryPolicy(maxAttempts: 9)).descriptor(JobDescriptor(isRetryable: false))
      ]
    }
    let dying = try await fixture.runtime("dying") { jobs() }
    let id = try await dying.enqueue("job").id
    let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
    async let zombie = dying.handleRequest(body: task.body.bytes, peer: .inProcess)
    await gate.arrivals()
    fixture.clock.advance(by: .minutes(5))
    let other = try await fixture.runtime("other") { jobs() }
    #expect(await other.runMasterPass().recovered == 1)
    #expect(await fixture.deliverDue(to: other) == [200])
    let run = try await fixture.run(id)
    #expect((run.status, run.attempt, run.failures, run.failure?.kind) == (.failed, 1, 1, "leaseLost"))
    gate.open()
    #expect(await zombie.status == 409)
    #expect(effects.list == ["1"])
  }
}
