#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
@testable import CloudJobsGoogle
import CloudJobsTesting
import Foundation
import Testing

@Suite("Firestore requests")
struct FirestoreRequestTests {
  private static let configuration = FirestoreConfiguration(project: "p")
  private static let root = "projects/p/databases/(default)/documents"
  private static let time = Timestamp(seconds: 1_767_268_800)
  private static let timestamp: JSONValue = ["timestampValue": "2026-01-01T12:00:00Z"]

  @Test("A method's path names the database")
  func paths() {
    #expect(Self.configuration.path("commit") == "/v1/\(Self.root):commit")
    let named = FirestoreConfiguration(project: "p", database: "other")
    #expect(named.path("batchGet") == "/v1/projects/p/databases/other/documents:batchGet")
  }

  @Test("The query for due jobs orders by time and name, and continues after a cursor")
  func due() {
    let cursor = StoreCursor(key: Self.time.microseconds, id: "a")
    let body = FirestoreQuery.due(Self.time, after: cursor, Self.configuration).body(limit: 11)
    let nextRun: JSONValue = ["fieldPath": "state.nextRun"]
    let expected: JSONValue = [
      "structuredQuery": [
        "from": [["collectionId": "jobs"]], "limit": 11,
        "where": ["fieldFilter": ["field": nextRun, "op": "LESS_THAN_OR_EQUAL", "value": Self.timestamp]],
        "orderBy": [
          ["field": nextRun, "direction": "ASCENDING"],
          ["field": ["fieldPath": "__name__"], "direction": "ASCENDING"],
        ],
        "startAt": [
          "values": [Self.timestamp, ["referenceValue": .string("\(Self.root)/jobs/a")]], "before": false,
        ],
      ]
    ]
    #expect(body == expected)
  }

  @Test("A filter of runs becomes a conjunction; one without statuses sends no query")
  func runs() throws {
    let filter = RunFilter(job: "a", statuses: [.failed, .running], createdFrom: Self.time)
    let query = try #require(FirestoreQuery.runs(matching: filter, after: nil, Self.configuration))
    let parts = query.body(limit: 2)["structuredQuery"]?["where"]?["compositeFilter"]?["filters"]?.array
    #expect(parts?.compactMap { $0["fieldFilter"]?["op"]?.string } == ["EQUAL", "IN", "GREATER_THAN_OR_EQUAL"])
    #expect(FirestoreQuery.runs(matching: RunFilter(statuses: []), after: nil, Self.configuration) == nil)
    let all = FirestoreQuery.runs(matching: RunFilter(), after: nil, Self.configuration)?.body(limit: 2)
    #expect(all?["structuredQuery"]?["where"] == nil)
  }

  @Test("Counts are aggregations over the conditions that an index serves, without a limit")
  func counts() {
    let waiting = FirestoreQuery.count(of: .pending, in: "mail", Self.configuration).countBody
    let aggregation = waiting["structuredAggregationQuery"]
    #expect(aggregation?["aggregations"] == [["alias": "count", "count": [:]]])
    #expect(aggregation?["structuredQuery"]?["limit"] == nil)
    let filters = aggregation?["structuredQuery"]?["where"]?["compositeFilter"]?["filters"]?.array
    #expect(filters?.map { $0["fieldFilter"]?["field"]?["fieldPath"] } == ["status", "queue"])
    let span = FirestoreQuery.count(of: .failed, from: Self.time, before: Self.time + .hours(1), Self.configuration)
    let query = span.countBody["structuredAggregationQuery"]?["structuredQuery"]
    // The order of the composite index of lists.
    #expect(query?["orderBy"]?.array?.first == ["field": ["fieldPath": "createdAt"], "direction": "DESCENDING"])
    #expect(query?["where"]?["compositeFilter"]?["filters"]?.array?.count == 3)
  }

  @Test("A patch names the changed fields: values as a nested map, removals by their absence")
  func patch() {
    var patch = JobStatePatch()
    patch.set(nextRun: Self.time)
    patch.set(quarantine: nil)
    let write = FirestoreWrite(configuration: Self.configuration)
      .encode(.patchState("a", patch, .version(Version(Self.time.microseconds))))
    let expected: JSONValue = [
      "update": [
        "name": .string("\(Self.root)/jobs/a"),
        "fields": ["state": ["mapValue": ["fields": ["nextRun": Self.timestamp]]]],
      ],
      "updateMask": ["fieldPaths": ["state.nextRun", "state.quarantine"]],
      "currentDocument": ["updateTime": "2026-01-01T12:00:00Z"],
    ]
    #expect(write == expected)
  }

  @Test("An empty patch creates a document with an empty mask")
  func emptyPatch() {
    let write = FirestoreWrite(configuration: Self.configuration).encode(.patchState("a", JobStatePatch(), .absent))
    #expect(write["updateMask"] == ["fieldPaths": .array([])] && write["currentDocument"] == ["exists": false])
  }

