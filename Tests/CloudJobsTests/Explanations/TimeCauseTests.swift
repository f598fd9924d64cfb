import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

/// The causes of times without a run, each produced by the runtime itself.
@Suite("Why a time of a schedule has no run")
struct TimeCauseTests {
  private let fixture = RuntimeFixture()
  private let eleven = RuntimeFixture.time("2026-11-21T11:00:00Z")

  private func expect(
    _ found: Explanation, _ verdict: Explanation.Verdict, _ cause: ExplanationCause, _ part: String = "",
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(found.verdict == verdict && found.cause == cause, "\(found.summary)", sourceLocation: location)
    let texts = [found.summary] + found.facts.map(\.text)
    #expect(texts.contains { part.isEmpty || $0.contains(part) }, "\(texts)", sourceLocation: location)
    #expect(!found.trigger.isEmpty, sourceLocation: location)
  }

  private func hourly(
    _ change: (PeriodicJob<NoInput>) -> PeriodicJob<NoInput> = { $0 },
    _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput> = { _ in .done }
  ) async throws -> JobRuntime {
    let job = change(PeriodicJob("job", every: .hours(1), body))
    return try await fixture.runtime { job }
  }

  private func pass(_ runtime: JobRuntime, at text: String) async {
    fixture.advance(to: RuntimeFixture.time(text))
    _ = await runtime.runMasterPass()
  }

