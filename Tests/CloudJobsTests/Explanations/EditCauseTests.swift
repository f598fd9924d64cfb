import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

/// Explanations around edits, removals, retention and repetition, where the present state would mislead.
@Suite("Why, when things have changed since")
struct EditCauseTests {
  private let fixture = RuntimeFixture()

  private func time(_ clock: String, day: String = "2026-11-21") -> Timestamp {
    RuntimeFixture.time("\(day)T\(clock):00Z")
  }

  private func pass(_ runtime: JobRuntime, at clock: String) async {
    fixture.advance(to: time(clock))
    _ = await runtime.runMasterPass()
  }

  private func hourly(
    _ change: (PeriodicJob<NoInput>) -> PeriodicJob<NoInput> = { $0 },
    _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput> = { _ in .done }
  ) async throws -> JobRuntime {
    let job = change(PeriodicJob("job", every: .hours(1), body))
    return try await fixture.runtime { job }
  }

  @Test("An edit that leaves the next time as it is counts from then on")
  func sameNextTime() async throws {
    let runtime = try await hourly()
    try await runtime.configure("job") { $0.cron = "0 11,15 * * *" }
    #expect(try await runtime.why("job", at: time("12:00")).cause == .notScheduled)
    #expect(try await runtime.why("job", at: time("15:00")).verdict == .willRun)
    await pass(runtime, at: "11:00")
    await pass(runtime, at: "12:30")
    #expect(try await runtime.why("job", at: time("12:00")).cause == .notScheduled)
    #expect(try await runtime.why("job").occurrence == time("11:00"))
    #expect(try await runtime.why("job", at: time("11:00")).verdict == .ran)
  }

  @Test("A schedule that is edited while the job is disabled counts too")
  func editedWhileDisabled() async throws {
    let runtime = try await hourly()
    try await runtime.configure("job") { $0.enabled = false }
    await pass(runtime, at: "11:10")
    try await runtime.configure("job") { $0.cron = "15 * * * *" }
    try await runtime.configure("job") { $0.cron = "30 * * * *" }
    await pass(runtime, at: "13:10")
    let found = try await runtime.why("job", at: time("12:30"))
    #expect(found.cause == .skippedDisabled, "\(found.summary)")
    #expect(try await runtime.why("job", at: time("12:15")).cause == .notScheduled)
  }

