import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Testing

@Suite("The memory store")
struct StoreConformanceTests {
  private let harness = StoreConformance.Harness(
    makeStore: { MemoryStore(clock: $0) },
    importJob: { store, id, fields in try #require(store as? MemoryStore).importJob(id: id, fields: fields) },
    exportJob: { store, id in try #require(store as? MemoryStore).exportJob(id: id) })

  @Test(
    "conforms", arguments: StoreConformance.cases(offering: [.importing, .purging, .dueTimes, .claiming, .counting]))
  func conforms(_ testCase: StoreConformance.Case) async throws {
    try await testCase.run(harness)
  }

  @Test("is tried by at least 100 cases of different names")
  func cases() {
    let names = Set(StoreConformance.cases.map(\.name))
    #expect(names.count == StoreConformance.cases.count)
    #expect(names.count >= 100)
    #expect(StoreConformance.cases.flatMap(\.powers).contains(.reopening))
  }

  @Test("The runtime conforms on it", arguments: RuntimeConformance.cases)
  func runtimeConforms(_ testCase: RuntimeConformance.Case) async throws {
    try await testCase.run { MemoryStore(clock: $0) }
  }
}
