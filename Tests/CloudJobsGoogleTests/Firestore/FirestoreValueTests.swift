#if HTTP && Server
import CloudJobs
import CloudJobsCore
import Testing

@testable import CloudJobsGoogle

@Suite("Firestore values")
struct FirestoreValueTests {
  private static let values: [(plain: JSONValue, stored: JSONValue)] = [
    (nil, ["nullValue": nil]), (true, ["booleanValue": true]), (7, ["integerValue": "7"]),
    (.integer(.min), ["integerValue": "-9223372036854775808"]), (2.5, ["doubleValue": 2.5]),
    (.double(3), ["doubleValue": .double(3)]), ("", ["stringValue": ""]), ("é\u{0}🚀", ["stringValue": "é\u{0}🚀"]),
    ([1, "a"], ["arrayValue": ["values": [["integerValue": "1"], ["stringValue": "a"]]]]),
    (.array([]), ["arrayValue": ["values": .array([])]]),
    (["a": ["b": nil]], ["mapValue": ["fields": ["a": ["mapValue": ["fields": ["b": ["nullValue": nil]]]]]]]),
  ]

  @Test("Plain values and stored values convert to each other", arguments: values)
  func roundTrip(plain: JSONValue, stored: JSONValue) {
    #expect(FirestoreSchema.job.encode(plain, at: "metadata") == stored)
    #expect(FirestoreValue.decode(stored) == plain)
  }

  @Test(
    "Values that only other programs store are decoded",
    arguments: [
      (["timestampValue": "2026-01-02T03:04:05.678901Z"], "2026-01-02T03:04:05.678901Z"),
      (["bytesValue": "AQI="], "AQI="), (["referenceValue": "projects/p"], "projects/p"),
      (["geoPointValue": ["latitude": 1.5]], ["latitude": 1.5, "longitude": 0]),
      (["arrayValue": .object([:])], .array([])), (["mapValue": .object([:])], .object([:])),
      (["doubleValue": 4], .double(4)), (["doubleValue": "NaN"], "NaN"), (["integerValue": 4], 4),
      (["integerValue": "4.5"], "4.5"), (["strangeValue": 1], nil), (.object([:]), nil), ("bare", nil),
    ] as [(JSONValue, JSONValue)])
  func foreign(stored: JSONValue, plain: JSONValue) {
    #expect(FirestoreValue.decode(stored) == plain)
  }

  @Test(
    "A time is typed if the field is a time field and the text is a time",
    arguments: [
      ("state.nextRun", "2026-01-02T03:04:05Z", true), ("state.lastRun", "2026-01-02T03:04:05+01:00", true),
      ("startAt", "2026-01-02T00:00:00Z", true), ("startAt", "2026-01-02", false), ("skipDates", "2026-12-25", false),
      ("skipDates", "2026-12-25T10:00:00Z", true), ("state.nextRun", "soon", false),
      ("group", "2026-01-02T03:04:05Z", false), ("metadata.startAt", "2026-01-02T03:04:05Z", false),
      ("nextRun", "2026-01-02T03:04:05Z", false),
    ])
  func times(path: String, text: String, isTime: Bool) {
    let type = FirestoreSchema.job.encode(.string(text), at: path).object?.keys.first
    #expect(type == (isTime ? "timestampValue" : "stringValue"))
  }