  @Test("Right after an edit the present is explained by the time that was one, and an edit that a pass meets is told")
  func aroundAnEdit() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "11:00")
    fixture.advance(to: time("11:10"))
    try await runtime.configure("job") { $0.cron = "5 * * * *" }
    let found = try await runtime.why("job")
    #expect(found.occurrence == time("11:00") && found.verdict == .ran, "\(found.summary)")
    // As an operator edits the document in the store's console.
    fixture.advance(to: time("12:04"))
    var edited = JobConfiguration()
    edited.cron = "40 * * * *"
    _ = try await fixture.memory.commit([.putConfiguration("job", edited, .none)])
    await pass(runtime, at: "12:05")
    #expect(try await runtime.why("job", at: time("12:05")).cause == .rescheduled)
  }

  @Test("A plan that is no longer on record is known from the edit that replaced it")
  func replacedPlan() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "11:00")
    _ = try await fixture.memory.purgeJournal(before: fixture.clock.now(), limit: 500)
    fixture.advance(to: time("11:10"))
    try await runtime.configure("job") { $0.cron = "30 4 * * *" }
    let found = try await runtime.why("job", at: time("11:00"))
    #expect(found.verdict == .ran, "\(found.summary)")
    #expect(try await runtime.why("job", at: time("10:00")).cause != .notScheduled)
  }

  @Test("A removed job does not run, and what it did before is told")
  func removed() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "11:00")
    fixture.advance(to: time("11:10"))
    try await runtime.unregister("job")
    let other = try await fixture.runtime("two") { EndpointJob("another") { _ in .done } }
    let future = try await other.why("job", at: time("12:00"))
    #expect(future.verdict == .willNotRun && future.cause == .removed && future.nextRun == nil)
    #expect(try await other.why("job").cause == .removed)
    #expect(try await other.why("job", at: time("11:00")).verdict == .ran)
    fixture.advance(to: time("12:10"))
    #expect(try await other.why("job", at: time("12:00")).cause == .removed)
  }

  @Test("What is no longer stored is not explained by the present")
  func expired() async throws {
    let runtime = try await hourly()
    await pass(runtime, at: "11:00")
    fixture.clock.advance(by: .days(100))
    _ = try await fixture.memory.purgeJournal(before: fixture.clock.now() - .days(30), limit: 500)
    _ = try await fixture.memory.purgeExpired(limit: 500)
    try await runtime.configure("job") { $0.paused = true }
    #expect(try await runtime.why("job", at: time("11:00")).cause == .recordExpired)
    let endpoint = try await fixture.runtime("two") { EndpointJob("asked") { _ in .done } }
    #expect(try await endpoint.why("asked", at: time("11:00")).cause == .recordDeleted)
    let scheduled = try await fixture.runtime("three") { ScheduledJob("cron", cron: "0 * * * *") { _ in .done } }
    #expect(try await scheduled.why("cron", at: time("11:00")).cause == .recordExpired)
  }

  @Test("What is in the way now is not in the way of a time to come")
  func future() async throws {
    let gate = HandlerGate()
    let runtime = try await hourly({ $0.timeout(.minutes(10)) }) { _ in
      await gate.pass()
      return .done
    }
    fixture.advance(to: time("11:00"))
    async let first = runtime.runMasterPass()
    await gate.arrivals()
    #expect(try await runtime.why("job", at: time("12:00", day: "2026-11-22")).verdict == .willRun)
    gate.open()
    _ = await first
    let other = EditCauseTests()
    let broken = try await other.hourly({ $0.breaker(CircuitBreaker(threshold: 1)).retry(.never) }) { _ in
      throw JobFailure.failed("No.")
    }
    await other.pass(broken, at: "11:00")
    #expect(try await broken.why("job", at: time("12:00")).verdict == .willRun)
  }

  @Test("The next time leaves out days, and the gates of a run are its own")
  func nextTimeAndGates() async throws {
    let runtime = try await fixture.runtime {
      PeriodicJob("job", every: .minutes(1)) { _ in .done }
        .skipping(.day(CivilDate(year: 2026, month: 11, day: 21)), .day(CivilDate(year: 2026, month: 11, day: 22)))
      EndpointJob("flaky") { _ in throw JobFailure.failed("No.") }
      PeriodicJob("narrow", every: .hours(1)) { _ in .done }.group("mail", maxConcurrent: 1)
      EndpointJob("holder") { _ in .snooze(.zero) }.group("mail", maxConcurrent: 1)
    }
    #expect(try await runtime.why("job").nextRun == time("00:00", day: "2026-11-23"))
    let run = try await runtime.enqueue("flaky")
    await fixture.deliverDue(to: runtime, rounds: 1)
    try await runtime.configure("flaky") { $0.enabled = false }
    fixture.clock.advance(by: .minutes(5))
    await fixture.deliverDue(to: runtime)
    let cancelled = try await runtime.why(run: run.id)
    #expect(cancelled.cause == .cancelledByGate && cancelled.gates.first?.isOpen == false)
  }

  @Test("A run that waits for room is not in its own way")
  func ownRun() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      PeriodicJob("narrow", every: .hours(1)) { _ in .done }.group("mail", maxConcurrent: 1)
      EndpointJob("holder") { _ in await gate.pass() }.group("mail", maxConcurrent: 1).timeout(.hours(3))
    }
    async let holder = runtime.run("holder", key: "a")
    await gate.arrivals()
    await pass(runtime, at: "11:00")
    let found = try await runtime.why("narrow", at: time("11:00"))
    #expect(found.cause == .waitingForGroup && found.gates.allSatisfy { $0.isOpen == true }, "\(found.gates)")
    gate.open()
    _ = try await holder
  }

  @Test("An endpoint's schedule in its document is ignored, and its runs are found")
  func endpointWithSchedule() async throws {
    let runtime = try await fixture.runtime { EndpointJob("job") { _ in .done } }
    _ = try await runtime.run("job")
    var edited = JobConfiguration()
    edited.cron = "0 * * * *"
    edited.type = .endpoint
    _ = try await fixture.memory.commit([.putConfiguration("job", edited, .none)])
    fixture.clock.advance(by: .minutes(1))
    let found = try await runtime.why("job")
    #expect(found.cause == .noTrigger && found.summary.contains("The latest run before it"))
    #expect(found.facts.contains { $0.text.contains("is ignored") } && found.nextRun == nil)
  }

  @Test("A later missed time waits for the run of an earlier one, while that executes too")
  func catchUp() async throws {
    let gate = HandlerGate()
    let runtime = try await hourly({ $0.misfire(.catchUp(3)).timeout(.hours(3)) }) { _ in
      await gate.pass()
      return .done
    }
    fixture.advance(to: time("13:07"))
    async let first = runtime.runMasterPass()
    await gate.arrivals()
    for clock in ["12:00", "13:00"] {
      #expect(try await runtime.why("job", at: time(clock)).cause == .waitingForEarlierTime)
    }
    gate.open()
    _ = await first
    #expect(try await runtime.why("job", at: time("13:00")).verdict == .ran)
  }

  @Test("A failed run that was repeated says so, and asks for no repetition")
  func repeated() async throws {
    let isFailing = EffectSwitch()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in
        if isFailing.isOn { throw JobFailure.permanent("No.") }
      }
    }
    isFailing.isOn = true
    let failed = try await runtime.run("job").runID
    isFailing.isOn = false
    let run = try #require(failed)
    #expect(try await runtime.why(run: run).remedies.isEmpty == false)
    let again = try await runtime.redrive(runs: [run])[0]
    await fixture.deliverDue(to: runtime)
    let found = try await runtime.why(run: run)
    #expect(found.remedies == [] && found.summary.contains("\(again.id) is succeeded"), "\(found.summary)")
  }

  @Test("A race that another pass has won leaves no trace, and each skip is one entry with its own time")
  func journal() async throws {
    let runtime = try await hourly { $0.skipping(.day(CivilDate(year: 2026, month: 11, day: 21))) }
    await pass(runtime, at: "11:00")
    await pass(runtime, at: "12:00")
    let entries = try await fixture.memory.journal(matching: JournalFilter(job: "job", isAscending: true), limit: 10)
    #expect(entries.map(\.lines.count) == [1, 1, 1])
    #expect(entries.dropFirst().map(\.time) == [time("11:00"), time("12:00")])
    let other = EditCauseTests()
    let one = try await other.hourly()
    let two = try await other.fixture.runtime("two") { PeriodicJob("job", every: .hours(1)) { _ in .done } }
    other.fixture.advance(to: time("11:00"))
    async let first = one.runMasterPass()
    async let second = two.runMasterPass()
    _ = await (first, second)
    #expect(try await other.fixture.journal() == [])
  }
}