  @Test("A configuration names all its fields, so that unset ones are removed and others stay")
  func configuration() {
    var new = JobConfiguration()
    new.enabled = true
    let write = FirestoreWrite(configuration: Self.configuration).encode(.putConfiguration("a", new, .none))
    #expect(write["update"]?["fields"] == ["enabled": ["booleanValue": true]])
    #expect(write["updateMask"]?["fieldPaths"]?.array?.count == JobConfiguration.fieldNames.count)
    #expect(write["currentDocument"] == nil)
  }

  @Test("A run with a fencing token is written on condition that it is unchanged since the token was read")
  func fence() {
    let run = FirestoreSamples.run
    let encoder = FirestoreWrite(configuration: Self.configuration, fenced: [run.id: Self.time])
    let write = encoder.encode(.putRun(run, .fence(4)))
    #expect(write["currentDocument"] == ["updateTime": "2026-01-01T12:00:00Z"] && write["updateMask"] == nil)
    let deletion = encoder.encode(.deleteRun(run.id, .none))
    #expect(deletion == ["delete": .string("\(Self.root)/runs/\(run.id)")])
  }
}

@Suite("Cost of a pass on Firestore")
struct FirestoreCostTests {
  private static let start = Timestamp(seconds: 1_763_719_320)
  private let clock = VirtualClock(start: start, sleep: .skips(upTo: .seconds(5)))
  private let service: EmulatedFirestore

  init() {
    service = EmulatedFirestore(clock: clock)
  }

  /// Writes job documents directly to the service, as another program would.
  private func fill(_ count: Int) throws {
    let database = Firestore.DatabaseName(project: "test", database: "(default)")
    let later = Firestore.Value.timestamp(Self.start + .days(30))
    try service.emulator.withState { (state, now) throws(ServiceFault) in
      for first in stride(from: 0, to: count, by: 500) {
        let writes = try (first..<min(first + 500, count)).map { (number) throws(ServiceFault) in
          Firestore.Write(
            try Firestore.Name(document: EmulatedFirestore.configuration.name("jobs", "other-\(number)")),
            .update(fields: ["enabled": .boolean(true), "state": .map(["nextRun": later])], mask: nil))
        }
        _ = try state.firestore.commit(writes, in: database, at: now)
      }
    }
  }

  private func runtime() async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.owner = "one"
    options.clock = clock
    let jobs = try JobRegistry {
      for number in 0..<10 {
        PeriodicJob(JobID(stringLiteral: "due\(number)"), every: .minutes(1)) { _ in .done }
      }
    }
    return try await JobRuntime.prepared(
      jobs, store: service.store(), queue: NoQueue(), authentication: .trustLoopback, options: options)
  }

  /// None of the minutes has housekeeping, which also reads the documents of all registered jobs.
  @Test("Ten due jobs among 100,000 documents cost at most 21 reads and 40 writes; an idle pass costs one read")
  func ten() async throws {
    let runtime = try await runtime()
    try fill(100_000)
    for _ in 0..<2 {
      clock.advance(by: .minutes(1))
      let before = service.usage
      let summary = await runtime.runMasterPass()
      let after = service.usage
      #expect(summary.started == 10 && summary.due == 10, "\(summary)")
      #expect(after.reads - before.reads <= 21)
      #expect(after.writes - before.writes <= 40)
      #expect(after.deletes == before.deletes)
    }
    let before = service.usage
    #expect(await runtime.runMasterPass().due == 0)
    #expect(service.usage.reads - before.reads == 1 && service.usage.writes == before.writes)
  }
}

/// The conformance suite, which runs with this file, shows that its indexes are sufficient.
@Suite("Index file of the Firestore store")
struct FirestoreIndexTests {
  /// A composite index's first field and the order of its second, and a list that only this index serves.
  private static let indexes: [(String, Firestore.Index.Mode, String)] = [
    ("job", .descending, "runs by job answers"), ("status", .descending, "runs by three statuses answers"),
    ("correlationId", .descending, "runs by cause"), ("jobs", .ascending, "The journal lists the entries of a job"),
    ("jobs", .descending, "The journal lists the entries of a job"),
  ]

  @Test("has no composite index that the store could do without", arguments: indexes)
  func composites(field: String, order: Firestore.Index.Mode, list: String) async throws {
    var indexes = try IndexFile.shipped()
    indexes.composites.removeAll { "\($0.fields[0].path)" == field && $0.fields[1].mode == order }
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

  /// Returns the failure of a conformance case with these indexes.
  private func failure(of name: String, _ indexes: Firestore.IndexConfiguration) async -> StoreError? {
    let cases = StoreConformance.cases.filter { $0.name.hasPrefix(name) }
    #expect(cases.count == 1)
    let harness = StoreConformance.Harness(
      makeStore: { EmulatedFirestore(clock: $0, indexes: indexes).store() })
    return await #expect(throws: StoreError.self) { for testCase in cases { try await testCase.run(harness) } }
  }
}

/// The index file deployed by the guides.
enum IndexFile {
  /// Returns its indexes.
  static func shipped() throws -> Firestore.IndexConfiguration {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
    let file = root.appending(path: "infra/firestore.indexes.json").standardized
    return try Firestore.IndexConfiguration(parsing: try String(contentsOf: file, encoding: .utf8))
  }
}
#endif
