import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import HTTPTypes
import Testing

@testable import CloudJobs

@Suite("The list of workers, and workers for a part of the work")
struct WorkerListTests {
  private let fixture = RuntimeFixture()

  private func runtime(
    _ owner: String, @JobRegistryBuilder _ jobs: () -> [any JobHandler] = { [] }
  ) async throws -> JobRuntime {
    try await JobRuntime.prepared(
      try JobRegistry(jobs), store: fixture.memory, queue: .store, authentication: .trustLoopback,
      options: fixture.options(owner))
  }

  /// Lets other tasks run until a condition holds.
  private func until(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<200_000 {
      if try await condition() { return }
      await Task.yield()
    }
    Issue.record("The condition does not hold.")
  }

  @Test("A worker is listed while it works, as stopping while its last attempts end, and no longer afterwards")
  func list() async throws {
    let gate = HandlerGate()
    let runtime = try await runtime("one") {
      EndpointJob("job") { _ in
        await gate.pass()
        return .done
      }
    }
    var options = JobWorker.Options()
    (options.name, options.concurrency) = ("web-1:1", 7)
    let worker = JobWorker(runtime, options: options)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await worker.run() }
      try await until { try await runtime.workers().count == 1 }
      let first = try #require(try await runtime.workers().first)
      #expect(first.state == .running && first.record.name == "web-1:1" && first.record.concurrency == 7)
      #expect(first.record.owner == "one" && first.record.startedAt == RuntimeFixture.start)
      try await runtime.enqueue("job")
      await gate.arrivals()
      try await until {
        fixture.clock.advance(by: .seconds(1))
        return try await runtime.workers().first?.record.active == 1
      }
      let second = try #require(try await runtime.workers().first)
      #expect(second.id == first.id && second.record.heartbeats > 1 && second.seenAt > first.seenAt)
      group.addTask { await runtime.drain(within: .days(1)) }
      try await until { try await runtime.workers().first?.state == .stopping }
      gate.open()
      try await group.waitForAll()
    }
    #expect(try await runtime.workers().isEmpty)
  }

  @Test("A worker that died is shown as lost once it has missed its heartbeats, and left out an hour later")
  func lost() async throws {
    let runtime = try await runtime("one")
    let entry = try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await JobWorker(runtime).run() }
      try await until { try await runtime.workers().count == 1 }
      let entry = try await fixture.memory.ledgers(in: .worker, after: nil, limit: 1).records[0]
      group.cancelAll()
      try await group.waitForAll()
      return entry
    }
    // The process ended without a trace: it did not delete its entry.
    _ = try await fixture.memory.commit([.putLedger(entry.id, entry.ledger, .none)])
    let other = try await self.runtime("two")
    fixture.clock.advance(by: .seconds(60))
    #expect(try await other.workers().map(\.state) == [.running])
    fixture.clock.advance(by: .seconds(1))
    #expect(try await other.workers().map(\.state) == [.lost])
    #expect(try await other.workers().allSatisfy { "\($0)".hasPrefix("\($0.record.name) lost, 0 of ") })
    let response = await other.handle(
      HTTPRequest(method: .get, scheme: nil, authority: "localhost", path: "/jobs/workers"), peer: .inProcess)
    let body = try JSONValue(parsing: response.body)
    #expect(body["workers"]?.array?.first?["state"] == "lost" && body["workers"]?.array?.first?["owner"] == "one")
    fixture.clock.advance(by: .hours(1))
    #expect(try await other.workers().isEmpty)
  }

  @Test("A worker without a heartbeat is not listed")
  func unlisted() async throws {
    let runtime = try await runtime("one")
    var options = JobWorker.Options()
    options.heartbeat = nil
    try await withThrowingTaskGroup(of: Void.self) { [options] group in
      group.addTask { await JobWorker(runtime, options: options).run() }
      try await until { fixture.clock.sleeperCount > 0 }
      #expect(try await runtime.workers().isEmpty)
      group.cancelAll()
    }
  }

  @Test("One worker starts schedules and another executes their runs: each occurrence once, in its place")
  func parts() async throws {
    let effects = fixture.effects
    func jobs(_ place: String) throws -> JobRegistry {
      try JobRegistry {
        PeriodicJob("tick", every: .seconds(10)) { context in
          effects.add("\(place) \((context.scheduledFor ?? .distantPast) - RuntimeFixture.start)")
          return .done
        }
        EndpointJob("job") { _ in
          effects.add("\(place) job")
          return .done
        }
      }
    }
    func start(_ owner: String, _ change: (inout JobWorker.Options) -> Void) async throws -> (JobRuntime, JobWorker) {
      let runtime = try await JobRuntime.prepared(
        try jobs(owner), store: fixture.memory, queue: .store, authentication: .trustLoopback,
        options: fixture.options(owner))
      var options = JobWorker.Options()
      change(&options)
      return (runtime, JobWorker(runtime, options: options))
    }
    let (scheduling, scheduler) = try await start("scheduler") { $0.executesRuns = false }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await scheduler.run() }
      try await scheduling.enqueue("job")
      for _ in 0..<40 {
        fixture.clock.advance(by: .milliseconds(500))
        for _ in 0..<200 { await Task.yield() }
      }
      #expect(effects.list.isEmpty, "the scheduler executes nothing")
      let waiting = try await scheduling.runs(matching: RunFilter(job: "tick")).runs
      #expect(waiting.map(\.status) == [.scheduled], "the job skips times while an earlier run waits")
      #expect(waiting.first?.reason == "A worker that executes runs takes it.")
      let (executing, executor) = try await start("executor") { $0.runsSchedules = false }
      group.addTask { await executor.run() }
      try await until { effects.count == 2 }
      #expect(Set(effects.list) == ["executor job", "executor 10.0 seconds"])
      try await until {
        fixture.clock.advance(by: .milliseconds(500))
        return effects.count == 4
      }
      #expect(Set(effects.list).count == 4 && effects.list.allSatisfy { $0.hasPrefix("executor") })
      for runtime in [scheduling, executing] { await runtime.drain(within: .zero) }
      try await group.waitForAll()
    }
  }

  @Test("A worker that executes nothing loses no missed time: each waits for the run of the one before")
  func missedTimes() async throws {
    let effects = fixture.effects
    func start(_ owner: String, _ change: (inout JobWorker.Options) -> Void) async throws -> (JobRuntime, JobWorker) {
      let registry = try JobRegistry {
        PeriodicJob("tick", every: .minutes(5)) { context in
          effects.add("\(context.scheduledFor ?? .distantPast)")
          return .done
        }.misfire(.catchUp(3))
      }
      let runtime = try await JobRuntime.prepared(
        registry, store: fixture.memory, queue: .store, authentication: .trustLoopback,
        options: fixture.options(owner))
      var options = JobWorker.Options()
      change(&options)
      return (runtime, JobWorker(runtime, options: options))
    }
    let (scheduling, scheduler) = try await start("scheduler") { $0.executesRuns = false }
    let (executing, executor) = try await start("executor") { $0.runsSchedules = false }
    fixture.clock.advance(by: .minutes(29))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await scheduler.run() }
      try await until { try await !scheduling.runs(matching: RunFilter(job: "tick")).runs.isEmpty }
      group.addTask { await executor.run() }
      try await until {
        fixture.clock.advance(by: .milliseconds(500))
        return effects.count == 3
      }
      #expect(effects.list == ["10:20", "10:25", "10:30"].map { "2026-11-21T\($0):00Z" })
      #expect(try await fixture.journal().contains("tick waiting"))
      #expect(try await !fixture.journal().contains { $0.contains("skipped") })
      for runtime in [scheduling, executing] { await runtime.drain(within: .zero) }
      try await group.waitForAll()
    }
  }

  @Test("A worker for some queues leaves the runs and the schedules of other queues to others")
  func queues() async throws {
    let effects = fixture.effects
    func start(_ owner: String, _ queues: Set<String>) async throws -> (JobRuntime, JobWorker) {
      let runtime = try await runtime(owner) {
        EndpointJob("job", input: String.self) { name, _ in effects.add("\(owner) \(name)") }
        PeriodicJob("tick", every: .minutes(1)) { _ in effects.add("\(owner) tick") }.queue("low")
      }
      var options = JobWorker.Options()
      (options.queues, options.heartbeat) = (queues, nil)
      return (runtime, JobWorker(runtime, options: options))
    }
    let (front, frontWorker) = try await start("front", ["critical", "default"])
    let (back, backWorker) = try await start("back", ["low"])
    // More than one look holds, all before the only run that the front worker may execute.
    for number in 0..<300 {
      var request = EnqueueRequest("job", "low \(number)")
      request.queue = "low"
      try await front.enqueue([request])
    }
    var request = EnqueueRequest("job", "urgent")
    request.queue = "critical"
    try await front.enqueue([request])
    try await front.enqueue("job", "plain")
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await frontWorker.run() }
      try await until { effects.count == 2 }
      for _ in 0..<240 {
        fixture.clock.advance(by: .milliseconds(500))
        for _ in 0..<50 { await Task.yield() }
      }
      #expect(Set(effects.list) == ["front urgent", "front plain"])
      group.addTask { await backWorker.run() }
      try await until {
        fixture.clock.advance(by: .milliseconds(100))
        return effects.list.count { $0.hasPrefix("back low") } == 300 && effects.list.contains("back tick")
      }
      #expect(effects.list.allSatisfy { $0.hasPrefix("back") || $0 == "front urgent" || $0 == "front plain" })
      for runtime in [front, back] { await runtime.drain(within: .zero) }
      try await group.waitForAll()
    }
  }
}
