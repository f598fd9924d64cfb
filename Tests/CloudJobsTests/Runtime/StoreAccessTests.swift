import CloudJobsCore
import CloudJobsTesting
import Synchronization
import Testing

@testable import CloudJobs

@Suite("Calls to a store that is not reachable")
struct StoreAccessTests {
  /// How often a call that always fails is made, and how long that takes.
  private static func tries(
    asked: Duration?, each span: Duration = .zero,
    _ call: (StoreAccess, () throws(StoreError) -> Void) async throws -> Void
  ) async -> (tries: Int, waited: Duration) {
    let clock = SettableClock(.epoch)
    let access = StoreAccess(
      store: MemoryStore(clock: clock), clock: clock, random: RandomSource(SeededRandom(state: 7)),
      retry: StoreRetry(),
      health: HealthMonitor(
        HealthState(
          startedAt: .epoch, expectations: HealthExpectations(.pass, RuntimeOptions(), hasWorker: false)),
        logger: RuntimeOptions().logger))
    let count = Mutex(0)
    try? await call(access) { () throws(StoreError) in
      count.withLock { $0 += 1 }
      clock.advance(by: span)
      throw StoreError(.unavailable, "Not now.", retryAfter: asked)
    }
    return (count.withLock { $0 }, clock.now() - .epoch)
  }

  @Test("A pause that the service asks for is kept; for too long a one the call fails at once")
  func attempts() async {
    let own = await Self.tries(asked: nil) { try await $0.attempt(.read, $1) }
    #expect(own.tries == 3 && own.waited <= .milliseconds(300))
    let asked = await Self.tries(asked: .seconds(4)) { try await $0.attempt(.read, $1) }
    #expect(asked.tries == 3 && asked.waited == .seconds(8))
    let slow = await Self.tries(asked: nil, each: .seconds(5)) { try await $0.attempt(.read, $1) }
    #expect(slow.tries == 1, "a store that keeps each try waiting is not asked again")
    let refused = await Self.tries(asked: .seconds(11)) { try await $0.attempt(.read, $1) }
    #expect(refused.tries == 1 && refused.waited == .zero)
  }

  private static func persistently(_ access: StoreAccess, _ call: () throws(StoreError) -> Void) async throws {
    try await access.persistently { () async throws(StoreError) in try await access.attempt(.read, call) }
  }

  @Test("What must be brought to an end waits as long as was asked, within its bound")
  func persistence() async {
    let asked = await Self.tries(asked: .seconds(11)) { try await Self.persistently($0, $1) }
    #expect(asked.tries == 3 && asked.waited == StoreRetry().persistence)
    let own = await Self.tries(asked: nil) { try await Self.persistently($0, $1) }
    #expect(own.tries > 60 && own.waited >= StoreRetry().persistence)
  }
}
