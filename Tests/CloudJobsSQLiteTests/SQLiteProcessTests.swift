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
    let processes = try (0..<4).map { try StoreStressProcess("increment", folder.path(), 500, "p\($0)") }
    var reported = Set<String>()
    for process in processes {
      let lines = await process.finished()
      #expect(process.status == 0)
      reported.formUnion(lines)
    }
    #expect(reported.count == 2_000)
    try await check(folder.path(), reported: reported, unknown: 0)
  }

  @Test("4 processes that claim the same 500 runs win each of them exactly once")
  func claims() async throws {
    let folder = try TemporaryFolder()
    let processes = try (0..<4).map { try StoreStressProcess("claim", folder.path(), 500, "p\($0)") }
    var winners: [String: String] = [:]
    for (number, process) in processes.enumerated() {
      for line in await process.finished() {
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

  @Test("Processes killed at any moment lose nothing that they have reported", arguments: 0..<3)
  func kills(_ round: Int) async throws {
    let folder = try TemporaryFolder()
    let processes = try (0..<4).map { try StoreStressProcess("increment", folder.path(), 500, "p\($0)") }
    // Two are killed after they have reported some commits; the others continue with the remains.
    var reported = Set<String>()
    for (number, process) in processes.prefix(2).enumerated() {
      process.kill(afterLines: 20 + round * 61 + number * 37)
    }
    for (number, process) in processes.enumerated() {
      reported.formUnion(await process.finished())
      #expect((process.status == 0) == (number >= 2))
    }
    #expect(reported.count >= 1_000)
    try await check(folder.path(), reported: reported, unknown: 2)
  }

  @Test("Of processes that share a file one leads at a time, and another one leads when the leader is killed")
  func leadership() async throws {
    let folder = try TemporaryFolder()
    let processes = try (0..<3).map { try StoreStressProcess("lead", folder.path(), 8, "p\($0)") }
    processes[0].kill(afterLines: 4)
    // The time, whether a term begins, and its number.
    var events: [(time: Int64, begins: Bool, term: Int64)] = []
    for process in processes {
      for line in await process.finished() {
        let words = line.split(separator: " ")
        events.append((Int64(words[0]) ?? 0, words[1] == "begin", Int64(words[2]) ?? 0))
      }
    }
    #expect(processes.dropFirst().allSatisfy { $0.status == 0 })
    let begun = events.filter(\.begins).sorted { $0.time < $1.time }
    #expect(begun.count >= 17 && begun.map(\.term) == begun.map(\.term).sorted())
    #expect(Set(begun.map(\.term)).count == begun.count)
    let ends = Dictionary(uniqueKeysWithValues: events.filter { !$0.begins }.map { ($0.term, $0.time) })
    for (one, next) in zip(begun, begun.dropFirst()) {
      // The killed leader tells no end.
      #expect(ends[one.term].map { $0 <= next.time } ?? (next.time - one.time > 500_000), "\(one.term)")
    }
  }

  /// Checks that each reported increment is present once, and that few others are, whose answers were lost.
  private func check(_ path: String, reported: Set<String>, unknown: Int) async throws {
    let store = try SQLiteStore(path: path)
    let counter = try await store.read(jobs: [], runs: [id("counter")]).runs[id("counter")]?.run.get().reenqueues
    let marks = try await store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM runs") ?? 0 } - 1
    #expect(counter == marks, "each increment has its mark")
    #expect((reported.count...reported.count + unknown).contains(marks))
    let names = Array(reported)
    for start in stride(from: 0, to: names.count, by: 500) {
      let ids = names[start..<min(start + 500, names.count)].map { id($0) }
      #expect(try await store.read(jobs: [], runs: ids).runs.count == ids.count, "what was reported is there")
    }
    let versions = try await store.pool.read { try Int.fetchOne($0, sql: "SELECT count(DISTINCT version) FROM runs") }
    #expect(versions == marks + 1, "versions are unique across processes")
    #expect(try await store.pool.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    _ = try await store.commit([.deleteRun(id("counter"), .none)])
  }

  private func id(_ name: String) -> RunID {
    RunID(job: "stress", occurrence: .key(name))
  }
}
#endif
