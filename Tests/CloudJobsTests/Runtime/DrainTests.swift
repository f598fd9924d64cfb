import CloudJobs
import CloudJobsCore
import Testing

@Suite("Drain")
struct DrainTests {
  private let world = World()

  @Test("Work under way may end within the limit; new work is refused")
  func waits() async throws {
    let gate = Gate()
    let runtime = try await world.runtime {
      EndpointJob("job") { _ in
        await gate.pass()
        return .done
      }
    }
    async let handling = runtime.runNow("job")
    await gate.arrivals()
    async let released = runtime.drain()
    while world.clock.sleepers < 2 { await Task.yield() }
    #expect(try await runtime.runNow("job").error?.code == .storeUnavailable)
    #expect(await runtime.pass().error?.code == .storeUnavailable)
    #expect(await runtime.handleRequest(body: [], path: "master", peer: .inProcess).status == 503)
    gate.open()
    #expect(try await handling.status == .succeeded)
    #expect(await released == 0)
  }

  @Test("What does not end in time gives its lease back; its late result is refused, and it runs elsewhere at once")
  func givesBack() async throws {
    let gate = Gate()
    let effects = world.effects
    let jobs: @Sendable () -> [any JobHandler] = {
      [
        EndpointJob("job") { context in
          effects.add("\(context.attempt)")
          if context.attempt == 1 { await gate.pass() }
          return .done
        }.retry(.never)
      ]
    }
    let runtime = try await world.runtime("one") { jobs() }
    let id = try await runtime.enqueue("job").id
    let task = try #require(world.queue.due(at: world.clock.now()).first)
    async let response = runtime.handleRequest(body: task.body.bytes, peer: .inProcess)
    await gate.arrivals()
    async let released = runtime.drain(within: .seconds(7))
    while world.clock.sleepers < 2 { await Task.yield() }
    world.clock.advance(by: .seconds(7))
    #expect(await released == 1)
    let waiting = try await world.run(id)
    #expect((waiting.status, waiting.failures, waiting.lease, waiting.fence) == (.scheduled, 0, nil, 2))
    #expect(waiting.reason == "The process ended during attempt 1.")
    gate.open()
    #expect(await response.status == 409)
    let other = try await world.runtime("two") { jobs() }
    #expect(await world.deliverDue(to: other) == [200])
    let run = try await world.run(id)
    #expect((run.status, run.attempt, run.failures) == (.succeeded, 2, 0))
    #expect(effects.list == ["1", "2"])
  }

  @Test("An idle instance drains at once, and its events end")
  func idle() async throws {
    let runtime = try await world.runtime { EndpointJob("job") { _ in .done } }
    let before = runtime.events.stream()
    #expect(await runtime.drain() == 0)
    #expect(await before.first { _ in true } == nil)
    #expect(await runtime.events.stream().first { _ in true } == nil)
    #expect(await runtime.drain() == 0)
  }
}
