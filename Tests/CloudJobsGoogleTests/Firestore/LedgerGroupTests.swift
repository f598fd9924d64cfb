#if HTTP
import CloudJobs
import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobsGoogle

@Suite("Commits that change ledgers together")
struct LedgerGroupTests {
  private static let now = Timestamp(seconds: 1_000)
  private static let id = LedgerID.job("sample")

  private static func run(_ name: String) throws -> RunID { RunID(job: "sample", occurrence: .key(name)) }

  private static func permit(_ name: String, max: Int? = nil, rate: RateLimit? = nil) throws -> LimitPermit {
    LimitPermit(try run(name), until: now + .seconds(60), JobLimit(id, maxConcurrent: max, rate: rate))
  }

  private static func take(_ name: String, max: Int? = nil, rate: RateLimit? = nil) throws -> [Write] {
    [.deleteRun(try run(name), .none), .changeLedger(id, .take(try permit(name, max: max, rate: rate)))]
  }

  @Test("Commits of one document are not made together, and a group is bounded")
  func indices() throws {
    let waiting = try ["a", "b", "a", "c", "b"].map { try Self.take($0) }
    #expect(LedgerGroup.indices(waiting, with: try Self.take("c")) == [0, 1])
    #expect(LedgerGroup.indices(waiting, with: try Self.take("d")) == [0, 1, 3])
    let many = try (0..<500).map { try Self.take("\($0)") }
    #expect(LedgerGroup.indices(many, with: try Self.take("x")).count == LedgerGroup.maximumWrites / 2 - 1)
  }

  @Test("A group writes each ledger once")
  func writes() throws {
    let group = try ["a", "b"].map { try Self.take($0) }
    let other = Write.changeLedger(.group("g"), .give([]))
    #expect(LedgerGroup.writes(group + [[other]]) == [group[0][0], group[0][1], group[1][0], other])
  }

  @Test("Permits are given in order until the limit is reached, and the rest is refused")
  func refusals() throws {
    let group = try ["a", "b", "c"].map { try Self.take($0, max: 2) }
    let plan = LedgerGroup.plan(group, [Self.id: (nil, Self.now)])
    #expect(plan.refusals.mapValues(\.code) == [2: .refused])
    let account = try #require(plan.ledgers[Self.id]?.ledger.limits)
    #expect(Set(account.holders.keys) == [try Self.run("a"), try Self.run("b")])
    #expect(plan.ledgers[Self.id]?.changedAt == nil)
  }

  @Test("A commit that one of its ledgers refuses changes none")
  func allOrNone() throws {
    let group = LedgerID.group("g")
    let full = LimitPermit(try Self.run("a"), until: Self.now, JobLimit(group, maxConcurrent: 0))
    let writes = try Self.take("a", max: 2) + [.changeLedger(group, .take(full))]
    let known: [LedgerID: (record: LedgerRecord?, asOf: Timestamp)] = [
      Self.id: (nil, Self.now), group: (nil, Self.now),
    ]
    let plan = LedgerGroup.plan([writes, try Self.take("b", max: 2)], known)
    #expect(Array(plan.refusals.keys) == [0])
    #expect(plan.ledgers[Self.id]?.ledger.limits?.holders.keys.map { $0 } == [try Self.run("b")])
  }

  @Test("The starts of a group count at its commit, not at the commit before")
  func starts() throws {
    let rate = RateLimit(3, per: .seconds(64))
    var stored = LimitLedger()
    (stored.newStarts, stored.period) = (1, .seconds(64))
    let earlier = Self.now + .seconds(-63)
    let record = LedgerRecord(id: Self.id, version: Version(1), changedAt: earlier, ledger: .limits(stored))
    let group = try ["a", "b", "c"].map { try Self.take($0, rate: rate) }
    let plan = LedgerGroup.plan(group, [Self.id: (record, Self.now)])
    let account = try #require(plan.ledgers[Self.id]?.ledger.limits)
    #expect(plan.refusals.keys.map { $0 } == [2])
    #expect((account.newStarts, account.starts.values.map { $0 }) == (2, [1]))
    #expect(plan.ledgers[Self.id]?.changedAt == earlier)
  }

  private final class Sizes: Sendable {
    let list = Mutex<[Int]>([])
  }

  @Test("Commits that wait for one under way are made together, and each gets its own answer")
  func queue() async throws {
    let queue = LedgerQueue()
    let gate = AsyncStream<Void>.makeStream()
    let groups = Sizes()
    let refused = try Self.take("c")
    let codes = try await withThrowingTaskGroup(of: (Int, StoreError.Code?).self) { tasks in
      for (number, name) in ["a", "b", "c", "d", "a"].enumerated() {
        let writes = try Self.take(name)
        tasks.addTask {
          do throws(StoreError) {
            _ = try await queue.commit(writes, changing: [Self.id]) { group in
              let isFirst = groups.list.withLock { groups in
                groups.append(group.count)
                return groups.count == 1
              }
              if isFirst { for await _ in gate.stream { break } }
              return group.map { $0 == refused ? .failure(StoreError(.conflict, "")) : .success(Self.now) }
            }
            return (number, nil)
          } catch {
            return (number, error.code)
          }
        }
        while number == 0, groups.list.withLock({ $0.isEmpty }) { await Task.yield() }
      }
      // The first commit is under way; the others gather behind it.
      for _ in 0..<1_000 { await Task.yield() }
      gate.continuation.yield()
      return try await tasks.reduce(into: [Int: StoreError.Code?]()) { $0[$1.0] = .some($1.1) }
    }
    #expect(codes == [0: nil, 1: nil, 2: .conflict, 3: nil, 4: nil])
    let sizes = groups.list.withLock { $0 }
    #expect(sizes.first == 1 && sizes.reduce(0, +) == 5 && sizes.count < 5, "\(sizes)")
  }
}
#endif
