#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import GRDB
import Synchronization
import Testing

@Suite("Effects on SQLite under stress", .serialized)
struct SQLiteEffectStressTests {
  /// The number of deliveries of which 100 copies arrive at once.
  private static let deliveries = StressScale.isFull ? 1_000 : 50
  private static let copies = 100
  private static let lateAttempts = 500

  @Test("100 concurrent copies of each delivery, over two openings of the file, have one effect")
  func copies() async throws {
    let fixture = try await EffectFixture()
    let stores = [fixture.store, try fixture.open()]
    let runtimes = try stores.enumerated().map { index, store in
      try fixture.runtime("owner \(index)", over: store) {
        EndpointJob("pay") { context in
          try await store.perform(effect: "pay", for: context, EffectFixture.pay(context))
          try await store.perform(effect: "pay", for: context, EffectFixture.pay(context))
        }
      }
    }
    var counts: [DeliveryResult.Status: Int] = [:]
    for number in 0..<Self.deliveries {
      await withTaskGroup(of: DeliveryResult.Status.self) { group in
        for copy in 0..<Self.copies {
          let runtime = runtimes[copy % 2]
          group.addTask { await runtime.deliver(delivery("pay", "\(number)")).status }
        }
        for await status in group { counts[status, default: 0] += 1 }
      }
    }
    #expect(counts[.succeeded] == Self.deliveries && counts.values.reduce(0, +) == Self.deliveries * Self.copies)
    #expect(Set(counts.keys).isSubset(of: [.succeeded, .duplicate, .busy]), "\(counts)")
    #expect(try await fixture.number("SELECT count(*) FROM payments") == Self.deliveries)
    #expect(try await fixture.number("SELECT count(DISTINCT run) FROM payments") == Self.deliveries)
  }

  @Test("Attempts that end after their lease was taken over are refused, effects and results, 500 of 500")
  func lateAttempts() async throws {
    let fixture = try await EffectFixture()
    let gate = Latch()
    let refused = Mutex(0)
    let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
    func runtime(_ owner: String, clock: (any JobClock)? = nil) throws -> JobRuntime {
      let store = try fixture.open()
      return try fixture.runtime(owner, over: store, clock: clock) {
        EndpointJob("pay") { context in
          if owner == "late" {
            arrived.yield()
            await gate.wait()
          }
          do {
            try await store.perform(effect: "pay", for: context, EffectFixture.pay(context))
          } catch let error as JobError where error.code == .leaseLost {
            refused.withLock { $0 += 1 }
          }
        }
      }
    }
    // The clock of an instance that hangs stands still; the store's goes on.
    let (late, other) = (try runtime("late", clock: ManualClock()), try runtime("other"))
    let results = await withTaskGroup(of: DeliveryResult.Status.self) { group in
      for number in 0..<Self.lateAttempts { group.addTask { await late.deliver(delivery("pay", "\(number)")).status } }
      var iterator = arrivals.makeAsyncIterator()
      for _ in 0..<Self.lateAttempts { await iterator.next() }
      fixture.clock.advance(by: .seconds(1_000))
      for number in 0..<Self.lateAttempts {
        #expect(await other.deliver(delivery("pay", "\(number)")).status == .succeeded)
      }
      gate.open()
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(refused.withLock { $0 } == Self.lateAttempts, "the effects that were refused")
    #expect(results.filter { $0 == .leaseLost }.count == Self.lateAttempts, "the results that were refused")
    #expect(try await fixture.number("SELECT count(*) FROM payments WHERE attempt = 2") == Self.lateAttempts)
    #expect(try await fixture.number("SELECT count(*) FROM payments") == Self.lateAttempts)
    #expect(try await fixture.number("SELECT count(*) FROM runs WHERE status = 'succeeded'") == Self.lateAttempts)
  }
}
#endif
