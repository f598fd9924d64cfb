#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import CloudJobsTesting
import Testing

@Suite("SQLite store")
struct SQLiteConformanceTests {
  @Test(
    "conforms",
    arguments: StoreConformance.cases(offering: [.importing, .reopening, .purging, .dueTimes, .claiming, .counting]))
  func conforms(_ testCase: StoreConformance.Case) async throws {
    let folder = try TemporaryFolder()
    try await testCase.run(harness(folder, groupLimit: 256))
    withExtendedLifetime(folder) {}
  }

  @Test("conforms without shared commits", arguments: StoreConformance.concurrencyCases)
  func conformsPlainly(_ testCase: StoreConformance.Case) async throws {
    let folder = try TemporaryFolder()
    try await testCase.run(harness(folder, groupLimit: 1))
    withExtendedLifetime(folder) {}
  }

  @Test("The runtime conforms on it", arguments: RuntimeConformance.cases)
  func runtimeConforms(_ testCase: RuntimeConformance.Case) async throws {
    let folder = try TemporaryFolder()
    let stores = harness(folder, groupLimit: 256)
    try await testCase.run { try await stores.makeStore($0) }
    withExtendedLifetime(folder) {}
  }

  private func harness(_ folder: TemporaryFolder, groupLimit: Int) -> StoreConformance.Harness {
    let path = folder.path()
    let open: @Sendable (any JobClock) throws -> any JobStore = { clock in
      try SQLiteStore(path: path, clock: clock, busyTimeout: .seconds(60), groupLimit: groupLimit)
    }
    return StoreConformance.Harness(
      makeStore: { try open($0) },
      importJob: { store, id, fields in
        try await #require(store as? SQLiteStore).importJob(id: id, fields: fields)
      },
      exportJob: { store, id in try await #require(store as? SQLiteStore).exportJob(id: id) },
      reopen: { _, clock in try open(clock) })
  }
}
#endif
