import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import Testing

/// The causes of runs, each produced by the runtime itself.
@Suite("Why a run is in its state")
struct RunCauseTests {
  private let fixture = RuntimeFixture()
  private let once = RetryPolicy.never
  private let thrice = RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(30)), jitter: .none)

  /// Enqueues a run of the job `job`, delivers what is due, and asks why it is in its state.
  private func explanation(
    after delay: Duration = .zero, options: RuntimeOptions? = nil, delivers: Bool = true,
    _ meanwhile: (JobRuntime, EnqueuedRun) async throws -> Void = { _, _ in }, of job: any JobHandler
  ) async throws -> Explanation {
    let runtime = try await fixture.runtime(options: options) { [job] }
    let run = try await runtime.enqueue("job", after: delay)
    if delivers { await fixture.deliverDue(to: runtime, rounds: 1) }
    try await meanwhile(runtime, run)
    return try await runtime.why(run: run.id)
  }

  private func expect(
    _ found: Explanation, _ verdict: Explanation.Verdict, _ cause: ExplanationCause, _ part: String = "",
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(found.verdict == verdict && found.cause == cause, "\(found.summary)", sourceLocation: location)
    let texts = [found.summary] + found.facts.map(\.text)
    #expect(texts.contains { part.isEmpty || $0.contains(part) }, "\(texts)", sourceLocation: location)
    #expect(!found.trigger.isEmpty && found.gates.map(\.name) == Gate.inOrder.map(\.name), sourceLocation: location)
  }

  // MARK: Ended

  @Test("It succeeded")
  func succeeded() async throws {
    let found = try await explanation(of: EndpointJob("job") { _ in .done })
    expect(found, .ran, .succeeded, "succeeded at 2026-11-21T10:02:00Z")
    #expect(found.gates.allSatisfy { $0.isOpen == true } && found.remedies == [])
  }

  @Test("Its attempts are used up")
  func attemptsUsedUp() async throws {
    let found = try await explanation(of: EndpointJob("job") { _ in throw JobFailure.failed("No paper.") }.retry(once))
    expect(found, .failed, .attemptsUsedUp, "No paper.")
    #expect(!found.remedies.isEmpty)
  }

  @Test("Its last attempt exceeded its time limit")
  func timedOut() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("job") { context in try await context.clock.sleep(until: .distantFuture) }.retry(once)
        .timeout(.seconds(10))
    }
    let run = try await runtime.enqueue("job")
    async let delivered: [Int] = fixture.deliverDue(to: runtime, rounds: 1)
    while fixture.clock.sleeperCount < 2 { await Task.yield() }
    fixture.clock.advance(by: .seconds(10))
    _ = await delivered
    expect(try await runtime.why(run: run.id), .failed, .attemptsTimedOut, "its time limit")
  }

  @Test("Its attempt was lost")
  func lost() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in await gate.pass() }.retry(once).timeout(.seconds(10))
    }
    let run = try await runtime.enqueue("job")
    async let delivered: [Int] = fixture.deliverDue(to: runtime, rounds: 1)
    await gate.arrivals()
    expect(try await runtime.why(run: run.id), .running, .running, "which may work until")
    try await runtime.cancel(run: run.id, because: "The invoice was wrong.")
    expect(try await runtime.why(run: run.id), .running, .stopping, "The invoice was wrong.")
    fixture.clock.advance(by: .minutes(2))
    expect(try await runtime.why(run: run.id), .running, .leaseExpired)
    gate.open()
    _ = await delivered
  }

  @Test("Each allowed attempt was lost")
  func lostForGood() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in await gate.pass() }.retry(once).timeout(.seconds(10))
    }
    let run = try await runtime.enqueue("job")
    async let delivered: [Int] = fixture.deliverDue(to: runtime, rounds: 1)
    await gate.arrivals()
    fixture.clock.advance(by: .minutes(2))
    let other = try await fixture.runtime("two") { EndpointJob("job") { _ in .done }.retry(once) }
    _ = await other.deliver(Delivery(job: "job", trigger: .task, runID: run.id))
    expect(try await other.why(run: run.id), .failed, .attemptsLost, "did not come back")
    gate.open()
    _ = await delivered
  }

  @Test("Its handler called the failure permanent, or its policy does not retry it")
  func permanent() async throws {
    let found = try await explanation(of: EndpointJob("job") { _ in throw JobFailure.permanent("No such user.") })
    expect(found, .failed, .failedPermanently, "No such user.")
    let policy = RetryPolicy(maxAttempts: 5, retried: .except(["quota"]))
    let other = RunCauseTests()
    let second = try await other.explanation(
      of: EndpointJob("job") { _ in throw JobFailure.failed("Too many.", kind: "quota") }.retry(policy))
    expect(second, .failed, .failureNotRetried, "quota")
  }

  @Test("Its input is none that the job takes")
  func invalidInput() async throws {
    let runtime = try await fixture.runtime { EndpointJob("job", input: [Int].self) { _, _ in .done } }
    let result = await runtime.deliver(
      Delivery(job: "job", trigger: .task, occurrence: .key("k"), payload: JSONText(.string("none"))))
    expect(try await runtime.why(run: try #require(result.runID)), .failed, .invalidInput)
  }

  @Test("It was cancelled: on request, by its handler, by a gate, for a run before it, for a later request")
  func cancelled() async throws {
    let done = EndpointJob("job") { _ in .done }
    let asked = try await explanation(
      after: .hours(1), { try await $0.cancel(run: $1.id, because: "Not wanted.") }, of: done)
    expect(asked, .cancelled, .cancelledByRequest, "Not wanted.")
    let byHandler = try await RunCauseTests().explanation(
      of: EndpointJob("job") { _ in .cancel(reason: "There is nothing to send.") })
    expect(byHandler, .cancelled, .cancelledByHandler, "There is nothing to send.")
    // A handler's own words are none of the runtime's.
    let words = [
      "The order is still open.", "It depends on you.", "The day is over.", "All in vain.", "The run of luck.",
    ]
    for reason in words {
      let own = try await RunCauseTests().explanation(of: EndpointJob("job") { _ in .cancel(reason: reason) })
      expect(own, .cancelled, .cancelledByHandler, reason)
    }
    let third = RunCauseTests()
    let byGate = try await third.explanation(
      delivers: false,
      { runtime, _ in
        try await runtime.configure("job") { $0.enabled = false }
        await third.fixture.deliverDue(to: runtime)
      }, of: done)
    expect(byGate, .cancelled, .cancelledByGate, "The job is disabled.")
    #expect(byGate.gates.first?.isOpen == false && byGate.gates.dropFirst().allSatisfy { $0.isOpen == nil })
    let fourth = RunCauseTests()
    let runtime = try await fourth.fixture.runtime {
      EndpointJob("first") { _ in throw JobFailure.permanent("No.") }
      done
    }
    let chain = try await runtime.enqueueChain([EnqueueRequest("first"), EnqueueRequest("job")])
    expect(try await runtime.why(run: chain[1].id), .waiting, .waitingForPrerequisite, "\(chain[0].id)")
    await fourth.fixture.deliverDue(to: runtime)
    expect(try await runtime.why(run: chain[1].id), .cancelled, .cancelledByPrerequisite, "must come first")
    let unique = Uniqueness("k", onConflict: .replace)
    let older = try await runtime.enqueue("job", after: .hours(1), unique: unique)
    _ = try await runtime.enqueue("job", after: .hours(1), unique: unique)
    expect(try await runtime.why(run: older.id), .cancelled, .replaced)
  }

  // MARK: Waiting

  @Test("It waits: for its retry, its snooze, its continuation, its start, its delivery")
  func waits() async throws {
    let retried = try await explanation(of: EndpointJob("job") { _ in throw JobFailure.failed("Busy.") }.retry(thrice))
    expect(retried, .waiting, .waitingForRetry, "Busy.")
    let snoozed = try await RunCauseTests().explanation(of: EndpointJob("job") { _ in .snooze(.minutes(5)) })
    expect(snoozed, .waiting, .snoozed, "2026-11-21T10:07:00Z")
    let continuing = try await RunCauseTests().explanation(
      of: EndpointJob("job") { _ in .continue(from: 7, after: .minutes(5)) })
    expect(continuing, .waiting, .continuing)
    let later = try await RunCauseTests().explanation(after: .hours(1), of: EndpointJob("job") { _ in .done })
    expect(later, .waiting, .waitingForStart, "2026-11-21T11:02:00Z")
    let waiting = try await RunCauseTests().explanation(delivers: false, of: EndpointJob("job") { _ in .done })
    expect(waiting, .waiting, .waitingForDelivery)
  }

  @Test("Its attempt was interrupted by a shutdown")
  func interrupted() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("job") { context in try await context.clock.sleep(until: .distantFuture) }
    }
    let clock = VirtualClock(start: RuntimeFixture.start)
    let run = try await runtime.enqueue("job")
    async let delivered: [Int] = fixture.deliverDue(to: runtime, rounds: 1)
    while fixture.clock.sleeperCount < 2 { await Task.yield() }
    async let left = runtime.drain(within: .zero, by: clock)
    _ = await (delivered, left)
    let found = try await fixture.runtime("two") { EndpointJob("job") { _ in .done } }.why(run: run.id)
    // It is due at once: the next delivery takes it.
    expect(found, .waiting, .waitingForDelivery, "1 lost with their process")
  }

  @Test("It waits for a worker, and none is alive")
  func worker() async throws {
    let runtime = try await JobRuntime.prepared(
      try JobRegistry { EndpointJob("job") { _ in .done } }, store: fixture.memory, queue: .store,
      authentication: .trustLoopback, options: fixture.options())
    let run = try await runtime.enqueue("job")
    let found = try await runtime.why(run: run.id)
    expect(found, .waiting, .waitingForWorker, "none is alive")
    #expect(found.remedies == ["Start a worker."])
  }

  @Test("It waits for the service for heavy work")
  func otherService() async throws {
    var options = fixture.options()
    options.heavy = .queue(RecordingQueue(.runtime))
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("job") { _ in .done }.descriptor(JobDescriptor(weight: .heavy, isRetryable: true))
    }
    let result = try await runtime.run("job", key: "k")
    expect(try await runtime.why(run: try #require(result.runID)), .waiting, .waitingForOtherService)
  }

  @Test("It waits for the earlier run, the breaker, the end of a pause")
  func waitsForGates() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("queued") { _ in await gate.pass() }.overlap(.queue)
      EndpointJob("broken") { _ in throw JobFailure.permanent("No.") }.breaker(CircuitBreaker(threshold: 1))
      EndpointJob("paused") { _ in .done }
    }
    async let first = runtime.run("queued")
    await gate.arrivals()
    let second = try await runtime.enqueue("queued")
    await fixture.deliverDue(to: runtime, rounds: 1)
    let queued = try await runtime.why(run: second.id)
    expect(queued, .waiting, .waitingForEarlierRun, "still running")
    #expect(queued.gates.last?.isOpen == false)
    gate.open()
    _ = try await first
    _ = try await runtime.enqueue("broken")
    await fixture.deliverDue(to: runtime, rounds: 1)
    let held = try await runtime.enqueue("broken")
    await fixture.deliverDue(to: runtime, rounds: 1)
    expect(try await runtime.why(run: held.id), .waiting, .waitingForBreaker, "The circuit breaker is open until")
    try await runtime.configure("paused") { $0.paused = true }
    let paused = try await runtime.enqueue("paused")
    await fixture.deliverDue(to: runtime, rounds: 1)
    expect(try await runtime.why(run: paused.id), .waiting, .waitingForResume, "The job is paused.")
  }

  @Test("It waits for room: of the job, of the group, in the rate; the holders are named")
  func limits() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("narrow") { _ in await gate.pass() }.maxConcurrent(1)
      EndpointJob("one") { _ in await gate.pass() }.group("mail", maxConcurrent: 1)
      EndpointJob("two") { _ in .done }.group("mail", maxConcurrent: 1)
      EndpointJob("rated") { _ in .done }.rate(RateLimit(1, per: .minutes(10)))
    }
    async let holder = runtime.run("narrow", key: "a")
    async let other = runtime.run("one", key: "a")
    await gate.arrivals(2)
    for (job, cause) in [("narrow", ExplanationCause.waitingForConcurrency), ("two", .waitingForGroup)] {
      let run = try await runtime.enqueue(JobID(job))
      await fixture.deliverDue(to: runtime, rounds: 1)
      expect(try await runtime.why(run: run.id), .waiting, cause, "1 of 1 at once, held by")
    }
    _ = try await runtime.run("rated")
    let rated = try await runtime.enqueue("rated")
    await fixture.deliverDue(to: runtime, rounds: 1)
    expect(try await runtime.why(run: rated.id), .waiting, .waitingForRate, "1 of 1 starts in 10m")
    gate.open()
    _ = try await (holder, other)
  }

  @Test("A run that is not stored is an error that names the field")
  func unknown() async throws {
    let runtime = try await fixture.runtime { EndpointJob("job") { _ in .done } }
    let id = RunID(job: "job", occurrence: .key("none"))
    await #expect(throws: JobError.self) { try await runtime.why(run: id) }
  }
}
