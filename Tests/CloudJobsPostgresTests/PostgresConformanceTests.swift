#if PostgreSQL
import CloudJobs
import CloudJobsCore
import CloudJobsPostgres
import CloudJobsTesting
import Testing

@Suite("PostgreSQL store", .serialized, .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresConformanceTests {
  @Test(
    "conforms",
    arguments: StoreConformance.cases(offering: [.importing, .reopening, .purging, .dueTimes, .claiming, .counting]))
  func conforms(_ testCase: StoreConformance.Case) async throws {
    try await testCase.run(harness(groupLimit: 256))
  }

  @Test("conforms without shared commits", arguments: StoreConformance.concurrencyCases)
  func conformsPlainly(_ testCase: StoreConformance.Case) async throws {
    try await testCase.run(harness(groupLimit: 1))
  }

  @Test("The runtime conforms on it", arguments: RuntimeConformance.cases)
  func runtimeConforms(_ testCase: RuntimeConformance.Case) async throws {
    let stores = try harness(groupLimit: 256)
    try await testCase.run { try await stores.makeStore($0) }
  }

  private func harness(groupLimit: Int) throws -> StoreConformance.Harness {
    let database = try PostgresServer.shared.get().database()
    let open: @Sendable (any JobClock) async throws -> any JobStore = { clock in
      try await database.open {
        $0.clock = clock
        $0.connections = 3
        $0.groupLimit = groupLimit
      }
    }
    return StoreConformance.Harness(
      makeStore: { try await open($0) },
      importJob: { store, id, fields in
        try await #require(store as? PostgresStore).importJob(id: id, fields: fields)
      },
      exportJob: { store, id in try await #require(store as? PostgresStore).exportJob(id: id) },
      reopen: { _, clock in try await open(clock) })
  }
}
#endif
