#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import GRDB
import Logging
import TestSupport
import Testing

@Suite("The documented tables of SQLite")
struct SQLiteTablesTests {
  @Test("Each column of the file is documented with its type, and no other")
  func columns() throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    let found = try withExtendedLifetime(store) {
      try DatabaseQueue(path: folder.path()).read { database in
        try String.fetchAll(
          database,
          sql: """
            SELECT tables.name || '.' || columns.name || ' ' || columns.type
            FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
            WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite%'
            """)
      }
    }
    #expect(found.sorted() == (try TablesGuide("SQLite").columns))
  }

  @Test("The documented queries tell runs with progress, logs, schedules and workers")
  func queries() async throws {
    let folder = try TemporaryFolder()
    let runtime = JobRuntime(
      try JobRegistry {
        EndpointJob("import", input: String.self) { file, context in
          await context.progress(percent: 40, "reading")
          context.logger.notice("It reads \(file).")
          if file == "bad" { throw JobFailure.permanent("No such file.") }
        }
        PeriodicJob("poll", every: .hours(1)) { _ in }
      }, store: try SQLiteStore(path: folder.path()), authentication: .trustLoopback)
    try await runtime.prepare()
    try await runtime.configure("poll") { $0.cron = "0 3 * * *" }
    for file in ["good", "bad"] { try await runtime.run("import", file) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await JobWorker(runtime).run() }
      while try await runtime.workers().isEmpty { await Task.yield() }
      let tables = try queries(of: folder)
      // A failed run leaves its job a document.
      #expect(tables.map(\.count) == [2, 2, 0, 2, 2, 1])
      let runs = tables[0].sorted { ($0["status"] as String) < ($1["status"] as String) }
      #expect(runs.map { $0["status"] as String } == ["failed", "succeeded"])
      #expect(runs[0]["error"] as String? == "No such file." && runs[1]["error"] as String? == nil)
      #expect(runs[0]["input"] as String == "\"bad\"" && runs[0]["attempt"] as Int == 1)
      #expect(runs[1]["percent"] as Double == 40 && runs[1]["step"] as String == "reading")
      #expect(tables[3].map { $0[1] as String } == ["notice", "notice"])
      let poll = try #require(tables[4].first { $0["id"] as String == "poll" })
      #expect(poll["cron"] as String == "0 3 * * *" && poll["next_run"] as String? != nil)
      #expect(tables[5][0]["active"] as Int == 0)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private func queries(of folder: TemporaryFolder) throws -> [[Row]] {
    try DatabaseQueue(path: folder.path()).read { database in
      try TablesGuide("SQLite").queries.map { try Row.fetchAll(database, sql: $0) }
    }
  }
}
#endif
