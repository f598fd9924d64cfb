import CloudJobsCore
import Testing

@Suite("Job documents")
struct DocumentTests {
  private static let full: JSONValue = [
    "type": "periodic", "enabled": true, "cron": "0 2 * * *", "interval": 60, "timeZone": "Europe/Berlin",
    "startAt": "2026-01-01", "endAt": "2026-12-31T22:00:00Z", "skipDates": ["2026-12-24", "2026-12-31T22:00:00Z"],
    "dependencies": ["first", "second"], "priority": -5, "maxRetries": 4, "timeout": 90, "group": "reports",
    "misfire": "catchUp(3)", "overlap": "queue", "queue": "slow",
    "metadata": ["owner": "ops", "deep": [1, 2.5, nil]],
    "state": [
      "lastRun": "2026-11-21T09:00:00Z", "nextRun": "2026-11-21T10:00:00.250Z", "status": "skippedOverlap",
      "retries": 2, "epoch": 17, "lastRunId": .string(String(repeating: "ab", count: 32)), "lastDuration": 1_234,
      "consecutiveFailures": 3, "plannedFor": "0 2 * * * @ Europe/Berlin", "quarantine": "cron: no",
    ],
  ]

  @Test("A document with every field comes back as it was")
  func roundTrip() throws {
    let document = try JobDocument(id: "job", fields: Self.full)
    #expect(document.fields == Self.full)
    #expect(document.configuration.interval == .seconds(60))
    #expect(document.configuration.timeout == .seconds(90))
    #expect(document.configuration.startAt == .day(PlanSample.day("2026-01-01")))
    #expect(document.configuration.endAt == .instant(PlanSample.time("2026-12-31T22:00:00Z")))
    #expect(document.configuration.misfire == .catchUp(3))
    #expect(document.state.nextRun == PlanSample.time("2026-11-21T10:00:00.250Z"))
    #expect(document.state.lastDuration == .milliseconds(1_234))
    #expect(try JobDocument(id: "job", fields: document.fields) == document)
  }

  @Test("A document without fields overrides nothing")
  func empty() throws {
    #expect(try JobDocument(id: "job", fields: [:]) == JobDocument(id: "job"))
    #expect(try JobDocument(id: "job", fields: ["enabled": nil, "state": nil, "cron": nil]) == JobDocument(id: "job"))
    #expect(JobDocument(id: "job").fields == ["state": [:]])
  }

  @Test("A document of the Dart runtime loads: milliseconds, integral floats, members that are not known")
  func dart() throws {
    let document = try JobDocument(
      id: "cleanup_temp_files",
      fields: [
        "type": "periodic", "enabled": true, "interval": 3600.0, "priority": 5.0, "maxRetries": 3.0, "timeout": 300.0,
        "startAt": 1_767_225_600_000, "endAt": 1_798_761_599_000.0, "skipDates": [1_766_534_400_000, "2026-12-25"],
        "createdBy": "console", "schedule": ["kind": "legacy"], "metadata": [:],
        "state": [
          "lastRun": 1_795_255_200_000, "nextRun": 1_795_258_800_000.0, "status": "success", "retries": 0.0,
          "epoch": 41.0, "errors": ["unknown to us"],
        ],
      ])
    #expect(document.configuration.interval == .hours(1))
    #expect(document.configuration.timeout == .minutes(5))
    #expect((document.configuration.priority, document.configuration.maxRetries) == (5, 3))
    #expect(document.configuration.startAt == .instant(PlanSample.time("2026-01-01T00:00:00Z")))
    #expect(document.configuration.endAt == .instant(PlanSample.time("2026-12-31T23:59:59Z")))
    #expect(document.configuration.skipDates?.last == .day(PlanSample.day("2026-12-25")))
    #expect(document.state.nextRun == Timestamp(milliseconds: 1_795_258_800_000))
    #expect((document.state.status, document.state.retries, document.state.epoch) == (.success, 0, 41))
    #expect(document.state.plannedFor == nil)
  }

  @Test(
    "A date may be written in each of its forms",
    arguments: [
      "2026-11-21T10:00:00Z", "2026-11-21T11:00:00+01:00", "2026-11-21T10:00:00.000000Z", "2026-11-21T10:00:00",
      1_795_255_200_000, 1_795_255_200_000.0,
    ] as [JSONValue])
  func dates(_ value: JSONValue) throws {
    let document = try JobDocument(id: "job", fields: ["state": ["nextRun": value]])
    #expect(document.state.nextRun == PlanSample.now)
  }