/// Explanations of the present.
@Suite("Why, without a time")
struct PresentCauseTests {
  private let fixture = RuntimeFixture()

  @Test("A job whose first time is yet to come is explained by it, also if it is disabled")
  func first() async throws {
    let runtime = try await fixture.runtime { PeriodicJob("job", every: .hours(1)) { _ in .done } }
    #expect(try await runtime.why("job").verdict == .willRun)
    try await runtime.configure("job") { $0.enabled = false }
    let found = try await runtime.why("job")
    #expect(found.verdict == .willNotRun && found.cause == .skippedDisabled && found.remedies == ["Enable the job."])
  }

  @Test("A schedule of long ago does not hide the next time")
  func longAgo() async throws {
    let runtime = try await fixture.runtime { PeriodicJob("job", every: .hours(1)) { _ in .done } }
    try await runtime.configure("job") { $0.cron = "at 2020-01-01T00:00:00Z" }
    fixture.clock.advance(by: .seconds(1))
    try await runtime.configure("job") { $0.cron = "0 3 * * *" }
    let found = try await runtime.why("job")
    #expect(found.verdict == .willRun && found.occurrence == RuntimeFixture.time("2026-11-22T03:00:00Z"))
  }

  @Test("A run that waits is found whatever the job's schedule, and one of the far future hides none")
  func openRuns() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in .done }
      PeriodicJob("hourly", every: .hours(1)) { _ in .done }
    }
    let waiting = try await runtime.enqueue("hourly")
    #expect(try await runtime.why("hourly").run == waiting.id)
    let far = try await runtime.enqueue("job", at: RuntimeFixture.time("2126-01-01T00:00:00Z"))
    #expect(try await runtime.why("job").run == far.id)
    let due = try await runtime.enqueue("job")
    #expect(try await runtime.why("job").run == due.id)
    await fixture.deliverDue(to: runtime)
    let second = RuntimeFixture.start
    #expect(try await runtime.why("job", at: second).run == due.id)
    fixture.clock.advance(by: .minutes(1))
    #expect(try await runtime.why("job", at: second + .seconds(30)).cause == .noTrigger)
  }

  @Test("A run that was enqueued by hand waits for the end of a pause, whatever the kind of its job")
  func paused() async throws {
    let runtime = try await fixture.runtime { PeriodicJob("job", every: .hours(1)) { _ in .done } }
    try await runtime.configure("job") { $0.paused = true }
    let run = try await runtime.enqueue("job")
    await fixture.deliverDue(to: runtime, rounds: 1)
    #expect(try await runtime.why("job").cause == .waitingForResume)
    try await runtime.configure("job") { $0.paused = nil }
    fixture.clock.advance(by: .minutes(2))
    await fixture.deliverDue(to: runtime)
    #expect(try await fixture.run(run.id).status == .succeeded)
  }
}
