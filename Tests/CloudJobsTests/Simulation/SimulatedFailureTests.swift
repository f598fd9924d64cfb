import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Synchronization
import Testing

@Suite("Failures of a simulation")
struct SimulatedFailureTests {
  private let effects = Effects()

  private func simulated() async throws -> SimulatedRuntime {
    try await JobRuntime.simulated(try SimulatedJobs.registry(effects))
  }

  @Test(
    "that concern one call are survived: the run succeeds, and its handler is called once",
    arguments: [
      SimulatedFailure.store, .commitConflict, .lostCommitResponse, .queue, .lostTask, .delivery, .lostResponse,
      .duplicateDelivery,
    ])
  func once(failure: SimulatedFailure) async throws {
    let local = try await simulated()
    local.fail(failure)
    try await local.enqueue(Mail(userID: "7"), key: "welcome-7")
    let drained = try await local.drain()
    #expect(drained.runs.map(\.status) == [.succeeded] && drained.runs.first?.attempt == 1)
    #expect(effects.count == 1)
    #expect(local.count(of: failure) == 1, "the failure took place")
    #expect(local.count(of: .store) + local.count(of: .queue) <= 1, "and no other one")
  }

  @Test(
    "that begin while the task is in the queue are survived too",
    arguments: [SimulatedFailure.store, .commitConflict, .lostCommitResponse], [1, 2, 3])
  func duringDelivery(failure: SimulatedFailure, times: Int) async throws {
    let local = try await simulated()
    try await local.enqueue(Mail(userID: "7"))
    local.fail(failure, times: times)
    #expect(try await local.drain().succeeded == 1)
    #expect(effects.count == 1)
    #expect(local.count(of: failure) > 0)
  }

  @Test("of the store that last too long reach the caller, and end with their duration")
  func outage() async throws {
    let local = try await simulated()
    local.fail(.store, for: .minutes(2))
    await #expect {
      try await local.enqueue(Mail(userID: "7"))
    } throws: {
      ($0 as? JobError)?.code == .storeUnavailable
    }
    #expect(try await local.enqueued().isEmpty, "a test sees the store in its outage")
    try await local.advance(by: .minutes(2))
    try await local.enqueue(Mail(userID: "7"))
    local.fail(.store, for: .hours(1))
    local.endFailures()
    #expect(try await local.drain().succeeded == 1)
  }

  @Test("of all deliveries are a downtime: what a scheduler fires in it is missed, what was enqueued is not")
  func downtime() async throws {
    let effects = effects
    let registry = try JobRegistry {
      PeriodicJob("poll", every: .minutes(10)) { context in
        effects.add("poll \(context.scheduledFor.map { "\($0)" } ?? "")")
      }
      EndpointJob("send") { _ in effects.add("send") }
    }
    let local = try await JobRuntime.simulated(registry)
    local.fail(.delivery, for: .minutes(35))
    try await local.enqueue("send")
    try await local.advance(by: .minutes(34))
    #expect(effects.count == 0)
    try await local.drain()
    try await local.advance(to: local.now + .minutes(2))
    #expect(Set(effects.list) == ["send", "poll 2026-01-01T00:30:00Z"])
    #expect(local.count(of: .delivery) > 34)
  }

  @Test("of the process in an attempt: another process continues the run when the lease has ended")
  func crash() async throws {
    let effects = effects
    let registry = try JobRegistry {
      EndpointJob("import") { context in
        effects.add("begin")
        if context.attempt == 1 { try await context.clock.sleep(for: .minutes(1)) }
        effects.add("end")
      }.timeout(.minutes(3))
    }
    let local = try await JobRuntime.simulated(registry)
    let start = local.now
    let id = try await local.enqueue("import").id
    try await local.advance(by: .seconds(20))
    let first = local.runtime
    local.crash()
    #expect(local.runtime !== first)
    try await local.advance(by: .minutes(2))
    #expect(effects.list == ["begin"])
    #expect(try await local.enqueued().map(\.status) == [.running], "the lease is kept")
    #expect(try await local.drain().succeeded == 1)
    #expect(effects.list == ["begin", "begin", "end"])
    // The lease lasts 3 minutes and 15 s; the queue delivers again at intervals that grow.
    #expect((start + .seconds(195)...start + .minutes(10)).contains(local.now))
    let run = try #require(try await local.runtime.run(withID: id))
    #expect((run.attempt, run.failures, run.lease == nil) == (2, 1, true))
  }

  @Test("of the process at a point that a handler chooses: nothing after it is committed")
  func crashInHandler() async throws {
    let crashes = Mutex<(@Sendable () -> Void)?>(nil)
    let refused = Mutex<JobError?>(nil)
    let registry = try JobRegistry {
      EndpointJob("import") { context in
        try await context.enqueue("child", key: "before")
        guard context.attempt == 1 else { return }
        crashes.withLock { $0 }?()
        do throws(JobError) {
          try await context.enqueue("child", key: "after")
        } catch {
          refused.withLock { $0 = error }
        }
      }
      EndpointJob("child") { _ in }
    }
    let local = try await JobRuntime.simulated(registry)
    crashes.withLock { $0 = { [weak local] in local?.crash() } }
    let id = try await local.enqueue("import").id
    let drained = try await local.drain()
    #expect(drained.runs.map(\.job) == ["child", "import"])
    #expect(refused.withLock { $0 }?.code == .storeUnavailable)
    let run = try #require(try await local.runtime.run(withID: id))
    #expect((run.status, run.attempt) == (.succeeded, 2))
  }

  @Test("and crashes are the same for the same seed")
  func sameTrace() async throws {
    func trace(seed: UInt64) async throws -> [String] {
      let registry = try JobRegistry {
        EndpointJob("send") { context in
          try await context.clock.sleep(for: .seconds(2))
          if context.attempt == 1 { throw JobFailure.failed("Busy.") }
        }
      }
      let local = try await JobRuntime.simulated(registry, seed: seed)
      for number in 0..<20 { try await local.enqueue("send", key: "\(number)") }
      local.fail(.lostResponse, times: 3)
      local.fail(.store, times: 5)
      try await local.advance(by: .seconds(1))
      local.crash()
      try await local.drain()
      return local.trace
    }
    let (first, second, other) = try await (trace(seed: 7), trace(seed: 7), trace(seed: 8))
    #expect(first == second && first != other && first.count > 40)
  }
}