  @Test("A field that can't be read is named by its dotted path", arguments: MalformedField.all)
  func malformed(_ row: MalformedField) {
    #expect {
      try JobDocument(id: "job", fields: row.fields)
    } throws: { error in
      guard let error = error as? JobError else { return false }
      return error.code == .invalidField && error.field == row.field && error.message.hasPrefix("This must be")
    }
  }

  @Test("A patch changes what it names, and null removes")
  func patch() throws {
    var patch = JobStatePatch()
    patch.set(nextRun: nil)
    patch.set(status: .failure)
    #expect(
      patch.applied(to: ["nextRun": 1, "status": "success", "other": "kept"])
        == ["status": "failure", "other": "kept"])
    #expect(patch.applied(to: nil) == ["status": "failure"])
    #expect(patch.applied(to: "damaged") == ["status": "failure"])
  }

  @Test("The document overrides the definition field by field")
  func overrides() throws {
    var definition = JobDefinition(id: "job", kind: .periodic, schedule: .every(.hours(1)), timeZone: "Europe/Berlin")
    definition.policy.priority = 9
    definition.policy.retry = RetryPolicy(maxAttempts: 7)
    let plain = try ResolvedJob(definition, configuration: nil, zones: .system)
    #expect((plain.policy.priority, plain.policy.retry.maxAttempts, plain.zone.name) == (9, 7, "Europe/Berlin"))
    let fields: JSONValue = ["interval": 120, "maxRetries": 0, "timeZone": "Asia/Tokyo", "enabled": false]
    let edited = try ResolvedJob(
      definition, configuration: try JobConfiguration(fields: fields), zones: .system)
    #expect((edited.policy.priority, edited.policy.retry.maxAttempts, edited.policy.enabled) == (9, 1, false))
    #expect((edited.zone.name, edited.overlap) == ("Asia/Tokyo", .skip))
    #expect(edited.schedule?.next(after: .epoch) == .epoch + .seconds(120))
    var extreme = JobConfiguration()
    extreme.maxRetries = .max
    #expect(try ResolvedJob(definition, configuration: extreme, zones: .system).policy.retry.maxAttempts == .max)
  }
}

/// A document with one field that can't be read.
struct MalformedField: CustomTestStringConvertible, Sendable {
  var field: String
  var value: JSONValue

  var testDescription: String { "\(field): \(value)" }

  var fields: JSONValue {
    let parts = field.split(separator: ".").map(String.init)
    return parts.count == 2 ? [parts[0]: [parts[1]: value]] : .object([field: value])
  }

  static let all: [MalformedField] = [
    ("type", "cron"), ("type", 1), ("enabled", "yes"), ("enabled", 1), ("cron", 5), ("interval", 0), ("interval", -1),
    ("interval", 1.5), ("interval", "60"), ("interval", 31_622_401), ("timeZone", 1), ("startAt", "tomorrow"),
    ("startAt", true), ("startAt", "2026-02-30"), ("endAt", 1.5), ("skipDates", "2026-01-01"),
    ("skipDates", ["2026-01-01", "never"]), ("dependencies", "first"), ("dependencies", ["first", "a b"]),
    ("dependencies", [1]), ("priority", 1_000_001), ("priority", 0.5), ("maxRetries", -1), ("maxRetries", 1_000_001),
    ("timeout", 0), ("timeout", 86_401), ("group", []), ("misfire", "catchUp(0)"), ("misfire", "catchUp(1001)"),
    ("misfire", "later"), ("overlap", "wait"), ("queue", [:]), ("metadata", []),
    ("state", "none"), ("state", []), ("state.lastRun", "yesterday"), ("state.nextRun", true), ("state.nextRun", 1.5),
    ("state.status", "fine"), ("state.retries", -1), ("state.epoch", "1"), ("state.epoch", 0.5),
    ("state.lastRunId", "abc"), ("state.lastDuration", "1s"), ("state.consecutiveFailures", -1),
    ("state.plannedFor", 1), ("state.quarantine", false),
  ].map { MalformedField(field: $0.0, value: $0.1) }
}
