#if PostgreSQL
import CloudJobs
import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobsPostgres

@Suite("Due runs before the mark on PostgreSQL", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct StrayTests {
  @Test("Runs that another process commits late, or that a claim leaves alone, are found before the mark")
  func strays() async throws {
    let database = try PostgresServer.shared.get().database()
    let (store, other) = (try await database.open(), try await database.open())
    let now = try await store.read(jobs: [], runs: []).time
    let left = sampleRun("left", wakeAt: now - .minutes(2))
    _ = try await store.commit([.putRun(left, .absent)])
    func seen() async throws -> [RunID] {
      try await store.claim(after: nil, limit: 10, reading: []) { records, _ in records.map { _ in [] } }
        .runs.map(\.record.id)
    }
    /// The locks of the search before may still be there for a moment; what a search then leaves out, a look finds.
    func sees(_ ids: [RunID]) async throws -> Bool {
      for _ in 0..<2_500 {
        if try await seen() == ids { return true }
        try await Task.sleep(for: .milliseconds(20))
      }
      return false
    }
    for _ in 0..<3 {
      #expect(try await sees([left.id]))
      #expect(try await store.dueTimes(within: .seconds(1)).earliestRun == left.wakeAt)
    }
    #expect(store.front.withLock { $0.mark } > now - .minutes(1), "it does not hold up the mark")
    let late = sampleRun("late", wakeAt: now - .minutes(1))
    _ = try await other.commit([.putRun(late, .absent)])
    let begin = ContinuousClock.now
    while try await seen() != [left.id, late.id], ContinuousClock.now - begin < .seconds(60) {
      _ = try await store.dueTimes(within: .seconds(1))
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try await sees([left.id, late.id]))
    #expect(try await store.dueTimes(within: .seconds(1)).earliestRun == left.wakeAt)
    // What the process writes itself is seen at once.
    let own = sampleRun("own", wakeAt: now - .minutes(3))
    _ = try await store.commit([.putRun(own, .absent)])
    #expect(try await sees([own.id, left.id, late.id]))
    _ = try await store.commit([own, left, late].map { .deleteRun($0.id, .none) })
    #expect(try await sees([]))
    #expect(try await store.dueTimes(within: .seconds(1)).earliestRun == nil)
    for store in [store, other] { await store.close() }
  }
}
#endif
