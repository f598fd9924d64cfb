import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Drain")
struct DrainTests {
  private let fixture = RuntimeFixture()
  /// The drain's own time.
  private let clock = VirtualClock(start: RuntimeFixture.start)

  /// Lets the limit of a drain pass, just so, and then what cancelled handlers are given.
  private func pass(_ limit: Duration, grace: Bool = false) async {
    while clock.sleeperCount == 0 { await Task.yield() }
    clock.advance(by: limit)
    guard grace else { return }
    while clock.sleeperCount == 0 { await Task.yield() }
    clock.advance(by: .milliseconds(999))
    #expect(clock.sleeperCount == 1)
    clock.advance(by: .milliseconds(1))
  }

  private func untilTheHandlerSleeps() async {
    while fixture.clock.sleeperCount < 2 { await Task.yield() }
  }

  @Test("Work under way may end within the limit; new work is refused")
  func waits() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in
        await gate.pass()
        return .done
      }
    }
    async let result = runtime.run("job")
    await gate.arrivals()
    async let left = runtime.drain(within: .seconds(7), by: clock)
    while clock.sleeperCount == 0 { await Task.yield() }
    #expect(try await runtime.run("job").error?.code == .shuttingDown)
    #expect(await runtime.runMasterPass().error?.code == .shuttingDown)
    #expect(await runtime.handleRequest(body: [], path: "master", peer: .inProcess).status == 503)
    gate.open()
    #expect(try await result.status == .succeeded)
    #expect(await left == 0)
  }

  @Test("At the limit a handler is cancelled; what it throws then is no failure, and another instance runs it at once")
  func cancels() async throws {
    let effects = fixture.effects
    let jobs: @Sendable () -> [any JobHandler] = {
      [
        EndpointJob("job") { context in
          effects.add("\(context.attempt)")
          if context.attempt == 1 { try await context.clock.sleep(until: .distantFuture) }
          return .done
        }.retry(.never)
      ]
    }
    let runtime = try await fixture.runtime("one") { jobs() }
    let id = try await runtime.enqueue("job").id
    let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
    async let response = runtime.handleRequest(body: task.body.bytes, peer: .inProcess)
    await untilTheHandlerSleeps()
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.milliseconds(6_999))
    #expect(try await fixture.run(id).status == .running)
    await pass(.milliseconds(1))
    #expect(await left == 0)
    #expect(await response.status == 200)
    let waiting = try await fixture.run(id)
    #expect((waiting.status, waiting.failures, waiting.lease, waiting.fence) == (.scheduled, 0, nil, 2))
    #expect(waiting.reason == "The instance shut down during attempt 1.")
    let other = try await fixture.runtime("two") { jobs() }
    #expect(await fixture.deliverDue(to: other) == [200])
    let run = try await fixture.run(id)
    #expect((run.status, run.attempt, run.failures) == (.succeeded, 2, 0))
    #expect(effects.list == ["1", "2"])
  }

  @Test(
    "What a cancelled handler returns, or calls permanent, counts",
    arguments: [
      ("done", .succeeded, 0), ("cancel", .cancelled, 0), ("permanent", .failed, 1), ("error", .scheduled, 0),
    ] as [(String, RunStatus, Int)])
  func ends(how: String, status: RunStatus, failures: Int) async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("job") { context in
        try? await context.clock.sleep(until: .distantFuture)
        switch how {
        case "done": return .done
        case "cancel": return .cancel(reason: "enough")
        case "permanent": throw JobFailure.permanent("no")
        default: throw JobFailure.failed("broke off")
        }
      }
    }
    async let result = runtime.run("job")
    await untilTheHandlerSleeps()
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.seconds(7))
    #expect(await left == 0)
    let run = try await fixture.run(try await result.runID)
    #expect((run.status, run.failures) == (status, failures))
  }

  @Test("Where the caller owns the retries, it is told to deliver again")
  func callerDeliversAgain() async throws {
    let fixture = RuntimeFixture(retryOwner: .caller)
    let runtime = try await fixture.runtime {
      EndpointJob("job") { context in
        try await context.clock.sleep(until: .distantFuture)
        return .done
      }
    }
    async let result = runtime.run("job")
    while fixture.clock.sleeperCount < 2 { await Task.yield() }
    async let left = runtime.drain(within: .zero, by: clock)
    #expect(try await result.error?.code == .shuttingDown)
    #expect(await left == 0)
    #expect(try await fixture.runs().map(\.status) == [.scheduled])
  }

  @Test("A handler that goes on keeps its lease, and its late result counts")
  func keepsLease() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in
        await gate.pass()
        return .done
      }
    }
    async let result = runtime.run("job")
    await gate.arrivals()
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.seconds(7), grace: true)
    #expect(await left == 1)
    let run = try #require(try await fixture.runs().first)
    #expect(run.status == .running && run.lease != nil)
    gate.open()
    #expect(try await result.status == .succeeded)
  }

  @Test("A run that has ended is not set going again while its hooks still run")
  func leavesEndedRuns() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in .done }.onComplete { _, _ in await gate.pass() }
    }
    async let result = runtime.run("job", key: "k")
    await gate.arrivals()
    let id = RunID(job: "job", occurrence: .key("k"))
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.seconds(7), grace: true)
    #expect(await left == 1)
    #expect(await runtime.releaseLeases())
    #expect(try await fixture.run(id).status == .succeeded)
    #expect(fixture.queue.tasks.isEmpty)
    gate.open()
    #expect(try await result.status == .succeeded)
  }

  @Test("A process that ends cancels the run whose cancellation was requested, and delivers what waits for it")
  func cancelsRequested() async throws {
    let gate = HandlerGate()
    let jobs: @Sendable () -> [any JobHandler] = {
      [
        EndpointJob("job") { _ in
          await gate.pass()
          return .done
        },
        EndpointJob("next") { _ in .done },
      ]
    }
    let runtime = try await fixture.runtime("one") { jobs() }
    async let result = runtime.run("job", key: "k")
    await gate.arrivals()
    let id = RunID(job: "job", occurrence: .key("k"))
    var request = EnqueueRequest("next", key: "n")
    (request.prerequisites, request.failedPrerequisite) = ([id], .tolerate)
    let next = try await runtime.enqueue([request])[0].id
    let other = try await fixture.runtime("two") { jobs() }
    try await other.cancel(run: id)
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.seconds(7), grace: true)
    #expect(await left == 1)
    #expect(await runtime.releaseLeases())
    #expect(try await fixture.run(id).status == .cancelled)
    #expect(await fixture.deliverDue(to: other) == [200])
    #expect(try await fixture.run(next).status == .succeeded)
    gate.open()
    #expect(try await result.status == .leaseLost)
  }

  @Test("A process that ends gives the leases of such handlers back; their late results are refused")
  func releases() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { context in
        if context.attempt == 1 { await gate.pass() }
        return .done
      }
    }
    let id = try await runtime.enqueue("job").id
    let task = try #require(fixture.queue.due(at: fixture.clock.now()).first)
    async let response = runtime.handleRequest(body: task.body.bytes, peer: .inProcess)
    await gate.arrivals()
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.seconds(7), grace: true)
    #expect(await left == 1)
    #expect(await runtime.releaseLeases())
    let waiting = try await fixture.run(id)
    #expect((waiting.status, waiting.failures, waiting.lease, waiting.fence) == (.scheduled, 0, nil, 2))
    #expect(waiting.reason == "The instance shut down during attempt 1.")
    gate.open()
    #expect(await response.status == 409)
    let other = try await fixture.runtime("two") { EndpointJob("job") { _ in .done } }
    #expect(await fixture.deliverDue(to: other) == [200])
    #expect(try await fixture.run(id).status == .succeeded)
  }

  @Test("A lease that can't be given back is told, so that the process does not end as if nothing were lost")
  func storeIsAway() async throws {
    let gate = HandlerGate()
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in
        await gate.pass()
        return .done
      }
    }
    async let result = runtime.run("job")
    await gate.arrivals()
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.seconds(7), grace: true)
    #expect(await left == 1)
    fixture.store.isDown = true
    #expect(await !runtime.releaseLeases())
    fixture.store.isDown = false
    gate.open()
    #expect(try await result.status == .succeeded)
  }

  @Test("A delivery that has not claimed its run when handlers are cancelled is refused, and the run waits")
  func noLateClaims() async throws {
    let gate = HandlerGate()
    let effects = fixture.effects
    let runtime = try await fixture.runtime {
      EndpointJob("job") { _ in
        effects.add("ran")
        return .done
      }
    }
    fixture.store.onRead { await gate.pass() }
    async let result = runtime.run("job")
    await gate.arrivals()
    async let left = runtime.drain(within: .seconds(7), by: clock)
    await pass(.seconds(7), grace: true)
    #expect(await left == 1)
    gate.open()
    #expect(try await result.error?.code == .shuttingDown)
    #expect(effects.list.isEmpty)
  }

  @Test("An idle instance drains at once, and its events end")
  func idle() async throws {
    let runtime = try await fixture.runtime { EndpointJob("job") { _ in .done } }
    let before = runtime.events.stream()
    #expect(await runtime.drain() == 0)
    #expect(await before.first { _ in true } == nil)
    #expect(await runtime.events.stream().first { _ in true } == nil)
    #expect(await runtime.drain() == 0)
    #expect(await runtime.releaseLeases())
  }
}
