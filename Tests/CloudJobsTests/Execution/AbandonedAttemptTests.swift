import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Handlers that ignore their cancellation")
struct AbandonedAttemptTests {
  private let fixture = RuntimeFixture()

  private var options: RuntimeOptions {
    var options = fixture.options()
    options.cancellationGrace = RuntimeOptions().cancellationGrace
    return options
  }

  private func retry(_ attempts: Int) -> RetryPolicy {
    RetryPolicy(maxAttempts: attempts, backoff: .fixed(.seconds(1)), jitter: .none)
  }

  /// Lets the time limit and the grace pass, just so.
  private func pass(_ limit: Duration, grace: Duration) async {
    while fixture.clock.sleeperCount == 0 { await Task.yield() }
    fixture.clock.advance(by: limit)
    while fixture.clock.sleeperCount == 0 { await Task.yield() }
    fixture.clock.advance(by: grace)
  }

  @Test("After the grace the delivery is answered 503; the next attempt waits for the end of the lease")
  func abandoned() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("stubborn") { context in
        if context.attempt == 1 { await gate.pass() }
        return .done
      }.timeout(.seconds(30)).retry(retry(3))
    }
    let id = try await runtime.enqueue("stubborn").id
    let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
    async let response = runtime.handleRequest(body: task.body.bytes, peer: .inProcess)
    await gate.arrivals()
    await pass(.seconds(30), grace: .milliseconds(250))
    let answer = await response
    #expect(answer.status == 503)
    #expect(String(decoding: answer.body, as: UTF8.self).contains("ignored its cancellation"))
    let run = try await fixture.run(id)
    #expect((run.status, run.failures, run.failure?.kind, run.lease) == (.scheduled, 1, "timeout", nil))
    #expect((run.fence, run.notBefore) == (2, RuntimeFixture.start + .seconds(45)))
    // The queue repeats the task, which asks for an attempt that is over.
    #expect(await runtime.handleRequest(body: task.body.bytes, peer: .inProcess).status == 200)
    // The handler's late result is ignored.
    gate.open()
    #expect(await fixture.deliverDue(to: runtime) == [])
    #expect(try await fixture.run(id) == run)
    fixture.clock.advance(by: .seconds(15))
    #expect(await fixture.deliverDue(to: runtime) == [200])
    let done = try await fixture.run(id)
    #expect((done.status, done.attempt, done.failures) == (.succeeded, 2, 1))
  }

  @Test("A checkpoint excuses the attempt that saved it, and no later one")
  func checkpoint() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("stubborn") { context in
        if context.attempt == 1 { try await context.checkpoint(1) }
        await gate.pass()
        return .done
      }.timeout(.seconds(30)).retry(retry(1))
    }
    let id = try await runtime.enqueue("stubborn").id
    for (attempt, status) in [(1, RunStatus.scheduled), (2, .failed)] {
      let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
      async let response = runtime.handleRequest(body: task.body.bytes, peer: .inProcess)
      await gate.arrivals(attempt)
      await pass(.seconds(30), grace: .milliseconds(250))
      _ = await response
      #expect(try await fixture.run(id).status == status, "attempt \(attempt)")
      fixture.clock.advance(by: .seconds(15))
    }
    #expect(try await fixture.run(id).failures == 1)
    gate.open()
  }

  @Test("Its permit is kept until its lease ends, since it may still have effects")
  func keepsPermit() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("stubborn") { context in
        if context.trigger == .manual, context.attempt == 1 { await gate.pass() }
        return .done
      }.timeout(.seconds(30)).retry(retry(3)).maxConcurrent(1)
    }
    async let result = runtime.run("stubborn", key: "first")
    await gate.arrivals()
    await pass(.seconds(30), grace: .milliseconds(250))
    #expect(try await result.status == .failed)
    let second = try await runtime.enqueue("stubborn", key: "second").id
    _ = await fixture.deliverDue(to: runtime)
    #expect(try await fixture.run(second).attempt == 0)
    fixture.clock.advance(by: .seconds(16))
    for _ in 0..<30 {
      fixture.clock.advance(by: .seconds(1))
      _ = await fixture.deliverDue(to: runtime)
    }
    #expect(try await fixture.run(second).status == .succeeded)
    gate.open()
  }

  @Test("A handler that ends within the grace has failed like any other that takes too long")
  func inTime() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("slow") { _ in
        await gate.pass()
        return .done
      }.timeout(.seconds(30)).retry(retry(3))
    }
    async let result = runtime.run("slow", key: "k")
    await gate.arrivals()
    await pass(.seconds(30), grace: .milliseconds(250) - .microseconds(1))
    gate.open()
    #expect(try await result.status == .retrying)
    let run = try await fixture.run(try await result.runID)
    #expect((run.failures, run.fence) == (1, 1))
    #expect(run.notBefore == fixture.clock.now() + .seconds(1))
  }

  @Test("The last attempt is a dead letter, which nobody needs to deliver again")
  func last() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("stubborn") { _ in
        await gate.pass()
        return .done
      }.timeout(.seconds(30)).retry(.never)
    }
    async let result = runtime.run("stubborn", key: "k")
    await gate.arrivals()
    await pass(.seconds(30), grace: .milliseconds(250))
    #expect(try await result.status == .deadLettered)
    #expect(try await fixture.run(try await result.runID).failure?.kind == "timeout")
    gate.open()
  }

  @Test("Where the caller owns the retries, it is told when to deliver again")
  func caller() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime(queue: .caller, options: options) {
      EndpointJob("stubborn") { _ in
        await gate.pass()
        return .done
      }.timeout(.seconds(30)).retry(retry(3))
    }
    async let result = runtime.run("stubborn", key: "k")
    await gate.arrivals()
    await pass(.seconds(30), grace: .milliseconds(250))
    let answer = try await result
    #expect((answer.status, answer.error?.code) == (.failed, .timedOut))
    #expect(answer.retryAt == RuntimeFixture.start + .seconds(45))
    gate.open()
  }
}
