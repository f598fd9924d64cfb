#if SQLite
import CloudJobs
import CloudJobsCore
@testable import CloudJobsSQLite
import Foundation
import GRDB
import Testing

@Suite("Several processes on one file", .serialized)
struct SQLiteProcessTests {
  @Test("4 processes with 500 conditional increments each lose nothing and double nothing")
  func increments() async throws {
    let folder = try TemporaryFolder()
    let hammers = try (0..<4).map { try Hammer("increment", folder.path(), 500, "p\($0)") }
    var told = Set<String>()
    for hammer in hammers {
      let lines = await hammer.finished()
      #expect(hammer.status == 0)
      told.formUnion(lines)
    }
    #expect(told.count == 2_000)
    try await check(folder.path(), told: told, unknown: 0)
  }

  @Test("4 processes that claim the same 500 runs win each of them exactly once")
  func claims() async throws {
    let folder = try TemporaryFolder()
    let hammers = try (0..<4).map { try Hammer("claim", folder.path(), 500, "p\($0)") }
    var winners: [String: String] = [:]
    for (number, hammer) in hammers.enumerated() {
      for line in await hammer.finished() {
        #expect(winners.updateValue("p\(number)", forKey: line) == nil, "\(line) has one winner")
      }
    }
    #expect(winners.count == 500)
    let store = try SQLiteStore(path: folder.path())
    for number in 0..<500 {
      let id = id("claim-\(number)")
      let run = try await store.read(jobs: [], runs: [id]).runs[id]?.run.get()
      #expect(run?.reason == winners["claim-\(number)"])
    }
  }

  @Test("Processes killed at any moment lose nothing that they have told", arguments: 0..<3)
  func kills(_ round: Int) async throws {
    let folder = try TemporaryFolder()
    let hammers = try (0..<4).map { try Hammer("increment", folder.path(), 500, "p\($0)") }
    // Two are killed when they have told some commits: the others go on beside what they leave behind.
    var told = Set<String>()
    for (number, hammer) in hammers.prefix(2).enumerated() {
      hammer.kill(afterLines: 20 + round * 61 + number * 37)
    }
    for (number, hammer) in hammers.enumerated() {
      told.formUnion(await hammer.finished())
      #expect((hammer.status == 0) == (number >= 2))
    }
    #expect(told.count >= 1_000)
    try await check(folder.path(), told: told, unknown: 2)
  }

  /// Checks that each increment that was told is there once, and no more than some of which the answer was lost.
  private func check(_ path: String, told: Set<String>, unknown: Int) async throws {
    let store = try SQLiteStore(path: path)
    let counter = try await store.read(jobs: [], runs: [id("counter")]).runs[id("counter")]?.run.get().handoffs
    let marks = try await store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM runs") ?? 0 } - 1
    #expect(counter == marks, "each increment has its mark")
    #expect((told.count...told.count + unknown).contains(marks))
    let names = Array(told)
    for start in stride(from: 0, to: names.count, by: 500) {
      let ids = names[start..<min(start + 500, names.count)].map { id($0) }
      #expect(try await store.read(jobs: [], runs: ids).runs.count == ids.count, "what was told is there")
    }
    let versions = try await store.pool.read { try Int.fetchOne($0, sql: "SELECT count(DISTINCT version) FROM runs") }
    #expect(versions == marks + 1, "versions are unique across processes")
    #expect(try await store.pool.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    _ = try await store.commit([.deleteRun(id("counter"), .none)])
  }

  private func id(_ name: String) -> RunID {
    RunID(job: "hammer", occurrence: .key(name))
  }
}
#endif
