import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Attempts")
struct AttemptTests {
  private let fixture = RuntimeFixture()

  struct Pair: Codable, Hashable {
    var left: Int
    var right: Int
  }

  private struct Oops: Error, CustomStringConvertible {
    var description: String { "It broke." }
  }

  private func flat(_ attempts: Int) -> RetryPolicy {
    RetryPolicy(maxAttempts: attempts, backoff: .fixed(.seconds(10)), jitter: .none)
  }

  private func runtime(
    _ policy: RetryPolicy? = nil, queue: (any TaskQueue)? = nil,
    _ body: @escaping @Sendable (Int, JobContext) async throws -> JobOutcome<NoOutput>
  ) async throws -> JobRuntime {
    let effects = fixture.effects
    return try await fixture.runtime(queue: queue) {
      EndpointJob("job") { context in return try await body(effects.number(), context) }.retry(policy ?? flat(3))
    }
  }

  @Test("Input and output are typed")
  func typed() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("add", input: Pair.self, output: Int.self) { pair, _ in .done(pair.left + pair.right) }
    }
    let result = try await runtime.run("add", Pair(left: 2, right: 3))
    #expect((result.status, result.attempt) == (.succeeded, 1))
    let run = try await fixture.run(result.runID)
    #expect((run.output?.description, run.input?.description) == ("5", #"{"left":2,"right":3}"#))
  }

  @Test("A payload that does not fit is a dead letter at once, whose message tells no value")
  func invalidInput() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("add", input: Pair.self) { _, _ in .done }
    }
    func deliver(_ payload: JSONValue) async -> DeliveryResult {
      await runtime.deliver(Delivery(job: "add", trigger: .task, payload: JSONText(payload)))
    }
    let result = await deliver(["left": "secret", "right": "secret"])
    #expect((result.status, result.attempt) == (.deadLettered, 1))
    let run = try await fixture.run(result.runID)
    #expect((run.status, run.failure?.kind) == (.failed, "invalidInput"))
    #expect(run.failure?.message == "The payload does not fit the job's input: at payload.left, expected Int.")
    let missing = try await fixture.run(await deliver(["left": 1]).runID)
    #expect(missing.failure?.message.contains("the field right is missing") == true)
    #expect(fixture.queue.tasks.isEmpty)
  }

  @Test("An output that can't be kept is a dead letter: the work is done and must not be repeated")
  func invalidOutput() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("add", input: NoInput.self, output: Double.self) { _, _ in .done(.nan) }
    }
    let result = try await runtime.run("add")
    #expect(result.status == .deadLettered)
    #expect(try await fixture.run(result.runID).failure?.kind == "invalidOutput")
  }

  @Test("A failure is tried again by the policy, under deterministic task names, until it succeeds")
  func retries() async throws {
    let runtime = try await runtime { number, context in
      #expect((context.attempt, context.fence, context.maxAttempts) == (number, Int64(number), 3))
      if number < 3 { throw Oops() }
      return .done
    }
    let id = try await runtime.enqueue("job").id
    #expect(await fixture.deliverDue(to: runtime) == [200])
    let waiting = try await fixture.run(id)
    #expect(
      (waiting.status, waiting.failures, waiting.notBefore) == (.scheduled, 1, RuntimeFixture.start + .seconds(10)))
    #expect(waiting.failure == RunFailure(kind: "Oops", message: "It broke."))
    #expect(await fixture.deliverDue(to: runtime) == [])
    for _ in 0..<2 {
      fixture.clock.advance(by: .seconds(10))
      #expect(await fixture.deliverDue(to: runtime) == [200])
    }
    #expect(fixture.queue.names == ["\(id)-1", "\(id)-2", "\(id)-3"])
    let done = try await fixture.run(id)
    #expect((done.status, done.attempt, done.failures, done.failure) == (.succeeded, 3, 2, nil))
    #expect((done.startedAt, done.finishedAt) == (RuntimeFixture.start, RuntimeFixture.start + .seconds(20)))
  }

  @Test("When the attempts are used up, the run is a dead letter, and the answer is 200")
  func dead() async throws {
    let runtime = try await runtime(flat(2)) { _, _ in throw Oops() }
    let id = try await runtime.enqueue("job").id
    #expect(await fixture.deliverDue(to: runtime) == [200])
    fixture.clock.advance(by: .seconds(10))
    #expect(await fixture.deliverDue(to: runtime) == [200])
    let run = try await fixture.run(id)
    #expect((run.status, run.failures, run.reason) == (.failed, 2, "All 2 attempts are used up."))
    #expect(run.expireAt == RuntimeFixture.start + .seconds(10) + .days(90))
    #expect(fixture.queue.tasks.isEmpty)
  }

  @Test("A failure may say that it is permanent, or when to try again")
  func kinds() async throws {
    let runtime = try await runtime { number, _ in
      switch number {
      case 1: throw JobFailure.retry(after: .seconds(77), "Slow down.", kind: "quota")
      case 2: throw JobFailure.failed("Not yet.")
      default: throw JobFailure.permanent("No such user.", kind: "gone")
      }
    }
    let id = try await runtime.enqueue("job").id
    await fixture.deliverDue(to: runtime)
    var run = try await fixture.run(id)
    #expect((run.failure?.kind, run.notBefore) == ("quota", RuntimeFixture.start + .seconds(77)))
    fixture.clock.advance(by: .seconds(77))
    await fixture.deliverDue(to: runtime)
    run = try await fixture.run(id)
    #expect((run.failure?.kind, run.notBefore) == ("failure", RuntimeFixture.start + .seconds(87)))
    fixture.clock.advance(by: .seconds(10))
    await fixture.deliverDue(to: runtime)
    run = try await fixture.run(id)
    #expect((run.status, run.failure?.kind, run.attempt) == (.failed, "gone", 3))
  }

  @Test("A snooze costs no attempt of the policy")
  func snooze() async throws {
    let runtime = try await runtime(.never) { number, _ in number < 6 ? .snooze(.seconds(30)) : .done }
    let id = try await runtime.enqueue("job").id
    for _ in 0..<6 {
      #expect(await fixture.deliverDue(to: runtime) == [200])
      fixture.clock.advance(by: .seconds(30))
    }
    let run = try await fixture.run(id)
    #expect((run.status, run.failures, run.attempt) == (.succeeded, 0, 6))
    #expect(fixture.queue.names.count == 6)
  }

  @Test("A handler may cancel its run")
  func cancel() async throws {
    let runtime = try await runtime { _, _ in .cancel(reason: "The order was withdrawn.") }
    let result = try await runtime.run("job")
    #expect((result.status, result.reason) == (.cancelled, "The order was withdrawn."))
    let run = try await fixture.run(result.runID)
    #expect((run.status, run.reason, run.failures) == (.cancelled, "The order was withdrawn.", 0))
  }

  @Test("An attempt that takes longer than its time limit has failed")
  func timeout() async throws {
    let clock = fixture.clock
    let arrived = HandlerGate()
    arrived.open()
    let runtime = try await fixture.runtime {
      EndpointJob("slow") { context in
        #expect(context.timeRemaining == .seconds(30))
        await arrived.pass()
        try await clock.sleep(until: .distantFuture)
        return .done
      }.timeout(.seconds(30)).retry(flat(3))
    }
    async let result = runtime.run("slow", key: "one")
    await arrived.arrivals()
    while clock.sleeperCount < 2 { await Task.yield() }
    clock.advance(by: .seconds(30) - .microseconds(1))
    // The one timer of all attempts sleeps again, and so does the handler.
    while clock.sleeperCount < 2 { await Task.yield() }
    clock.advance(by: .microseconds(1))
    #expect(try await result.status == .retrying)
    let run = try await fixture.run(RunID(job: "slow", occurrence: .key("one")))
    #expect((run.status, run.failure?.kind, run.failures) == (.scheduled, "timeout", 1))
    #expect(run.notBefore == RuntimeFixture.start + .seconds(40))
    #expect(clock.sleeperCount == 0)
  }

  @Test("Run now passes every gate but enabled, and a key repeats nothing")
  func runNow() async throws {
    let effects = fixture.effects
    let runtime = try await fixture.runtime {
      PeriodicJob("report", every: .hours(1)) { context in
        #expect(context.trigger == .manual)
        effects.add("ran")
        return .done
      }.active(from: .instant(.distantFuture)).depends(on: "other")
      EndpointJob("other") { _ in .done }
      EndpointJob("off") { _ in .done }.enabled(false)
    }
    #expect(try await runtime.run("report", key: "a").status == .succeeded)
    #expect(try await runtime.run("report", key: "a").status == .duplicate)
    #expect(fixture.effects.count == 1)
    #expect(try await runtime.run("off").status == .skipped)
    #expect(try await runtime.run("nothing").error?.code == .unknownJob)
    let document = try await fixture.document("report")
    #expect((document.state.status, document.state.lastRun) == (.success, RuntimeFixture.start))
  }

  @Test("An endpoint whose runs must not overlap lets the second one pass or wait")
  func endpointOverlap() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("skips") { _ in
        await gate.pass()
        return .done
      }.overlap(.skip)
      EndpointJob("waits") { _ in
        await gate.pass()
        return .done
      }.overlap(.queue)
    }
    func deliver(_ job: JobID, _ key: String) async -> DeliveryResult.Status {
      await runtime.deliver(Delivery(job: job, trigger: .task, occurrence: .key(key))).status
    }
    async let skips = deliver("skips", "a")
    async let waits = deliver("waits", "a")
    await gate.arrivals(2)
    #expect(await deliver("skips", "b") == .skipped)
    #expect(await deliver("waits", "b") == .waiting)
    #expect(await deliver("waits", "c") == .waiting)
    gate.open()
    #expect(await (skips, waits) == (.succeeded, .succeeded))
    fixture.clock.advance(by: .seconds(30))
    #expect(await fixture.deliverDue(to: runtime) == [200, 200])
    #expect(try await fixture.runs().map(\.status) == [.succeeded, .succeeded, .succeeded, .succeeded])
  }

  @Test("Where the caller owns the retries, a failure is answered 500 and the redelivery goes on")
  func callerRetries() async throws {
    let runtime = try await runtime(queue: .caller) { number, _ in
      if number == 1 { throw Oops() }
      return .done
    }
    let body = Array(#"{"jobId":"job","runId":"mine"}"#.utf8)
    let first = await runtime.handleRequest(body: body, peer: .inProcess)
    #expect(first.status == 500)
    #expect(String(decoding: first.body, as: UTF8.self).contains("handlerFailed"))
    #expect(await runtime.handleRequest(body: body, peer: .inProcess).status == 200)
    #expect(await runtime.handleRequest(body: body, peer: .inProcess).status == 200)
    #expect(fixture.effects.count == 2)
  }
}
