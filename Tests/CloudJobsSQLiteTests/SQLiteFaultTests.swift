#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
@testable import CloudJobsSQLite
import CloudJobsTesting
import Foundation
import GRDB
import Logging
import Testing

@Suite("SQLite store under faults")
struct SQLiteFaultTests {
  @Test("A full disk rejects commits that need space, rolls them back, and accepts them when there is space again")
  func fullDisk() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    _ = try await store.commit([.putRun(run("before"), .none)])
    try await store.pool.writeWithoutTransaction { database in
      let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
      try database.execute(sql: "PRAGMA max_page_count = \(pages + 4)")
    }
    var large = run("large")
    large.input = JSONText(.string(String(repeating: "x", count: 200_000)))
    let writes: [Write] = [.putRun(run("beside"), .none), .putRun(large, .none)]
    let error = await #expect(throws: StoreError.self) { try await store.commit(writes) }
    #expect(error?.code == .unavailable)
    #expect(error?.nativeCode == "SQLITE_FULL")
    #expect(error?.message.contains("Free some space") == true)
    #expect(try await store.runs(matching: RunFilter(), after: nil, limit: 9).records.map(\.id) == [run("before").id])

    // A small commit in the same group does not fail because of the large one.
    let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
      for number in 0..<6 {
        group.addTask { [large] in
          let write = Write.putRun(number == 3 ? large : run("small \(number)"), .absent)
          do throws(StoreError) {
            _ = try await store.commit([write])
            return (number, true)
          } catch {
            return (number, false)
          }
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    #expect(outcomes == [0: true, 1: true, 2: true, 3: false, 4: true, 5: true])
    try await store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
    _ = try await store.commit([.putRun(large, .absent)])
    #expect(try await store.pool.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
  }

  @Test("A write lock kept by another process is reported as unavailable, reads continue, and commits resume")
  func busy() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path(), busyTimeout: .milliseconds(50))
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: folder.path(), configuration: configuration)
    try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(run("one"), .none)]) }
    #expect(error?.code == .unavailable)
    #expect(error?.nativeCode == "SQLITE_BUSY")
    #expect(try await store.read(jobs: [], runs: [run("one").id]).runs.isEmpty)
    try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    _ = try await store.commit([.putRun(run("one"), .absent)])
  }

  @Test("Under a permanent lock a trigger is answered 503 in time, and the health report names the store")
  func busyService() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path(), busyTimeout: .seconds(1))
    var options = RuntimeOptions()
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    options.storeRetry.limit = .seconds(1)
    options.storeRetry.persistence = .zero
    let runtime = JobRuntime(
      try JobRegistry {
        PeriodicJob("cleanup", every: .seconds(1)) { _ in .done }
        EndpointJob("greet") { _ in .done }
      }, store: store, authentication: .trustLoopback, options: options)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await JobWorker(runtime).run() }
      var configuration = Configuration()
      configuration.allowsUnsafeTransactions = true
      let other = try DatabaseQueue(path: folder.path(), configuration: configuration)
      try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
      let clock = options.clock
      try await clock.sleep(until: clock.now() + .seconds(2))
      let start = clock.now()
      let answer = await runtime.handleRequest(body: Array(#"{"jobId":"greet"}"#.utf8), peer: .inProcess)
      // Two waits of the store: that of the worker's earlier commit, and its own.
      #expect(answer.status == 503 && clock.now() - start < .seconds(4), "\(clock.now() - start)")
      #expect(await runtime.healthReport().problems.map(\.code).contains(.storeUnavailable))
      try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
      await runtime.drain(within: .seconds(5))
      try await group.waitForAll()
    }
  }

  @Test("A configuration that is not an object quarantines its document, though its state is readable")
  func noObject() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    var patch = JobStatePatch()
    patch.set(nextRun: .epoch)
    _ = try await store.commit([.patchState("job", patch, .none)])
    try await store.pool.write { try $0.execute(sql: "UPDATE jobs SET configuration = '[]'") }
    let record = try await store.read(jobs: ["job"], runs: []).jobs["job"]
    #expect(throws: JobError.self) { try record?.document.get() }
  }

  @Test("Documents damaged by hand are returned as failures beside the others, and can be repaired")
  func handMadeDamage() async throws {
    let folder = try TemporaryFolder()
    let clock = VirtualClock(start: .epoch + .days(20_000), sleep: .moves)
    let store = try SQLiteStore(path: folder.path(), clock: clock)
    var patch = JobStatePatch()
    patch.set(nextRun: .epoch)
    for name in ["a", "b", "c"] as [JobID] {
      var waking = run(name.rawValue)
      waking.wakeAt = .epoch
      _ = try await store.commit([.patchState(name, patch, .none), .putRun(waking, .none)])
    }
    try await store.pool.write { database in
      try database.execute(sql: "UPDATE jobs SET state = '{not json' WHERE id = 'b'")
      try database.execute(sql: "UPDATE runs SET document = '[' WHERE id = ?", arguments: [run("b").id.rawValue])
    }
    let due = try await store.dueJobs(after: nil, limit: 5).records
    #expect(due.map(\.id) == ["a", "b", "c"])
    #expect(due.map(\.nextRun) == [.epoch, .epoch, .epoch])
    #expect(due.map { (try? $0.document.get()) != nil } == [true, false, true])
    let waking = try await store.wakingRuns(after: nil, limit: 5).records
    #expect(Set(waking.filter { (try? $0.run.get()) == nil }.map(\.id)) == [run("b").id])
    await #expect(throws: StoreError.self) { try await store.exportJob(id: "b") }
    _ = try await store.commit([.patchState("b", patch, .none), .putRun(run("b"), .fence(0))])
    #expect(try await store.read(jobs: ["b"], runs: []).jobs["b"]?.document.get().state.nextRun == .epoch)
  }

  @Test(
    "Result codes have the same meaning everywhere, except while a transaction is written to disk",
    arguments: [
      (.SQLITE_BUSY, .unavailable, .unavailable), (.SQLITE_BUSY_SNAPSHOT, .unavailable, .unavailable),
      (.SQLITE_LOCKED, .unavailable, .unavailable), (.SQLITE_FULL, .unavailable, .unavailable),
      (.SQLITE_IOERR, .unavailable, .unknownOutcome), (.SQLITE_IOERR_FSYNC, .unavailable, .unknownOutcome),
      (.SQLITE_CANTOPEN, .unavailable, .unknownOutcome), (.SQLITE_READONLY, .unavailable, .unavailable),
      (.SQLITE_CORRUPT, .invalid, .unknownOutcome), (.SQLITE_NOTADB, .invalid, .unknownOutcome),
      (.SQLITE_INTERRUPT, .unavailable, .unknownOutcome), (.SQLITE_ABORT, .unavailable, .unknownOutcome),
    ] as [(ResultCode, StoreError.Code, StoreError.Code)])
  func codes(_ result: ResultCode, _ usual: StoreError.Code, _ committing: StoreError.Code) {
    let error = DatabaseError(resultCode: result)
    for phase in [.opening("jobs.db"), .reading, .beginning, .changing] as [StoreError.Phase] {
      #expect(StoreError(sqlite: error, during: phase).code == usual)
    }
    let failure = StoreError(sqlite: error, during: .committing)
    #expect(failure.code == committing)
    #expect(failure.nativeCode?.hasPrefix("SQLITE_") == true)
    #expect(StoreError(sqlite: error, during: .opening("jobs.db")).message.contains("jobs.db"))
  }

  @Test("Every list is served by an index in order, without sorting more than a page")
  func plans() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    let cursor = StoreCursor(key: 1, id: "a")
    let filters: [(RunFilter, String)] = [
      (RunFilter(), "runs_by_time"), (RunFilter(job: "a"), "runs_by_job"),
      (RunFilter(job: "a", statuses: [.failed, .running]), "runs_by_job"),
      (RunFilter(statuses: [.failed]), "runs_by_status"), (RunFilter(correlationID: "c"), "runs_by_cause"),
      (RunFilter(job: "a", statuses: [.failed], correlationID: "c"), "runs_by_cause"),
      (RunFilter(createdFrom: .epoch, createdBefore: .distantFuture), "runs_by_time"),
    ]
    for (filter, index) in filters {
      for cursor in [nil, cursor] {
        let query = try #require(RunQuery.make(filter, after: cursor, limit: 10))
        let plan = try await plan(store, query.list.sql)
        #expect(plan.contains("USING INDEX \(index)"), "\(plan)")
        // Only runs of the same time are sorted.
        #expect(!plan.contains("TEMP B-TREE FOR ORDER BY"), "\(plan)")
      }
    }
    let several = try #require(RunQuery.make(RunFilter(statuses: [.failed, .running]), after: cursor, limit: 10))
    let union = try await plan(store, several.list.sql)
    #expect(union.components(separatedBy: "INDEX runs_by_status ").count == 3, "\(union)")
    #expect(!union.contains("SCAN runs"), "\(union)")
    for (sql, index) in [
      ("SELECT id FROM jobs WHERE next_run <= ? AND (next_run, id) > (?, ?) ORDER BY next_run, id LIMIT ?", "jobs_due"),
      ("SELECT id FROM runs WHERE wake_at <= ? AND (wake_at, id) > (?, ?) ORDER BY wake_at, id LIMIT ?", "runs_waking"),
      ("SELECT rowid FROM runs WHERE expire_at <= ? ORDER BY expire_at LIMIT ?", "runs_expiring"),
      ("SELECT id FROM journal WHERE time <= ? ORDER BY time DESC, id DESC LIMIT ?", "journal_by_time"),
    ] {
      let plan = try await plan(store, sql)
      #expect(plan.contains("INDEX \(index) ") && !plan.contains("TEMP B-TREE"), "\(plan)")
    }
  }

  @Test("Counts read indexes only", arguments: [CountQuery.waiting, CountQuery.failed, CountQuery.byTime])
  func countPlans(sql: String) async throws {
    let folder = try TemporaryFolder()
    let plan = try await plan(try SQLiteStore(path: folder.path()), sql)
    let parts = plan.split(separator: "\n").filter { $0.contains(" runs ") }
    #expect(parts.count == (sql == CountQuery.byTime ? 2 : 1), "\(plan)")
    for part in parts { #expect(part.hasPrefix("SEARCH runs USING COVERING INDEX runs_by_"), "\(plan)") }
  }

  private func plan(_ store: SQLiteStore, _ sql: String) async throws -> String {
    try await store.pool.read { database in
      let statement = try database.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
      // The planner ignores the values of arguments.
      statement.setUncheckedArguments(StatementArguments())
      return try Row.fetchAll(statement).map { $0["detail"] as String }.joined(separator: "\n")
    }
  }

  private func run(_ name: String) -> Run {
    Run(
      id: RunID(job: "sample", occurrence: .key(name)), job: "sample", trigger: .manual, maxAttempts: 1,
      notBefore: .epoch, createdAt: .epoch)
  }
}
#endif
