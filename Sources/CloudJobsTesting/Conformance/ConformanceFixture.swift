import CloudJobs
import CloudJobsCore
import CloudJobsEmulator

/// A fresh store with its clock, and the questions that the cases ask.
struct ConformanceFixture: Sendable {
  /// Where the clock begins: 2026-01-01T12:00:00Z.
  static let start = Timestamp(seconds: 1_767_268_800)

  let clock = VirtualClock(start: start, sleep: .moves)
  let store: any JobStore
  private let harness: StoreConformance.Harness

  init(_ harness: StoreConformance.Harness) async throws {
    self.harness = harness
    store = try await harness.makeStore(clock)
  }

  /// The fixture's first time plus some seconds.
  func time(_ seconds: Int64) -> Timestamp {
    Self.start + .seconds(seconds)
  }

  @discardableResult
  func commit(_ writes: Write...) async throws -> Timestamp {
    try await store.commit(writes)
  }

  /// Commits what the store must refuse with a code.
  func refuse(_ code: StoreError.Code, _ writes: [Write], _ subject: String = "the commit") async throws {
    do throws(StoreError) {
      _ = try await store.commit(writes)
    } catch {
      return try ConformanceFailure.expect(error.code, code, "the code of the error of \(subject)")
    }
    throw ConformanceFailure(subject, expected: code.rawValue, found: "success")
  }

  func record(_ id: RunID) async throws -> RunRecord? {
    try await store.read(jobs: [], runs: [id]).runs[id]
  }

  func run(_ id: RunID) async throws -> Run? {
    try await record(id)?.run.get()
  }

  func record(_ id: JobID) async throws -> JobRecord? {
    try await store.read(jobs: [id], runs: []).jobs[id]
  }

  func document(_ id: JobID) async throws -> JobDocument {
    try await ConformanceFailure.unwrap(record(id), "the document of \(id)").document.get()
  }

  func version(_ id: RunID) async throws -> Version {
    try await ConformanceFailure.unwrap(record(id), "the run").version
  }

  func version(_ id: JobID) async throws -> Version {
    try await ConformanceFailure.unwrap(record(id), "the document of \(id)").version
  }

  func importJob(_ id: String, _ fields: JSONValue) async throws {
    try await ConformanceFailure.unwrap(harness.importJob, "the harness's importJob")(store, id, fields)
  }

  func exportJob(_ id: String) async throws -> JSONValue? {
    try await ConformanceFailure.unwrap(harness.exportJob, "the harness's exportJob")(store, id)
  }

  func reopened(_ clock: any JobClock) async throws -> any JobStore {
    try await ConformanceFailure.unwrap(harness.reopen, "the harness's reopen")(store, clock)
  }

  func purging() throws -> any PurgingStore {
    try ConformanceFailure.unwrap(store as? any PurgingStore, "the store as a PurgingStore")
  }

  func dueTimes() async throws -> DueTimes {
    let store = try ConformanceFailure.unwrap(store as? any DueTimeStore, "the store as a DueTimeStore")
    return try await store.dueTimes(within: .days(1))
  }

  func claiming() throws -> any ClaimingStore {
    try ConformanceFailure.unwrap(store as? any ClaimingStore, "the store as a ClaimingStore")
  }

  func counting() throws -> any RunCountingStore {
    try ConformanceFailure.unwrap(store as? any RunCountingStore, "the store as a RunCountingStore")
  }

  /// Reads all pages of a list and checks that each but the last is full and says where the next begins.
  func walk<Record>(
    _ limit: Int, _ page: (StoreCursor?) async throws -> StorePage<Record>
  ) async throws -> [Record] {
    var records = [Record]()
    var cursor: StoreCursor?
    repeat {
      let next = try await page(cursor)
      if next.next != nil { try ConformanceFailure.expect(next.records.count, limit, "the records of a full page") }
      try ConformanceFailure.expect(next.next == nil || next.next != cursor, "the cursor moves")
      records += next.records
      cursor = next.next
    } while cursor != nil
    return records
  }
}
