import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization
import Testing

@Suite("Master pass")
struct PassTests {
  private let fixture = RuntimeFixture()

  private func recording(_ id: JobID, every minutes: Int = 1) -> PeriodicJob<NoInput> {
    let effects = fixture.effects
    return PeriodicJob(id, every: .minutes(minutes)) { context in
      effects.add(context.scheduledFor.map { "\(context.jobID) \($0)" } ?? "\(context.jobID)")
      return .done
    }
  }

  @Test("At start each periodic job gets its first time; a pass runs it then, and not before")
  func simple() async throws {
    let runtime = try await fixture.runtime {
      recording("job", every: 5)
      EndpointJob("other") { _ in .done }
    }
    #expect(try await fixture.document("job").state.nextRun == RuntimeFixture.time("2026-11-21T10:05:00Z"))
    #expect(try await fixture.memory.read(jobs: ["other"], runs: []).jobs.isEmpty)
    fixture.clock.advance(by: .minutes(3) - .microseconds(1))
    #expect(await runtime.runMasterPass().due == 0)
    fixture.clock.advance(by: .microseconds(1))
    let summary = await runtime.runMasterPass()
    #expect((summary.due, summary.started, summary.isComplete, summary.error) == (1, 1, true, nil))
    #expect(fixture.effects.list == ["job 2026-11-21T10:05:00Z"])
    let state = try await fixture.document("job").state
    #expect((state.nextRun, state.epoch, state.status) == (RuntimeFixture.time("2026-11-21T10:10:00Z"), 1, .success))
    let run = try await fixture.run(state.lastRunID)
    #expect((run.trigger, run.status, run.attempt) == (.pass, .succeeded, 1))
    #expect(try await fixture.journal().isEmpty)
  }

  @Test("A time whose run another trigger has made is passed over once, and does not keep the job due")
  func madeElsewhere() async throws {
    let runtime = try await fixture.runtime { recording("job") }
    let slot = try #require(try await fixture.document("job").state.nextRun)
    fixture.clock.advance(by: .minutes(1))
    var delivery = Delivery(job: "job", trigger: .schedule, scheduledFor: slot)
    delivery.occurrence = .scheduledFor(slot)
    #expect(await runtime.deliver(delivery).status == .succeeded)
    let summary = await runtime.runMasterPass()
    #expect((summary.due, summary.started, summary.raced) == (1, 0, 0))
    #expect(try await fixture.document("job").state.nextRun == slot + .minutes(1))
    #expect(fixture.effects.count == 1)
    #expect(try await fixture.journal() == ["job duplicate"])
    fixture.clock.advance(by: .minutes(1))
    #expect(await runtime.runMasterPass().started == 1)
  }

