#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import Testing

@testable import CloudJobsGoogle

/// That the file is enough for all that the store sends, the conformance suite shows, which runs with it.
@Suite("The index file of the Firestore store")
struct FirestoreIndexTests {
  /// A composite index's first field, and a list that no other index serves.
  private static let indexes = [
    ("job", "runs by job answers"), ("status", "runs by three statuses answers"), ("correlationId", "runs by cause"),
  ]

  @Test("has no composite index that the store could do without", arguments: indexes)
  func composites(field: String, list: String) async throws {
    var indexes = try IndexFile.shipped()
    indexes.composites.removeAll { "\($0.fields[0].path)" == field }
    #expect(try IndexFile.shipped().composites.count == indexes.composites.count + 1)
    let error = await failure(of: list, indexes)
    #expect(error?.code == .invalid && error?.message.contains("\"fieldPath\":\"\(field)\"") == true)
  }

  @Test("has no more composite indexes than those")
  func count() throws {
    #expect(try IndexFile.shipped().composites.count == Self.indexes.count)
  }

  @Test("keeps the one index on the time that runs are purged by")
  func purging() async throws {
    var indexes = try IndexFile.shipped()
    let place = try #require(indexes.overrides.firstIndex { "\($0.path)" == "expireAt" })
    #expect(indexes.overrides[place].indexes == [.init(.ascending)])
    indexes.overrides[place].indexes = []
    let error = await failure(of: "A purge deletes what has expired", indexes)
    #expect(error?.code == .invalid && error?.message.contains("COLLECTION_ASC index for collection runs") == true)
  }

  /// How a case of the conformance suite fails with these indexes.
  private func failure(of name: String, _ indexes: Firestore.IndexConfiguration) async -> StoreError? {
    let cases = StoreConformance.cases.filter { $0.name.hasPrefix(name) }
    #expect(cases.count == 1)
    let harness = StoreConformance.Harness(
      makeStore: { EmulatedFirestore(clock: $0, indexes: indexes).store() })
    return await #expect(throws: StoreError.self) { for testCase in cases { try await testCase.run(harness) } }
  }
}
#endif
