import CloudJobsCore
import CloudJobsTesting
import HTTPTypes
import Logging
import Synchronization
import TestSupport
import Testing

@testable import CloudJobs

@Suite("The health report")
struct HealthTests {
  private let fixture = RuntimeFixture()

  private func state(_ owner: RetryOwner = .pass, hasWorker: Bool = false) -> HealthState {
    HealthState(
      startedAt: RuntimeFixture.start, expectations: HealthExpectations(owner, RuntimeOptions(), hasWorker: hasWorker))
  }

  @Test("A failing store is a problem from its first failure until it answers")
  func store() {
    var state = state()
    state.storeFailed(.write, "It is full.", at: RuntimeFixture.start + .seconds(1))
    state.storeFailed(.write, "It is gone.", at: RuntimeFixture.start + .seconds(9))
    let problems = state.problems(at: RuntimeFixture.start + .seconds(10))
    #expect(problems.map(\.code) == [.storeUnavailable])
    #expect(problems.first?.since == RuntimeFixture.start + .seconds(1))
    #expect(problems.first?.message.contains("It is gone.") == true)
    state.storeAnswered(.read)
    #expect(
      state.problems(at: RuntimeFixture.start + .seconds(10)) == problems, "a file locked for writing answers reads")
    state.storeAnswered(.write)
    #expect(state.problems(at: RuntimeFixture.start + .seconds(11)).isEmpty)
  }

  @Test(
    "A store's time that is ahead of the clock by more than 3 s is a problem",
    arguments: [(-60, false), (0, false), (3, false), (4, true), (3_600, true)])
  func clock(ahead seconds: Int, isProblem: Bool) {
    var state = state()
    state.observe(storeTime: RuntimeFixture.start + .seconds(seconds), at: RuntimeFixture.start)
    #expect(state.problems(at: RuntimeFixture.start).map(\.code) == (isProblem ? [.clockBehind] : []))
    state.observe(storeTime: RuntimeFixture.start, at: RuntimeFixture.start)
    #expect(state.problems(at: RuntimeFixture.start).isEmpty)
  }

  @Test("What is overdue is put down to the missing pass where none has run for a while")
  func overdue() {
    var state = state()
    state.observe(Overdue(jobs: 2, runs: 100, oldest: RuntimeFixture.start, isCut: true))
    let early = state.problems(at: RuntimeFixture.start + .seconds(150))
    #expect(early.map(\.code) == [.overdueJobs, .overdueRuns])
    #expect(!early.contains { $0.message.contains("pass") })
    let late = state.problems(at: RuntimeFixture.start + .seconds(151))
    #expect(late.allSatisfy { $0.message.contains("No master pass has run") && $0.message.contains("JobWorker") })
    #expect(late.last?.message.hasPrefix("At least 100 runs") == true)
    state.passEnded(at: RuntimeFixture.start + .seconds(151))
    #expect(!state.problems(at: RuntimeFixture.start + .seconds(152)).contains { $0.message.contains("pass") })
  }

  @Test("A service that nothing triggers says so: the route answers degraded with what is overdue")
  func nothingTriggers() async throws {
    let runtime = try await JobRuntime.prepared(
      try JobRegistry {
        PeriodicJob("tick", every: .seconds(60)) { _ in .done }
        EndpointJob("job") { _ in .done }
      }, store: fixture.memory, queue: .store, authentication: .trustLoopback, options: fixture.options())
    try await runtime.enqueue("job")
    #expect(await runtime.healthReport().status == .ok)
    fixture.clock.advance(by: .minutes(10))
    let report = await runtime.healthReport()
    #expect(report.status == .degraded && report.lastPass == nil)
    #expect(report.problems.map(\.code) == [.overdueJobs, .overdueRuns])
    let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/jobs/health")
    let response = await runtime.handle(request, peer: .inProcess)
    let body = try JSONValue(parsing: response.body)
    #expect(response.head.status == .ok && body["status"] == "degraded")
    #expect(body["problems"]?.array?.count == 2)
    #expect(!String(decoding: response.body, as: UTF8.self).contains("tick"), "names are for authenticated callers")
    _ = await runtime.runMasterPass()
    fixture.clock.advance(by: .seconds(6))
    #expect(await runtime.healthReport().status == .ok)
    #expect(await runtime.healthReport().lastPass != nil)
  }

  @Test("Overdue runs of jobs that are not registered are told after two minutes: another service may have them")
  func unregistered() async throws {
    let others = try await fixture.runtime { EndpointJob("theirs") { _ in .done } }
    try await others.enqueue("theirs")
    let runtime = try await fixture.runtime { EndpointJob("ours") { _ in .done } }
    fixture.clock.advance(by: .minutes(2))
    #expect(await runtime.healthReport().problems.map(\.code).contains(.unregisteredJobs) == false)
    fixture.clock.advance(by: .minutes(1) + .seconds(1))
    #expect(await runtime.healthReport().problems.map(\.code) == [.unregisteredJobs])
  }

  @Test("What a handler says stands on one line of the log")
  func lines() async throws {
    let log = LogRecorder()
    var options = fixture.options()
    options.logger = log.logger
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob("job") { _ in throw JobFailure.permanent("first\n2026-11-21 error: forged\u{2028}\u{1B}[31m") }
    }
    _ = try await runtime.run("job")
    let lines = log.lines.filter { $0.contains("forged") }
    #expect(!lines.isEmpty)
    #expect(
      lines.allSatisfy { line in !line.unicodeScalars.contains { $0.value < 32 || $0.value == 0x2028 } }, "\(lines)")
  }

  @Test("A store in trouble, documents set aside and unreadable runs show in the report, and are logged once each")
  func troubles() async throws {
    let log = LogRecorder()
    var options = fixture.options()
    options.logger = log.logger
    let runtime = try await JobRuntime.prepared(
      try JobRegistry { PeriodicJob("tick", every: .seconds(60)) { _ in .done } }, store: fixture.store, queue: .store,
      authentication: .trustLoopback, options: options)
    fixture.store.isDown = true
    for _ in 0..<3 { _ = await runtime.runMasterPass() }
    #expect(await runtime.healthReport().problems.map(\.code) == [.storeUnavailable])
    fixture.store.isDown = false
    fixture.memory.importJob(id: "tick", fields: ["cron": 7])
    try await runtime.prepare()
    fixture.clock.advance(by: .seconds(6))
    for _ in 0..<3 { _ = await runtime.runMasterPass() }
    #expect(await runtime.healthReport().problems.map(\.code) == [.documentsSetAside])
    let problems = log.lines.filter { $0.contains("problem=") }
    #expect(problems.count == 3, "\(problems)")
    fixture.memory.importJob(id: "tick", fields: ["cron": "* * * * *"])
    try await runtime.prepare()
    #expect(await runtime.healthReport().status == .ok)
  }

  @Test("A use of memory near the limit is a problem of the report, until there is enough again")
  func memory() async throws {
    let percent = Mutex<Int64>(80)
    var options = fixture.options()
    options.memoryReading = { _ in MemoryReading(used: percent.withLock { $0 } << 20, available: 100 << 20) }
    let runtime = try await fixture.runtime(options: options) { EndpointJob("job") { _ in } }
    let report = await runtime.healthReport()
    #expect(report.status == .degraded && report.problems.map(\.code) == [.memoryLow])
    #expect(try await runtime.run("job").status == .succeeded, "work is still admitted")
    percent.withLock { $0 = 74 }
    fixture.clock.advance(by: .seconds(1))
    #expect(await runtime.healthReport().status == .ok)
  }

  @Test("A report counts the registered jobs, and the deliveries under way while they are")
  func counts() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("slow") { _ in await gate.pass() }
      EndpointJob("quick") { _ in .done }
      PeriodicJob("tick", every: .minutes(1)) { _ in .done }
    }
    func counts() async -> [Int] {
      let report = await runtime.healthReport()
      return [report.registeredJobs, report.activeDeliveries]
    }
    #expect(await counts() == [3, 0])
    async let first = runtime.run("slow")
    async let second = runtime.run("slow")
    await gate.arrivals(2)
    #expect(await counts() == [3, 2])
    let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/jobs/health")
    let body = try JSONValue(parsing: await runtime.handle(request, peer: .inProcess).body)
    #expect(body["jobs"] == 3 && body["active"] == 2)
    gate.open()
    #expect(try await [first.status, second.status] == [.succeeded, .succeeded])
    try await runtime.unregister("quick")
    #expect(await counts() == [2, 0])
  }
}
