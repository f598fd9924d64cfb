#if PostgreSQL
import CloudJobs
import CloudJobsCore
import CloudJobsPostgres
import Logging
import TestSupport
import Testing

@Suite("The documented tables of PostgreSQL", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresTablesTests {
  @Test("Each column of the schema is documented with its type, and no other")
  func columns() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    let found = try database.execute(
      """
      SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ',')
      FROM information_schema.columns WHERE table_schema = '\(database.schema)'
      """)
    #expect((found ?? "").split(separator: ",").map(String.init).sorted() == (try TablesGuide("PostgreSQL").columns))
    await store.close()
  }

  @Test("Stores in two schemas of one database know nothing of each other")
  func schemas() async throws {
    let server = try PostgresServer.shared.get()
    let (one, other) = (server.database(), server.database())
    let (first, second) = (try await one.open(), try await other.open())
    _ = try await first.commit([.patchState("job", JobStatePatch(), .absent)])
    _ = try await second.commit([.patchState("job", JobStatePatch(), .absent)])
    #expect(one.schema != other.schema)
    _ = try await first.commit([.deleteJob("job", .none)])
    #expect(try await first.jobs(after: nil, limit: 9).records.isEmpty)
    #expect(try await second.jobs(after: nil, limit: 9).records.map(\.id) == ["job"])
    #expect(try one.number("SELECT count(*) FROM \(other.schema).jobs") == 1)
    await first.close()
    await second.close()
  }

  @Test("The documented queries tell runs with progress, logs, schedules and workers")
  func queries() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    let runtime = JobRuntime(
      try JobRegistry {
        EndpointJob("import", input: String.self) { file, context in
          await context.progress(percent: 40, "reading")
          context.logger.notice("It reads \(file).")
          if file == "bad" { throw JobFailure.permanent("No such file.") }
        }
        PeriodicJob("poll", every: .hours(1)) { _ in }
      }, store: store, authentication: .trustLoopback)
    try await runtime.prepare()
    try await runtime.configure("poll") { $0.cron = "0 3 * * *" }
    for file in ["good", "bad"] { try await runtime.run("import", file) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await JobWorker(runtime).run() }
      while try await runtime.workers().isEmpty { await Task.yield() }
      let queries = try TablesGuide("PostgreSQL").queries
      let counts = try queries.map { try database.number("SELECT count(*) FROM (\($0)) AS rows") }
      // A failed run leaves its job a document.
      #expect(counts == [2, 2, 0, 2, 2, 1])
      func values(_ query: Int, _ column: String) throws -> String? {
        try database.execute("SELECT string_agg(\(column), ',' ORDER BY \(column)) FROM (\(queries[query])) AS rows")
      }
      #expect(try values(0, "status") == "failed,succeeded" && values(0, "error") == "No such file.")
      #expect(try values(0, "input") == "\"bad\",\"good\"" && values(0, "step") == "reading,reading")
      #expect(try values(4, "cron") == "0 3 * * *" && values(4, "next_run") != nil)
      #expect(try values(5, "active") == "0")
      group.cancelAll()
      try await group.waitForAll()
    }
    await store.close()
  }
}
#endif