  @Test("All time fields of a run are typed, and no other field is")
  func runTimes() throws {
    let fields = try #require(FirestoreRun.encode(FirestoreSamples.run).object)
    let typed = fields.filter { $0.value["timestampValue"] != nil }.keys
    #expect(
      typed.sorted() == [
        "createdAt", "expireAt", "finishedAt", "notBefore", "scheduledFor", "startedAt", "wakeAt",
      ])
    #expect(fields["lease"]?["mapValue"]?["fields"]?["expiresAt"]?["timestampValue"] != nil)
    #expect(fields["input"] == ["stringValue": #" { "b" : 1.0 } "#])
    #expect(try FirestoreRun.decode(FirestoreSamples.run.id, .object(fields)) == FirestoreSamples.run)
  }

  @Test(
    "Payloads of other programs are read as the JSON of their values",
    arguments: [
      (["mapValue": ["fields": ["to": ["stringValue": "zoe"]]]], #"{"to":"zoe"}"#),
      (["stringValue": "not JSON"], #""not JSON""#), (["stringValue": "[1, 2]"], "[1, 2]"),
      (["integerValue": "5"], "5"),
    ] as [(JSONValue, String)])
  func payloads(stored: JSONValue, text: String) throws {
    var fields = try #require(FirestoreRun.encode(FirestoreSamples.run).object)
    fields["input"] = stored
    #expect(try FirestoreRun.decode(FirestoreSamples.run.id, .object(fields)).input?.description == text)
  }

  @Test("A document of the Dart runtime loads unchanged")
  func dartDocument() throws {
    let json: JSONValue = [
      "name": "projects/p/databases/(default)/documents/jobs/cleanup", "createTime": "2026-01-01T00:00:00Z",
      "updateTime": "2026-01-02T00:00:00.000005Z",
      "fields": [
        "enabled": ["booleanValue": true], "interval": ["doubleValue": 3600], "type": ["stringValue": "periodic"],
        "startAt": ["stringValue": "2026-01-01T00:00:00.000"], "endAt": ["timestampValue": "2026-12-31T00:00:00Z"],
        "skipDates": [
          "arrayValue": ["values": [["timestampValue": "2026-05-01T00:00:00Z"], ["stringValue": "2026-12-25"]]]
        ],
        "dependencies": ["arrayValue": .object([:])], "colour": ["stringValue": "red"],
        "state": [
          "mapValue": [
            "fields": [
              "lastRun": ["timestampValue": "2026-01-01T10:00:00.5Z"], "nextRun": ["integerValue": "1767268800000"],
              "status": ["stringValue": "success"], "retries": ["integerValue": "0"],
            ]
          ]
        ],
      ],
    ]
    let record = try #require(FirestoreDocument(json)).job
    let document = try record.document.get()
    #expect(record.id == "cleanup" && record.version == Version(1_767_312_000_000_005))
    #expect(document.configuration.interval == .seconds(3_600) && document.configuration.enabled == true)
    #expect(document.configuration.startAt == Timestamp(rfc3339: "2026-01-01T00:00:00Z").map { .instant($0) })
    #expect(document.configuration.skipDates?.count == 2 && document.configuration.dependencies == [])
    #expect(document.state.lastRun == Timestamp(rfc3339: "2026-01-01T10:00:00.5Z"))
    #expect(document.state.nextRun == Timestamp(seconds: 1_767_268_800) && document.state.status == .success)
  }

  @Test(
    "Field paths quote segments that are not simple identifiers",
    arguments: [
      (["state", "nextRun"], "state.nextRun"), (["a-b"], "`a-b`"), (["1a"], "`1a`"), (["_1"], "_1"),
      (["a`b", "c\\d"], #"`a\`b`.`c\\d`"#), ([""], "``"), (["é"], "`é`"), (["a.b"], "`a.b`"),
    ])
  func fieldPaths(segments: [String], text: String) {
    let path =
      segments.count == 1
      ? FirestoreFieldPath.text(segments[0]) : FirestoreFieldPath.text(segments[0], segments[1])
    #expect(path == text)
  }

  @Test(
    "Arbitrary names convert to valid ids and back",
    arguments: [
      ("2026-01-02T03:04:05Z one", "2026-01-02T03:04:05Z one"), ("a/b", "a%2Fb"), ("50%", "50%25"), ("", "%"),
      (".", "%2E"), ("..", "%2E%2E"), ("__x__", "%5F_x__"), ("nul\u{0}é", "nul%00é"), ("...", "..."),
    ])
  func documentIDs(name: String, id: String) {
    #expect(FirestoreDocumentID.encode(name) == id)
    #expect(FirestoreDocumentID.decode(id) == name)
  }
}

/// Documents shared by the tests.
enum FirestoreSamples {
  /// A run in which all times are set.
  static let run: Run = {
    let time = Timestamp(seconds: 1_767_268_800)
    var run = Run(
      id: RunID(job: "sample", occurrence: .key("one")), job: "sample", trigger: .task,
      input: JSONText(trusted: Array(#" { "b" : 1.0 } "#.utf8)), status: .running, maxAttempts: 3,
      scheduledFor: time + .microseconds(1), notBefore: time, createdAt: time)
    run.startedAt = time
    run.finishedAt = time
    run.wakeAt = time
    run.expireAt = time
    run.reason = "2026-01-02T03:04:05Z"
    run.fence = 4
    run.lease = Lease(owner: "o", token: 4, expiresAt: time)
    return run
  }()
}
#endif
