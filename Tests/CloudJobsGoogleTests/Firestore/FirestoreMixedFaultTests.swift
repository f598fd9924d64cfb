#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Synchronization
import Testing

@testable import CloudJobsGoogle

@Suite("Passes over a faulty Firestore")
struct FirestoreMixedFaultTests {
  /// A generator that yields the same at each start, splitmix64 (<https://prng.di.unimi.it/splitmix64.c>).
  private struct Numbers: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }

  /// What a world of passes came to.
  private struct Outcome {
    var executed: [RunID]
    var stored: [Run]
    var calls: Int
  }

  /// One call of eight fails: refused, cut before or after it took effect, slowed down or in contention.
  private static func fault(_ seed: UInt64, _ call: Int) -> FaultyExchange.Fault? {
    var numbers = Numbers(state: seed &+ UInt64(call) &* 977)
    switch Int.random(in: 0..<48, using: &numbers) {
    case 0: return .status(429)
    case 1: return .status(503)
    case 2: return .status(409)
    case 3: return .lostAnswer
    case 4: return .cutBefore
    case 5: return .timedOut
    default: return nil
    }
  }

  /// Runs 30 passes a minute apart over five jobs, then quiet ones until all is settled.
  private func live(seed: UInt64?) async throws -> Outcome {
    let clock = SettableClock(Timestamp(seconds: 1_763_719_320))
    let service = EmulatedFirestore(clock: clock)
    let isFaulty = Mutex(false)
    let faults = seed.map { seed in
      { @Sendable (call: Int, _: String) in isFaulty.withLock { $0 } ? Self.fault(seed, call) : nil }
    }
    let exchange = FaultyExchange(service, rule: faults ?? { _, _ in nil })
    let effects = Mutex<[RunID]>([])
    let runtime = try await runtime(StandingClock(time: clock), exchange) { id in effects.withLock { $0.append(id) } }
    exchange.reset()
    isFaulty.withLock { $0 = true }
    for _ in 0..<30 {
      clock.advance(by: .minutes(1))
      _ = await runtime.pass()
    }
    let calls = exchange.calls.count
    isFaulty.withLock { $0 = false }
    for _ in 0..<90 {
      clock.advance(by: .minutes(1))
      _ = await runtime.pass()
    }
    var runs = [Run]()
    var cursor: StoreCursor?
    repeat {
      let page = try await service.store().runs(matching: RunFilter(), after: cursor, limit: 500)
      runs += try page.records.map { try $0.run.get() }
      cursor = page.next
    } while cursor != nil
    return Outcome(executed: effects.withLock { $0 }, stored: runs, calls: calls)
  }

  private func runtime(
    _ clock: StandingClock, _ exchange: FaultyExchange, _ effect: @escaping @Sendable (RunID) -> Void
  ) async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.owner = "one"
    options.clock = clock
    options.random = RandomSource(Numbers(state: 7))
    options.passConcurrency = 1
    let jobs = try JobRegistry {
      for number in 0..<5 {
        PeriodicJob(JobID(stringLiteral: "job\(number)"), every: .minutes(1)) { context in
          effect(context.runID)
          return .done
        }
      }
    }
    let store = FirestoreStore(EmulatedFirestore.configuration, in: .at(exchange, clock))
    return try await JobRuntime(
      jobs, store: store, queue: NoQueue(), authentication: .trustLoopback, options: options)
  }

  @Test("Nothing is lost, nothing is done twice, and calls grow by half at most", arguments: [1, 2, 3] as [UInt64])
  func mixed(seed: UInt64) async throws {
    let quiet = try await live(seed: nil)
    let faulty = try await live(seed: seed)
    #expect(Set(faulty.executed).count == faulty.executed.count)
    #expect(Set(faulty.executed) == Set(faulty.stored.map(\.id)))
    #expect(faulty.stored.allSatisfy { $0.status == .succeeded })
    #expect(faulty.stored.count >= quiet.stored.count - 25)
    #expect(faulty.calls * 2 <= quiet.calls * 3, "\(faulty.calls) calls for \(quiet.calls)")
    #expect(faulty.calls > quiet.calls)
  }
}
#endif