  @Test("It ran, late or not, and the pass that took it is named where it covers more than this time")
  func ran() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "2026-11-21T11:07:00Z")
    let found = try await runtime.why("job", at: eleven)
    expect(found, .ran, .succeeded, "the trigger came 7m later")
    #expect(found.occurrence == eleven && found.nextRun == RuntimeFixture.time("2026-11-21T12:00:00Z"))
    #expect(try await runtime.why("job").run == found.run)
  }

  @Test("A gate was closed: each by its name, with those before it open and those behind it not reached")
  func gates() async throws {
    let cases: [(ExplanationCause, Gate.Name, @Sendable (inout JobConfiguration) -> Void)] = [
      (.skippedDisabled, .enabled, { $0.enabled = false }), (.skippedPaused, .enabled, { $0.paused = true }),
      (.skippedNotStarted, .startAt, { $0.startAt = .day(CivilDate(year: 2026, month: 12, day: 1)) }),
      (.skippedEnded, .endAt, { $0.endAt = .day(CivilDate(year: 2026, month: 11, day: 20)) }),
      (.skippedDateExclusion, .skipDates, { $0.skipDates = [.day(CivilDate(year: 2026, month: 11, day: 21))] }),
      (.skippedDependencyFailed, .dependencies, { $0.dependencies = ["other"] }),
    ]
    for (cause, gate, edit) in cases {
      let test = TimeCauseTests()
      let runtime = try await test.fixture.runtime {
        PeriodicJob("job", every: .hours(1)) { _ in .done }
        EndpointJob("other") { _ in .done }
      }
      // As an operator edits the document in the store's console: the pass meets the edit when the time comes.
      let document = try await test.fixture.document("job")
      var edited = document.configuration
      edit(&edited)
      _ = try await test.fixture.memory.commit([.putConfiguration("job", edited, .none)])
      let future = try await runtime.why("job", at: eleven)
      test.expect(future, .willNotRun, cause)
      await test.pass(runtime, at: "2026-11-21T11:00:00Z")
      let found = try await runtime.why("job", at: eleven)
      test.expect(found, .didNotRun, cause)
      let place = try #require(Gate.inOrder.firstIndex { $0.name == gate })
      if cause != .skippedNotStarted {
        #expect(found.gates.prefix(place).allSatisfy { $0.isOpen == true }, "\(cause)")
        #expect(found.gates[place].isOpen == false && found.gates[place].reason != nil, "\(cause)")
        #expect(found.gates.dropFirst(place + 1).allSatisfy { $0.isOpen == nil }, "\(cause)")
      }
      // Later times too.
      await test.pass(runtime, at: "2026-11-21T13:30:00Z")
      test.expect(try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T13:00:00Z")), .didNotRun, cause)
    }
  }

  @Test("The job was disabled by its configuration, and enabled again: each time is told by the plan of its own")
  func disabledAndEnabled() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "2026-11-21T11:00:00Z")
    try await runtime.configure("job") { $0.enabled = false }
    await pass(runtime, at: "2026-11-21T13:30:00Z")
    try await runtime.configure("job") { $0.enabled = true }
    await pass(runtime, at: "2026-11-21T14:00:00Z")
    let causes: [(String, ExplanationCause)] = [
      ("11", .succeeded), ("12", .skippedDisabled), ("13", .skippedDisabled), ("14", .succeeded),
    ]
    for (hour, cause) in causes {
      let found = try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T\(hour):00:00Z"))
      #expect(found.cause == cause, "\(hour): \(found.summary)")
    }
  }

  @Test("The breaker was open, and an earlier run was under way")
  func breakerAndOverlap() async throws {
    let breaker = CircuitBreaker(threshold: 1, cooldown: .hours(2))
    let broken = try await hourly({ $0.breaker(breaker).retry(.never) }) { _ in throw JobFailure.failed("No.") }
    await pass(broken, at: "2026-11-21T11:00:00Z")
    await pass(broken, at: "2026-11-21T12:00:00Z")
    let twelve = RuntimeFixture.time("2026-11-21T12:00:00Z")
    expect(try await broken.why("job", at: twelve), .didNotRun, .skippedBreakerOpen)

    let test = TimeCauseTests()
    let gate = HandlerGate()
    let slow = try await test.hourly({ $0.timeout(.hours(3)) }) { _ in
      await gate.pass()
      return .done
    }
    test.fixture.advance(to: eleven)
    async let first = slow.runMasterPass()
    await gate.arrivals()
    expect(try await slow.why("job"), .running, .running)
    await test.pass(slow, at: "2026-11-21T12:00:00Z")
    let found = try await slow.why("job", at: twelve)
    test.expect(found, .didNotRun, .skippedOverlap, "is still running")
    test.expect(found, .didNotRun, .skippedOverlap, "held by one until")
    gate.open()
    _ = await first
  }

  @Test("Missed times collapse, are dropped, or are made up for up to a number")
  func missed() async throws {
    let thirteen = RuntimeFixture.time("2026-11-21T13:00:00Z")
    let collapsing = try await hourly()
    await pass(collapsing, at: "2026-11-21T14:07:00Z")
    expect(try await collapsing.why("job", at: eleven), .didNotRun, .collapsed, "2026-11-21T14:00:00Z got the run")
    expect(try await collapsing.why("job", at: thirteen), .didNotRun, .collapsed)
    #expect(try await collapsing.why("job", at: RuntimeFixture.time("2026-11-21T14:00:00Z")).verdict == .ran)

    let second = TimeCauseTests()
    let dropping = try await second.hourly { $0.misfire(.skip) }
    await second.pass(dropping, at: "2026-11-21T13:07:00Z")
    second.expect(try await dropping.why("job", at: eleven), .didNotRun, .skippedMisfire)
    second.expect(try await dropping.why("job", at: thirteen), .didNotRun, .skippedMisfire)

    let third = TimeCauseTests()
    let catchingUp = try await third.hourly { $0.misfire(.catchUp(2)) }
    await third.pass(catchingUp, at: "2026-11-21T14:07:00Z")
    third.expect(try await catchingUp.why("job", at: eleven), .didNotRun, .dropped, "The latest 2 missed times")
    #expect(try await catchingUp.why("job", at: thirteen).verdict == .ran)
  }

  @Test("A missed time waits for the run of an earlier one")
  func waitsForEarlier() async throws {
    let gate = HandlerGate()
    let runtime = try await hourly({ $0.misfire(.catchUp(3)).timeout(.hours(3)) }) { _ in
      await gate.pass()
      return .done
    }
    fixture.advance(to: RuntimeFixture.time("2026-11-21T12:07:00Z"))
    async let first = runtime.runMasterPass()
    await gate.arrivals()
    await pass(runtime, at: "2026-11-21T12:08:00Z")
    let twelve = RuntimeFixture.time("2026-11-21T12:00:00Z")
    expect(
      try await runtime.why("job", at: twelve), .didNotRun, .waitingForEarlierTime, "This missed time is served after")
    gate.open()
    _ = await first
  }

  @Test("The time is none of the schedule, and the times around it are named")
  func notScheduled() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "2026-11-21T11:00:00Z")
    fixture.advance(to: RuntimeFixture.time("2026-11-21T11:50:00Z"))
    let found = try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T11:30:00Z"))
    expect(found, .didNotRun, .notScheduled, "The one before it is 2026-11-21T11:00:00Z")
    #expect(found.summary.contains("It ran"))
    let future = try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T12:30:00Z"))
    expect(future, .willNotRun, .notScheduled, "2026-11-21T13:00:00Z")
  }

  @Test("It will run, or will wait for room")
  func due() async throws {
    let runtime = try await hourly()
    expect(try await runtime.why("job", at: eleven), .willRun, .due)
    let found = try await runtime.why("job", at: eleven)
    #expect(found.gates.allSatisfy { $0.isOpen == true } && found.nextRun == eleven)
  }

  @Test("No pass has looked, or none that has the code")
  func noPass() async throws {
    let runtime = try await hourly()
    fixture.advance(to: RuntimeFixture.time("2026-11-21T11:10:00Z"))
    expect(try await runtime.why("job", at: eleven), .didNotRun, .noPass, "has been due since 2026-11-21T11:00:00Z")
    let other = try await fixture.runtime("two") { EndpointJob("another") { _ in .done } }
    _ = await other.runMasterPass()
    expect(try await other.why("job", at: eleven), .didNotRun, .unregistered, "a program that has the job's code")
    #expect(try await other.why("job", at: RuntimeFixture.time("2026-11-21T12:00:00Z")).verdict == .willRun)
  }

  @Test("Cloud Scheduler fires the job: a delivery that was skipped is told, one that never came is no riddle")
  func noDelivery() async throws {
    let runtime = try await fixture.runtime { ScheduledJob("job", cron: "0 * * * *") { _ in .done } }
    fixture.advance(to: RuntimeFixture.time("2026-11-21T11:10:00Z"))
    expect(try await runtime.why("job", at: eleven), .didNotRun, .noDelivery)
    try await runtime.configure("job") { $0.paused = true }
    let twelve = RuntimeFixture.time("2026-11-21T12:00:00Z")
    fixture.advance(to: twelve)
    let headers = ["X-CloudScheduler-ScheduleTime": "2026-11-21T12:00:00Z"]
    let answer = await runtime.handleRequest(body: [], headers: headers, path: "scheduled/job", peer: .inProcess)
    #expect(answer.status == 200)
    try await runtime.configure("job") { $0.paused = nil }
    expect(try await runtime.why("job", at: twelve), .didNotRun, .skippedPaused)
    let thirteen = RuntimeFixture.time("2026-11-21T13:00:00Z")
    let future = try await runtime.why("job", at: thirteen)
    expect(future, .willRun, .due)
    #expect(future.trigger.hasPrefix("Cloud Scheduler"))
  }

  @Test("Nothing asked for a run of a job without a schedule")
  func noTrigger() async throws {
    let runtime = try await fixture.runtime { EndpointJob("job") { _ in .done } }
    expect(try await runtime.why("job"), .didNotRun, .noTrigger, "No earlier run is stored.")
    fixture.clock.advance(by: .minutes(1))
    let run = try await runtime.run("job")
    fixture.clock.advance(by: .minutes(1))
    expect(try await runtime.why("job"), .didNotRun, .noTrigger, "The latest run before it")
    let found = try await runtime.why("job", at: RuntimeFixture.start + .minutes(1))
    #expect(found.run == run.runID && found.verdict == .ran)
    let gate = HandlerGate()
    let slow = try await fixture.runtime("two") { EndpointJob("slow") { _ in await gate.pass() } }
    async let first = slow.run("slow", key: "a")
    await gate.arrivals()
    fixture.clock.advance(by: .minutes(1))
    _ = try await fixture.runtime("three") { EndpointJob("slow") { _ in .done } }.run("slow", key: "b")
    fixture.clock.advance(by: .minutes(1))
    // The older of two runs is still under way.
    let under = try await slow.why("slow")
    expect(under, .running, .running)
    #expect(under.run == RunID(job: "slow", occurrence: .key("a")))
    gate.open()
    _ = try await first
  }

  @Test("The document was invalid, then, now, and by the housekeeping")
  func setAside() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "2026-11-21T11:00:00Z")
    _ = try await fixture.memory.commit([.putConfiguration("job", try broken(), .none)])
    await pass(runtime, at: "2026-11-21T12:00:00Z")
    let twelve = RuntimeFixture.time("2026-11-21T12:00:00Z")
    expect(try await runtime.why("job", at: twelve), .didNotRun, .setAside, "minute")
    // What had been before is told all the same.
    expect(try await runtime.why("job", at: eleven), .ran, .succeeded)
    expect(try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T13:00:00Z")), .willNotRun, .setAside)
    _ = try await fixture.memory.commit([.putConfiguration("job", JobConfiguration(), .none)])
    await pass(runtime, at: "2026-11-21T13:10:00Z")
    await pass(runtime, at: "2026-11-21T14:00:00Z")
    expect(try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T13:00:00Z")), .didNotRun, .setAside)
    expect(try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T14:00:00Z")), .ran, .succeeded)
  }

  private func broken() throws -> JobConfiguration {
    var configuration = JobConfiguration()
    configuration.cron = "61 * * * *"
    return configuration
  }

  @Test("The schedule was edited before a pass had looked; the old and the new times are told apart")
  func rescheduled() async throws {
    let runtime = try await hourly()
    fixture.advance(to: RuntimeFixture.time("2026-11-21T11:00:30Z"))
    try await runtime.configure("job") { $0.cron = "30 * * * *" }
    await pass(runtime, at: "2026-11-21T11:01:00Z")
    expect(try await runtime.why("job", at: eleven), .didNotRun, .rescheduled, "The schedule was edited.")
    await pass(runtime, at: "2026-11-21T11:30:00Z")
    await pass(runtime, at: "2026-11-21T12:10:00Z")
    expect(try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T11:30:00Z")), .ran, .succeeded)
    expect(try await runtime.why("job", at: RuntimeFixture.time("2026-11-21T12:00:00Z")), .didNotRun, .notScheduled)
  }

  @Test("The pass stopped running the job, its document was removed, or it was not planned yet")
  func plans() async throws {
    let runtime = try await fixture.runtime {
      ScheduledJob("job", cron: "0 * * * *") { _ in .done }.trigger(.masterPass)
    }
    let ten = RuntimeFixture.time("2026-11-21T10:00:00Z")
    expect(try await runtime.why("job", at: ten), .didNotRun, .notPlannedYet, "was not planned before")
    await pass(runtime, at: "2026-11-21T11:00:00Z")
    try await runtime.configure("job") { $0.type = .endpoint }
    await pass(runtime, at: "2026-11-21T12:10:00Z")
    try await runtime.configure("job") { $0.type = nil }
    let twelve = RuntimeFixture.time("2026-11-21T12:00:00Z")
    expect(try await runtime.why("job", at: twelve), .didNotRun, .unplanned)
    try await runtime.unregister("job")
    let again = try await fixture.runtime("two") {
      ScheduledJob("job", cron: "0 * * * *") { _ in .done }.trigger(.masterPass)
    }
    fixture.advance(to: RuntimeFixture.time("2026-11-21T12:20:00Z"))
    _ = again
    expect(try await again.why("job", at: twelve), .didNotRun, .unplanned)
  }

  @Test("The document had been removed when the time came")
  func removed() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "2026-11-21T10:30:00Z")
    try await runtime.unregister("job")
    fixture.advance(to: RuntimeFixture.time("2026-11-21T11:30:00Z"))
    let again = try await fixture.runtime("two") { PeriodicJob("job", every: .hours(1)) { _ in .done } }
    expect(try await again.why("job", at: eleven), .didNotRun, .removed)
    #expect(try await again.why("job", at: RuntimeFixture.time("2026-11-21T12:00:00Z")).verdict == .willRun)
  }

  @Test("Records that are no longer kept are not made up")
  func expired() async throws {
    var options = fixture.options()
    options.journalRetention = .days(1)
    let job = PeriodicJob("job", every: .hours(1)) { _ in .done }.retention(.hours(1))
    let runtime = try await fixture.runtime(options: options) { job }
    await pass(runtime, at: "2026-11-21T11:00:00Z")
    _ = try await fixture.memory.purgeExpired(limit: 100)
    await pass(runtime, at: "2026-11-21T12:00:00Z")
    fixture.advance(to: RuntimeFixture.time("2026-11-21T12:30:00Z"))
    _ = try await fixture.memory.purgeExpired(limit: 100)
    expect(try await runtime.why("job", at: eleven), .unknown, .recordDeleted, "no longer stored after")
    fixture.clock.advance(by: .days(3))
    _ = try await fixture.memory.purgeExpired(limit: 100)
    expect(try await runtime.why("job", at: eleven), .unknown, .recordExpired)
  }

  @Test("The store was unavailable, and the job stays due")
  func unavailable() async throws {
    let runtime = try await hourly()
    fixture.advance(to: eleven)
    fixture.store.fail(commit: 1, .unavailable)
    _ = await runtime.runMasterPass()
    expect(try await runtime.why("job", at: eleven), .didNotRun, .storeUnavailable)
  }

  @Test("A job that neither code nor store knows is an error")
  func unknown() async throws {
    let runtime = try await hourly()
    let error = await #expect(throws: JobError.self) { try await runtime.why("none") }
    #expect(error?.code == .unknownJob)
  }
}
