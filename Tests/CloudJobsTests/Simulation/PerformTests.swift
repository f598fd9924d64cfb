import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Testing

@Suite("An attempt that a test performs")
struct PerformTests {
  @Test("returns the handler's result, and its sleep takes virtual time only")
  func result() async throws {
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry())
    let start = local.now
    #expect(try await local.perform(Doubling(number: 21)) == 42)
    #expect(local.now == start + .minutes(1))
    #expect(try await local.perform("double", ["number": 4])?.decode(Int.self) == 8)
    #expect(try await local.run(Doubling(number: 5)) == 10)
  }

  @Test("leaves what the handler enqueues in the queue")
  func children() async throws {
    let effects = Effects()
    let registry = try SimulatedJobs.registry(effects)
      .replacing(SignUp.self) { user, context in
        try await context.enqueue(Mail(userID: user.userID))
        // Time passes here, and still nothing is delivered.
        try await context.clock.sleep(for: .minutes(2))
        return NoOutput()
      }
    let local = try await JobRuntime.simulated(registry)
    try await local.perform(SignUp(userID: "7"))
    try await local.assertEnqueued(Mail(userID: "7"), count: 1)
    #expect(effects.list == [])
    try await local.drain()
    #expect(effects.list == ["mail 7"])
  }

  @Test("throws the error that the handler threw, and no other attempt follows")
  func failure() async throws {
    let effects = Effects()
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry(effects))
    await #expect(throws: MailError(code: 1)) { try await local.perform(Mail(userID: "7", failures: 2)) }
    try await local.assertNotEnqueued(Mail.self)
    try await local.advance(by: .hours(1))
    #expect(effects.count == 1)
  }

  @Test("returns other outcomes, which are no results")
  func outcomes() async throws {
    let registry = try JobRegistry {
      EndpointJob(Doubling.self) { double, _ -> JobOutcome<Int> in
        switch double.number {
        case 1: .snooze(.seconds(30))
        case 2: .cancel(reason: "There is no such number.")
        case 3: .continue(from: 7, after: .seconds(5))
        default: .done(0)
        }
      }
    }
    let local = try await JobRuntime.simulated(registry)
    for (number, text) in [
      (1, "a snooze of 30.0 seconds"), (2, "its cancellation: There is no such number."),
      (3, "its continuation after 5.0 seconds"),
    ] {
      let failure = await #expect(throws: TestFailure.self) { try await local.perform(Doubling(number: number)) }
      #expect(failure?.expected == "a result of double" && failure?.found == text)
    }
    guard case .snooze(let span) = try await local.outcome(performing: Doubling(number: 1)) else {
      Issue.record("no snooze")
      return
    }
    #expect(span == .seconds(30))
    guard case .done(0) = try await local.outcome(performing: Doubling(number: 9)) else {
      Issue.record("no result")
      return
    }
    #expect(try await local.enqueued().isEmpty)
  }

  @Test("is told from an attempt that did not take place")
  func notPerformed() async throws {
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry())
    await #expect {
      try await local.perform("double", ["number": "seven"])
    } throws: {
      ($0 as? JobError)?.code == .invalidInput
    }
    await #expect {
      try await local.perform("unknown")
    } throws: {
      ($0 as? JobError)?.code == .unknownJob
    }
    try await local.runtime.setEnabled(false, for: "mail")
    let failure = await #expect(throws: TestFailure.self) { try await local.perform(Mail(userID: "7")) }
    #expect(
      failure?.description.hasSuffix("expected an attempt of mail, but found skipped: The job is disabled.") == true)
  }

  @Test("of a periodic job has the time that the test gives it")
  func occurrence() async throws {
    let effects = Effects()
    let registry = try JobRegistry {
      PeriodicJob("daily", cron: "0 3 * * *") { context in
        effects.add("\(context.trigger.rawValue) \(context.scheduledFor.map { "\($0)" } ?? "never")")
      }
    }
    let local = try await JobRuntime.simulated(registry)
    let time = try #require(Timestamp(rfc3339: "2026-03-01T03:00:00Z"))
    try await local.perform("daily", scheduledFor: time)
    #expect(effects.list == ["manual 2026-03-01T03:00:00Z"])
  }

  @Test("is cancelled at the job's time limit")
  func timeLimit() async throws {
    let registry = try JobRegistry {
      EndpointJob("slow") { context in try await context.clock.sleep(for: .hours(1)) }.timeout(.seconds(30))
    }
    let local = try await JobRuntime.simulated(registry)
    let start = local.now
    await #expect {
      try await local.perform("slow")
    } throws: {
      ($0 as? JobError)?.code == .timedOut
    }
    #expect(local.now == start + .seconds(30))
  }

  @Test("has another handler, if the test replaces it or lets it fail at first")
  func replacedHandlers() async throws {
    let registry = try SimulatedJobs.registry()
      .replacing("double") { attempt in .done(JSONText(.integer((attempt.input?.value["number"]?.integer ?? 0) + 1))) }
      .failing("mail", first: 2, with: MailError(code: 503))
    let local = try await JobRuntime.simulated(registry)
    #expect(try await local.perform(Doubling(number: 4)) == 5)
    await #expect(throws: MailError(code: 503)) { try await local.perform(Mail(userID: "7")) }
    try await local.enqueue(Mail(userID: "8"))
    #expect(try await local.drain().runs.map(\.attempt) == [3])
    #expect(throws: JobError.self) { try registry.failing("unknown", first: 1) }
  }
}