  @Test("The due are served by priority, then time, then name")
  func order() async throws {
    var options = fixture.options()
    options.passConcurrency = 1
    let runtime = try await fixture.runtime(options: options) {
      for name in ["c", "b", "a"] as [JobID] { recording(name) }
      recording("late", every: 2)
      recording("urgent").priority(9)
    }
    fixture.clock.advance(by: .minutes(2))
    _ = await runtime.runMasterPass()
    #expect(
      fixture.effects.list.map { $0.split(separator: " ")[0] } == ["urgent", "a", "b", "c", "late"])
  }

  @Test("Of two passes at once, one serves each time", arguments: 0..<20)
  func twoPasses(round: Int) async throws {
    let jobs = (0..<10).map { recording(JobID(stringLiteral: "job\($0)")) as any JobHandler }
    let one = try await fixture.runtime("one") { jobs }
    let two = try await fixture.runtime("two") { jobs }
    for _ in 0..<5 {
      fixture.clock.advance(by: .minutes(1))
      async let first = one.runMasterPass()
      async let second = two.runMasterPass()
      let started = await (first.started, second.started)
      #expect(started.0 + started.1 == 10)
    }
    #expect(fixture.effects.count == 50)
    #expect(Set(fixture.effects.list).count == 50)
  }

  @Test("Missed times are caught up with in one pass, oldest first")
  func catchUp() async throws {
    let runtime = try await fixture.runtime { recording("job", every: 5).misfire(.catchUp(3)) }
    fixture.clock.advance(by: .minutes(29))
    let summary = await runtime.runMasterPass()
    #expect((summary.due, summary.started) == (1, 3))
    #expect(fixture.effects.list == ["10:20", "10:25", "10:30"].map { "job 2026-11-21T\($0):00Z" })
    #expect(try await fixture.document("job").state.nextRun == RuntimeFixture.time("2026-11-21T10:35:00Z"))
    #expect(try await fixture.document("job").state.epoch == 3)
  }

  @Test("An edit during a catch-up holds for the next of the missed times")
  func editedDuringCatchUp() async throws {
    let memory = fixture.memory
    let effects = fixture.effects
    let runtime = try await fixture.runtime {
      PeriodicJob("job", every: .minutes(5)) { _ in
        effects.add("ran")
        var configuration = JobConfiguration()
        configuration.enabled = false
        _ = try await memory.commit([.putConfiguration("job", configuration, .none)])
        return .done
      }.misfire(.catchUp(3))
    }
    fixture.clock.advance(by: .minutes(29))
    _ = await runtime.runMasterPass()
    #expect(effects.count == 1)
    #expect(try await fixture.journal() == ["job run", "job skippedDisabled"])
    #expect(try await fixture.document("job").state.nextRun == nil)
  }

  @Test("Negative decisions are kept in the journal with their reason")
  func journal() async throws {
    let runtime = try await fixture.runtime {
      recording("runs", every: 5)
      recording("off", every: 5)
      recording("holiday", every: 5).skipping(.instant(RuntimeFixture.start))
      recording("needs", every: 5).depends(on: "never")
      EndpointJob("never") { _ in .done }
    }
    _ = try await fixture.memory.commit([
      .putConfiguration("off", try JobConfiguration(fields: ["enabled": false]), .none)
    ])
    fixture.clock.advance(by: .minutes(3))
    let summary = await runtime.runMasterPass()
    #expect((summary.started, summary.skipped) == (1, 3))
    #expect(
      Set(try await fixture.journal()) == [
        "off skippedDisabled", "holiday skippedDateExclusion", "needs skippedDependencyFailed",
      ])
    let lines = try await fixture.memory.journal(matching: JournalFilter(job: "needs"), limit: 1).flatMap(\.lines)
    #expect(lines.first?.reason == "It depends on never, which has not run yet.")
    #expect(try await fixture.document("off").state.status == .skippedDisabled)
  }

  @Test("A document that can't be read is set aside, one of an unknown job is left alone, and all others run")
  func quarantine() async throws {
    let due: JSONValue = "2026-11-21T10:00:00Z"
    let runtime = try await fixture.runtime {
      for name in ["a", "b", "c", "good"] as [JobID] { recording(name) }
    }
    fixture.memory.importJob(id: "a", fields: ["enabled": "yes", "state": ["nextRun": due]])
    fixture.memory.importJob(id: "b", fields: ["cron": "nonsense", "state": ["nextRun": due]])
    fixture.memory.importJob(id: "c", fields: ["state": ["nextRun": due, "epoch": "one"]])
    fixture.memory.importJob(id: "unknown", fields: ["state": ["nextRun": due]])
    fixture.clock.advance(by: .minutes(1))
    let summary = await runtime.runMasterPass()
    #expect((summary.due, summary.quarantined, summary.started) == (5, 3, 1))
    #expect(
      Set(try await fixture.journal()) == [
        "a quarantined", "b quarantined", "c quarantined",
      ])
    let state = try await fixture.document("b").state
    #expect((state.nextRun, state.quarantine?.hasPrefix("invalidSchedule")) == (nil, true))
    fixture.clock.advance(by: .minutes(1))
    #expect(await runtime.runMasterPass().due == 2)
    let unknown = try #require(fixture.memory.exportJob(id: "unknown"))
    #expect(unknown == ["state": ["nextRun": due]])
    // Mended, it is taken back by the next housekeeping.
    fixture.memory.importJob(id: "b", fields: ["cron": "* * * * *", "state": state.fields])
    fixture.clock.advance(by: .minutes(1))
    _ = await runtime.runMasterPass()
    let mended = try await fixture.document("b").state
    #expect((mended.quarantine, mended.nextRun) == (nil, RuntimeFixture.time("2026-11-21T10:06:00Z")))
  }

  @Test("A document that can't be read and has no time is set aside once; one that is no object is left as it is")
  func unreadableWithoutTime() async throws {
    fixture.memory.importJob(id: "a", fields: ["enabled": "yes", "state": ["epoch": 3]])
    fixture.memory.importJob(id: "b", fields: "lost")
    let runtime = try await fixture.runtime {
      for name in ["a", "b"] as [JobID] { recording(name) }
    }
    let ids: [JobID] = ["a", "b"]
    let before = try await fixture.memory.read(jobs: ids, runs: []).jobs
    #expect(before["a"]?.quarantine?.hasPrefix("invalidField at enabled") == true)
    #expect(fixture.memory.exportJob(id: "b") == "lost")
    fixture.clock.advance(by: .minutes(3))
    #expect(await runtime.runMasterPass().error == nil)
    let after = try await fixture.memory.read(jobs: ids, runs: []).jobs
    #expect(ids.map { after[$0]?.version } == ids.map { before[$0]?.version })
  }

  @Test("A document without a time that can't be resolved says so")
  func unresolvable() async throws {
    fixture.memory.importJob(id: "job", fields: ["timeZone": "Mars/Olympus"])
    _ = try await fixture.runtime { recording("job") }
    #expect(try await fixture.document("job").state.quarantine?.hasPrefix("invalidTimeZone") == true)
  }

  @Test("A document may make a periodic job of another")
  func kindChanged() async throws {
    fixture.memory.importJob(id: "job", fields: ["type": "periodic", "interval": 60])
    let effects = fixture.effects
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in
        effects.add("ran")
        return .done
      }
    }
    fixture.clock.advance(by: .minutes(1))
    #expect(await runtime.runMasterPass().started == 1)
    #expect(effects.count == 1)
  }

  @Test("An operator's edit during a pass is never overwritten, and counts for the occurrence already")
  func editDuringPass() async throws {
    let runtime = try await fixture.runtime { recording("job") }
    fixture.clock.advance(by: .minutes(1))
    let memory = fixture.memory
    let commits = Effects()
    fixture.store.onCommit { _ in
      guard commits.number() == 1 else { return }
      var configuration = JobConfiguration()
      configuration.enabled = false
      _ = try? await memory.commit([.putConfiguration("job", configuration, .none)])
    }
    let summary = await runtime.runMasterPass()
    #expect((summary.raced, summary.started, summary.skipped) == (0, 0, 1))
    #expect(try await fixture.document("job").configuration.enabled == false)
    #expect(fixture.effects.count == 0)
    #expect(try await fixture.journal() == ["job skippedDisabled"])
  }

  @Test("A fault in a commit of the pass loses no time and serves none twice", arguments: Fault.allCases, 1...3)
  func faults(_ fault: Fault, number: Int) async throws {
    let effects = fixture.effects
    let runtime = try await fixture.runtime {
      PeriodicJob("job", every: .minutes(5)) { context in
        effects.add("\(context.runID)")
        return .done
      }.timeout(.seconds(30)).overlap(.allow)
    }
    fixture.clock.advance(by: .minutes(3))
    fixture.store.fail(commit: number, fault)
    for _ in 0..<9 {
      _ = await runtime.runMasterPass()
      await fixture.deliverDue(to: runtime)
      fixture.clock.advance(by: .minutes(1))
    }
    let runs = try await fixture.runs()
    #expect(
      runs.compactMap(\.scheduledFor).sorted().map(\.description) == ["2026-11-21T10:05:00Z", "2026-11-21T10:10:00Z"])
    #expect(runs.allSatisfy { $0.status == .succeeded })
    // A finish that did not reach the store is the one case in which the work is done again.
    let isRepeated = fault == .unavailable && number == 2
    #expect(effects.count == (isRepeated ? 3 : 2))
  }

  @Test("A clock behind the store's does not keep a due job from running")
  func clockBehind() async throws {
    var options = fixture.options()
    options.clock = VirtualClock(start: RuntimeFixture.start - .minutes(10))
    let runtime = try await fixture.runtime(options: options) { recording("job") }
    fixture.clock.advance(by: .minutes(1))
    let summary = await runtime.runMasterPass()
    #expect((summary.started, summary.skipped) == (1, 0))
    #expect(fixture.effects.count == 1)
    #expect(try await fixture.runs().first?.createdAt == RuntimeFixture.start + .minutes(1))
  }

  @Test("Runs of a job whose runs queue up never overlap, and all take place")
  func queueing() async throws {
    let gate = HandlerGate()
    let effects = fixture.effects
    let runtime = try await fixture.runtime {
      PeriodicJob("job", every: .minutes(1)) { context in
        effects.add("begin")
        if context.attempt == 1, effects.count == 1 { await gate.pass() }
        effects.add("end")
        return .done
      }.overlap(.queue)
    }
    fixture.clock.advance(by: .minutes(1))
    async let first = runtime.runMasterPass()
    await gate.arrivals()
    for _ in 0..<3 {
      fixture.clock.advance(by: .minutes(1))
      _ = await runtime.runMasterPass()
      fixture.clock.advance(by: .seconds(31))
      await fixture.deliverDue(to: runtime, rounds: 3)
    }
    #expect(effects.list == ["begin"])
    gate.open()
    #expect(await first.started == 1)
    for _ in 0..<4 {
      fixture.clock.advance(by: .seconds(31))
      await fixture.deliverDue(to: runtime, rounds: 3)
    }
    #expect(effects.list == Array(repeating: ["begin", "end"], count: 4).flatMap { $0 })
    #expect(try await fixture.runs().allSatisfy { $0.status == .succeeded })
  }

  @Test("A pass executes no more jobs at once than its concurrency, and all that are due", arguments: [1, 2, 5, 9])
  func concurrency(limit: Int) async throws {
    var options = fixture.options()
    options.passConcurrency = limit
    let (effects, gate) = (fixture.effects, HandlerGate())
    let runtime = try await fixture.runtime(options: options) {
      for name in ["a", "b", "c", "d", "e"] as [JobID] {
        PeriodicJob(name, every: .minutes(1)) { _ in
          effects.add("\(name)")
          await gate.pass()
        }
      }
    }
    fixture.clock.advance(by: .minutes(1))
    async let pass = runtime.runMasterPass()
    await gate.arrivals(min(5, limit))
    // More would have begun by then.
    for _ in 0..<500 { await Task.yield() }
    #expect(effects.count == min(5, limit))
    gate.open()
    #expect(await pass.started == 5)
    #expect(Set(effects.list) == ["a", "b", "c", "d", "e"])
  }

  @Test("The grace and the margin of the options decide what is missed, and how long a lease lasts")
  func graceAndMargin() async throws {
    for (minutes, late, verdict) in [(10, 10, "run"), (10, 11, "skippedMisfire"), (1, 2, "skippedMisfire")] {
      let fixture = RuntimeFixture()
      var options = fixture.options()
      (options.misfireGrace, options.leaseMargin) = (.minutes(minutes), .seconds(40))
      let leases = Effects()
      let runtime = try await fixture.runtime(options: options) {
        PeriodicJob("job", every: .hours(1)) { context in
          let lease = try await fixture.run(context.runID).lease
          leases.add("\((lease?.expiresAt ?? .epoch) - fixture.clock.now())")
        }.misfire(.skip).timeout(.seconds(30))
      }
      let due = try #require(try await fixture.document("job").state.nextRun)
      fixture.clock.advance(by: due - fixture.clock.now() + .minutes(late))
      _ = await runtime.runMasterPass()
      #expect(try await fixture.journal() == (verdict == "run" ? [] : ["job \(verdict)"]))
      #expect(leases.list == (verdict == "run" ? ["\(Duration.seconds(70))"] : []))
    }
  }

  @Test("While the memory is almost used up, what is due waits; beyond the upper limit the instance drains")
  func memory() async throws {
    let used = Mutex<Int64>(85)
    var options = fixture.options()
    options.memoryReading = { _ in MemoryReading(used: used.withLock { $0 }, available: 100) }
    let runtime = try await fixture.runtime(options: options) { recording("job") }
    fixture.clock.advance(by: .minutes(1))
    let refused = await runtime.runMasterPass()
    #expect((refused.due, refused.started, refused.isComplete) == (0, 0, false))
    #expect(try await fixture.document("job").state.nextRun == RuntimeFixture.time("2026-11-21T10:03:00Z"))
    used.withLock { $0 = 84 }
    fixture.clock.advance(by: .seconds(1))
    #expect(await runtime.runMasterPass().started == 1)
    used.withLock { $0 = 92 }
    fixture.clock.advance(by: .minutes(1))
    #expect(await runtime.runMasterPass().started == 0)
    #expect(await runtime.runMasterPass().error?.code == .shuttingDown)
    #expect(fixture.effects.count == 1)
  }
}
