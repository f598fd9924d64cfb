import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import Synchronization
import TestSupport
import Testing

@testable import CloudJobs

@Suite("Calls to a store that is not reachable")
struct StoreClientTests {
  /// Returns the number of tries of a call that always fails, and the time that they take.
  private static func tries(
    asked: Duration?, each span: Duration = .zero,
    _ call: (StoreClient, () throws(StoreError) -> Void) async throws -> Void
  ) async -> (tries: Int, waited: Duration) {
    let clock = VirtualClock(start: .epoch, sleep: .moves)
    let client = StoreClient(
      store: MemoryStore(clock: clock), clock: clock, steadyClock: clock,
      random: RandomSource(SeededGenerator(seed: 7)),
      retry: StoreRetry(),
      health: HealthMonitor(
        HealthState(
          startedAt: .epoch, expectations: HealthExpectations(.pass, RuntimeOptions(), hasWorker: false)),
        logger: RuntimeOptions().logger))
    let count = Mutex(0)
    try? await call(client) { () throws(StoreError) in
      count.withLock { $0 += 1 }
      clock.advance(by: span)
      throw StoreError(.unavailable, "Not now.", retryAfter: asked)
    }
    return (count.withLock { $0 }, clock.now() - .epoch)
  }

  @Test("A pause that the service asks for is kept; for too long a one the call fails at once")
  func attempts() async {
    let own = await Self.tries(asked: nil) { try await $0.call(.read, $1) }
    #expect(own.tries == 3 && own.waited <= .milliseconds(300))
    let asked = await Self.tries(asked: .seconds(4)) { try await $0.call(.read, $1) }
    #expect(asked.tries == 3 && asked.waited == .seconds(8))
    let slow = await Self.tries(asked: nil, each: .seconds(5)) { try await $0.call(.read, $1) }
    #expect(slow.tries == 1, "a store that keeps each try waiting is not asked again")
    let refused = await Self.tries(asked: .seconds(11)) { try await $0.call(.read, $1) }
    #expect(refused.tries == 1 && refused.waited == .zero)
  }

  private static func persistently(_ client: StoreClient, _ call: () throws(StoreError) -> Void) async throws {
    var budget = client.budget()
    budget.persist(at: client.clock.now())
    try await client.call(.write, &budget, call)
  }

  @Test("A persistent budget waits as long as the service asks, within its bound")
  func persistence() async {
    let asked = await Self.tries(asked: .seconds(11)) { try await Self.persistently($0, $1) }
    #expect(asked.tries == 3 && asked.waited == StoreRetry().persistence)
    let own = await Self.tries(asked: nil) { try await Self.persistently($0, $1) }
    #expect(own.tries > 40 && own.waited >= StoreRetry().persistence)
  }

  @Test("One budget covers all calls of a piece of work, and five conflicts end it")
  func budget() {
    var random = SeededGenerator(seed: 7)
    var budget = RetryBudget(StoreRetry(), at: .epoch)
    let error = StoreError(.unavailable, "Not now.")
    #expect(budget.delay(after: error, at: .epoch, random: &random) != nil)
    #expect(budget.delay(after: error, at: .epoch, random: &random) != nil)
    #expect(budget.delay(after: error, at: .epoch, random: &random) == nil)
    #expect(budget.delay(after: StoreError(.conflict, ""), at: .epoch, random: &random) == nil)
    budget.persist(at: .epoch)
    #expect(budget.delay(after: error, at: .epoch, random: &random) != nil)
    #expect(budget.delay(after: error, at: .epoch + StoreRetry().persistence, random: &random) == nil)
    #expect((0..<5).map { _ in budget.takeConflict() } == [true, true, true, true, false])
  }
}
