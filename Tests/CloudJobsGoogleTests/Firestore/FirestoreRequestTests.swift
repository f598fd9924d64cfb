#if HTTP && Server
import CloudJobs
import CloudJobsCore
import Testing

@testable import CloudJobsGoogle

@Suite("Firestore's requests")
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

  @Test("The query for due jobs orders by time and name, and goes on after a cursor")
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

  @Test("A filter of runs becomes a conjunction; one of no status asks nothing")
  func runs() throws {
    let filter = RunFilter(job: "a", statuses: [.failed, .running], createdFrom: Self.time)
    let query = try #require(FirestoreQuery.runs(matching: filter, after: nil, Self.configuration))
    let parts = query.body(limit: 2)["structuredQuery"]?["where"]?["compositeFilter"]?["filters"]?.array
    #expect(parts?.compactMap { $0["fieldFilter"]?["op"]?.string } == ["EQUAL", "IN", "GREATER_THAN_OR_EQUAL"])
    #expect(FirestoreQuery.runs(matching: RunFilter(statuses: []), after: nil, Self.configuration) == nil)
    let all = FirestoreQuery.runs(matching: RunFilter(), after: nil, Self.configuration)?.body(limit: 2)
    #expect(all?["structuredQuery"]?["where"] == nil)
  }

  @Test("A patch names what it changes: values as a nested map, removals by their absence")
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

  @Test("An empty patch makes a document by a mask of nothing")
  func emptyPatch() {
    let write = FirestoreWrite(configuration: Self.configuration).encode(.patchState("a", JobStatePatch(), .absent))
    #expect(write["updateMask"] == ["fieldPaths": .array([])] && write["currentDocument"] == ["exists": false])
  }

  @Test("A configuration names all its fields, so that those that are not set are removed and others stay")
  func configuration() {
    var new = JobConfiguration()
    new.enabled = true
    let write = FirestoreWrite(configuration: Self.configuration).encode(.putConfiguration("a", new, .none))
    #expect(write["update"]?["fields"] == ["enabled": ["booleanValue": true]])
    #expect(write["updateMask"]?["fieldPaths"]?.array?.count == JobConfiguration.fieldNames.count)
    #expect(write["currentDocument"] == nil)
  }

  @Test("A run under a token is put where it has not changed since the token was read")
  func fence() {
    let run = FirestoreSamples.run
    let encoder = FirestoreWrite(configuration: Self.configuration, fenced: [run.id: Self.time])
    let write = encoder.encode(.putRun(run, .fence(4)))
    #expect(write["currentDocument"] == ["updateTime": "2026-01-01T12:00:00Z"] && write["updateMask"] == nil)
    let deletion = encoder.encode(.deleteRun(run.id, .none))
    #expect(deletion == ["delete": .string("\(Self.root)/runs/\(run.id)")])
  }
}
#endif
