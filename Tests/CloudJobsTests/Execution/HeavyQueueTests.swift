import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Heavy work in another service")
struct HeavyQueueTests {
  private let fixture = RuntimeFixture()
  private let heavyQueue = RecordingQueue(.runtime)

  private func runtimes() async throws -> (light: JobRuntime, heavy: JobRuntime) {
    let effects = fixture.effects
    let jobs: @Sendable () -> [any JobHandler] = {
      let descriptor = JobDescriptor(weight: .heavy, isRetryable: true)
      return [
        EndpointJob("transcode") { context in
          effects.add("transcode \(context.attempt)")
          if context.attempt == 1 { throw JobFailure.failed("Again.") }
        }.descriptor(descriptor).retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(10)), jitter: .none)),
        PeriodicJob("index", every: .hours(1)) { _ in effects.add("index") }.descriptor(descriptor),
        EndpointJob("mail") { _ in effects.add("mail") },
      ]
    }
    var options = fixture.options("light")
    options.heavy = .queue(heavyQueue)
    let light = try await fixture.runtime("light", options: options) { jobs() }
    let heavy = try await fixture.runtime("heavy", queue: heavyQueue) { jobs() }
    return (light, heavy)
  }

  /// Delivers what is due in the queue of the service for heavy work.
  private func deliverHeavy(to runtime: JobRuntime) async -> [Int] {
    var codes = [Int]()
    for task in heavyQueue.due(at: fixture.clock.now()) {
      codes.append(await runtime.handleRequest(body: task.body.bytes, peer: .inProcess).status)
    }
    return codes
  }

  @Test("A request is handed over, and the other service owns the retries")
  func handsOver() async throws {
    let (light, heavy) = try await runtimes()
    let result = try await light.run("transcode", key: "k")
    #expect(result.status == .scheduled)
    #expect(fixture.effects.list == [] && fixture.queue.tasks.isEmpty)
    let waiting = try await fixture.run(result.runID)
    #expect((waiting.status, waiting.attempt, waiting.lease) == (.scheduled, 0, nil))
    #expect(await deliverHeavy(to: heavy) == [200])
    #expect(fixture.effects.list == ["transcode 1"])
    fixture.clock.advance(by: .seconds(10))
    #expect(await deliverHeavy(to: heavy) == [200])
    #expect(try await fixture.run(result.runID).status == .succeeded)
    #expect(fixture.effects.list == ["transcode 1", "transcode 2"])
  }

  @Test("Enqueued work goes to the queue of its service")
  func enqueues() async throws {
    let (light, _) = try await runtimes()
    _ = try await light.enqueue("transcode", key: "k")
    _ = try await light.enqueue("mail", key: "k")
    #expect(heavyQueue.names.count == 1 && fixture.queue.names.count == 1)
    #expect(await fixture.deliverDue(to: light) == [200])
    #expect(fixture.effects.list == ["mail"])
  }

  @Test("A master pass hands due work over too")
  func passes() async throws {
    let (light, heavy) = try await runtimes()
    fixture.clock.advance(by: .hours(1))
    _ = await light.runMasterPass()
    #expect(fixture.effects.list == [])
    #expect(await deliverHeavy(to: heavy) == [200])
    #expect(fixture.effects.list == ["index"])
    let state = try await fixture.document("index").state
    #expect(state.status == .success)
  }
}
