import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Testing

@Suite("A drain of a simulation")
struct SimulatedDrainTests {
  @Test("goes through delays, retries, and the runs that handlers enqueue")
  func everything() async throws {
    let effects = Effects()
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry(effects))
    try await local.enqueue(SignUp(userID: "7"))
    try await local.enqueue(Mail(userID: "8", failures: 2))
    let drained = try await local.drain()
    #expect((drained.succeeded, drained.failed, drained.cancelled) == (3, 0, 0))
    #expect(drained.runs.map(\.job) == ["sign_up", "mail", "mail"])
    #expect(drained.runs.map(\.attempt) == [1, 3, 1])
    #expect((Duration.hours(2)...(.hours(2) + .minutes(1))).contains(drained.span), "\(drained.span)")
    #expect(effects.count == 5)
    #expect(try await local.enqueued().isEmpty)
  }

  @Test("ends at once if nothing is enqueued")
  func nothing() async throws {
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry())
    let start = local.now
    let drained = try await local.drain()
    #expect(drained.runs.isEmpty && drained.span == .zero && local.now == start)
  }

  @Test("lets schedules fire as time passes, and waits neither for their runs nor for those that these enqueue")
  func schedules() async throws {
    let registry = try JobRegistry {
      PeriodicJob("poll", every: .minutes(1)) { context in try await context.enqueue("child") }
      // At any time, one of these is under way.
      EndpointJob("child") { context in try await context.clock.sleep(for: .seconds(90)) }
      EndpointJob("own") { context in if context.attempt == 1 { throw JobFailure.failed("Not yet.") } }
        .retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(610)), jitter: .none))
    }
    let local = try await JobRuntime.simulated(registry)
    try await local.enqueue("own")
    let drained = try await local.drain()
    #expect(drained.runs.map(\.job) == ["own"])
    #expect(local.outcomes(of: "poll").count == 10)
    #expect(try await !local.enqueued("child").isEmpty)
  }

  @Test("waits for a run that a schedule has created before")
  func earlierOccurrence() async throws {
    let registry = try JobRegistry {
      PeriodicJob("hourly", every: .hours(1)) { context in
        if context.attempt == 1 { throw JobFailure.failed("Not yet.") }
      }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.minutes(10)), jitter: .none))
    }
    let local = try await JobRuntime.simulated(registry)
    try await local.advance(by: .hours(1))
    #expect(try await local.drain().succeeded == 1)
    #expect(local.outcomes(of: "hourly") == [.retrying, .succeeded])
  }

  @Test("counts dead letters and cancelled runs, and describes them")
  func failures() async throws {
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry())
    try await local.enqueue(Mail(userID: "7", failures: 9))
    let cancelled = try await local.enqueue(Mail(userID: "8"), after: .hours(1)).id
    try await local.runtime.cancel(run: cancelled, because: "The order was withdrawn.")
    try await local.enqueue(Mail(userID: "9"))
    let drained = try await local.drain()
    #expect((drained.succeeded, drained.failed, drained.cancelled) == (1, 1, 0), "one was cancelled before")
    #expect(drained.description.hasPrefix("1 succeeded, 1 failed, 0 cancelled in "))
    #expect(drained.description.contains("MailError: MailError(code: 4)"))
  }

  @Test("does not wait for a run that another one replaces")
  func replaced() async throws {
    let unique = Uniqueness("one", onConflict: .replace)
    let registry = try JobRegistry {
      EndpointJob("replace") { context in try await context.enqueue("late", unique: unique) }
      EndpointJob("late") { _ in }
    }
    let local = try await JobRuntime.simulated(registry)
    try await local.enqueue("late", after: .hours(20), unique: unique)
    try await local.enqueue("replace", after: .seconds(30))
    let drained = try await local.drain()
    #expect((drained.succeeded, drained.cancelled) == (2, 1))
    #expect(drained.span < .hours(1), "\(drained.span)")
  }

  @Test("names the runs that are left at its limit of time, with their reasons")
  func timeLimit() async throws {
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry())
    try await local.runtime.pauseAll()
    let id = try await local.enqueue(Mail(userID: "7"), key: "welcome-7").id
    let start = local.now
    let failure = await #expect(throws: TestFailure.self) { try await local.drain(within: .hours(3)) }
    #expect(local.now == start + .hours(3))
    let text = try #require(failure?.description)
    #expect(text.contains("SimulatedDrainTests.swift:"))
    #expect(text.contains("expected no enqueued run after \(Duration.hours(3)), but found 1:"))
    #expect(text.contains("mail \(id.rawValue.prefix(12)): scheduled"))
    #expect(text.contains("key welcome-7") && text.contains("The job is paused."))
  }

  @Test("ends at its limit of attempts if handlers enqueue without end")
  func attemptLimit() async throws {
    let registry = try JobRegistry {
      EndpointJob("endless") { context in try await context.enqueue("endless") }
    }
    let local = try await JobRuntime.simulated(registry)
    try await local.enqueue("endless")
    let failure = await #expect(throws: TestFailure.self) { try await local.drain(attempts: 200) }
    #expect(failure?.expected == "no enqueued run after 200 attempts")
    #expect(local.outcomes(of: "endless").count < 5_000, "the limit is noticed soon")
  }
}
