import TestSupport
import Testing

@testable import CloudJobsCore

@Suite("Job documents")
struct DocumentTests {
  private static let full: JSONValue = [
    "type": "periodic", "enabled": true, "paused": false, "cron": "0 2 * * *", "interval": 60,
    "timeZone": "Europe/Berlin",
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

  @Test("A document with every field round-trips")
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

  @Test("An empty document overrides nothing")
  func empty() throws {
    #expect(try JobDocument(id: "job", fields: [:]) == JobDocument(id: "job"))
    #expect(try JobDocument(id: "job", fields: ["enabled": nil, "state": nil, "cron": nil]) == JobDocument(id: "job"))
    #expect(JobDocument(id: "job").fields == ["state": [:]])
  }

  @Test("A document of the Dart runtime loads: milliseconds, integral floats, unknown members")
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

  @Test("An invalid field is named by its dotted path", arguments: MalformedField.all)
  func malformed(_ row: MalformedField) {
    #expect {
      try JobDocument(id: "job", fields: row.fields)
    } throws: { error in
      guard let error = error as? JobError else { return false }
      return error.code == .invalidField && error.field == row.field && error.message.hasPrefix("Expected ")
    }
  }

  @Test("A patch changes the fields that it names, and null removes a field")
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

/// A document with one invalid field.
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
    ("misfire", "later"), ("overlap", "wait"), ("retry", 3), ("retry.maxAttempts", 0),
    ("retry.backoff", "random"), ("retry.delay", -1), ("retry.jitter", 1), ("retry.only", "network"),
    ("retry.tries", 3), ("retry.multiplier", 0.5), ("retry.delays", []), ("retry.delays", ["1s", "never"]),
    ("retention", "forever"), ("retention.failed", -1), ("retention.pending", 60), ("paused", "yes"), ("queue", [:]),
    ("metadata", []),
    ("maxConcurrent", -1), ("maxConcurrent", 1_001), ("groupMaxConcurrent", 1.5), ("rate", 5),
    ("rate.count", -1),
    ("state", "none"), ("state", []), ("state.lastRun", "yesterday"), ("state.nextRun", true), ("state.nextRun", 1.5),
    ("state.status", "fine"), ("state.retries", -1), ("state.epoch", "1"), ("state.epoch", 0.5),
    ("state.lastRunId", "abc"), ("state.lastDuration", "1s"), ("state.consecutiveFailures", -1),
    ("state.plannedFor", 1), ("state.quarantine", false),
  ].map { MalformedField(field: $0.0, value: $0.1) }
}

@Suite("Configuration fields")
struct JobConfigurationFieldsTests {
  private static let full: JSONValue = [
    "type": "periodic", "enabled": true, "paused": false, "cron": "* * * * *", "interval": 60, "timeZone": "UTC",
    "startAt": "2026-01-01", "endAt": "2026-12-31", "skipDates": ["2026-05-01"], "dependencies": ["other"],
    "priority": 1, "maxRetries": 2, "timeout": 3, "weight": "medium", "group": "g", "misfire": "skip",
    "overlap": "skip", "queue": "q", "breaker": ["threshold": 4, "cooldown": 90], "trigger": "masterPass",
    "metadata": ["a": 1], "input": ["region": "eu"],
    "retry": [
      "maxAttempts": 4, "backoff": "cloudTasks", "delay": 10, "maxDelay": 90, "maxDoublings": 3, "jitter": "full",
      "minimumDuration": 60, "only": ["network"],
    ],
    "retention": ["succeeded": 60, "failed": 86_400, "cancelled": 0],
    "maxConcurrent": 5, "rate": ["count": 6, "period": 7], "groupMaxConcurrent": 8,
  ]

  @Test("fieldNames are exactly the fields that a configuration writes")
  func names() throws {
    let configuration = try JobConfiguration(fields: Self.full)
    #expect(configuration.fields == Self.full)
    #expect(Set(try #require(configuration.fields.object).keys) == JobConfiguration.fieldNames)
  }

  @Test(
    "Replacing keeps the state and unknown members and removes unset fields",
    arguments: [
      (
        ["cron": "x", "state": ["epoch": 1], "colour": "red"],
        ["enabled": true, "state": ["epoch": 1], "colour": "red"]
      ),
      (["enabled": "broken"], ["enabled": true]),
      ("no object", ["enabled": true]),
      (nil, ["enabled": true]),
    ] as [(JSONValue?, JSONValue)])
  func replacing(_ stored: JSONValue?, _ expected: JSONValue) {
    var configuration = JobConfiguration()
    configuration.enabled = true
    #expect(configuration.replacing(in: stored) == expected)
  }
}

@Suite("The retry policy of a document")
struct RetryOverrideTests {
  private typealias Backoff = RetryPolicy.Backoff

  @Test(
    "A part replaces its part of the definition's policy",
    arguments: [
      (.exponential(.seconds(1)), ["multiplier": 1.5], .exponential(.seconds(1), multiplier: 1.5)),
      (.exponential(.seconds(1), multiplier: 3), ["delay": "9s"], .exponential(.seconds(9), multiplier: 3)),
      (.fixed(.seconds(1)), ["delays": ["10s", 60]], .delays([.seconds(10), .minutes(1)])),
      (.fixed(.seconds(1)), ["delays": [5], "backoff": "delays"], .delays([.seconds(5)])),
      (.delays([.seconds(3), .seconds(4)]), ["maxDelay": 9], .delays([.seconds(3), .seconds(4)])),
      (.delays([.seconds(3), .seconds(4)]), ["delay": 9], .fixed(.seconds(9))),
      (.delays([.seconds(3), .seconds(4)]), ["backoff": "linear"], .linear(.seconds(3))),
      (.cloudTasks(.seconds(1), maxDoublings: 5), ["delay": 2], .cloudTasks(.seconds(2), maxDoublings: 5)),
    ] as [(RetryPolicy.Backoff, JSONValue, RetryPolicy.Backoff)])
  func applied(_ defined: RetryPolicy.Backoff, _ retry: JSONValue, _ expected: RetryPolicy.Backoff) throws {
    let configuration = try JobConfiguration(fields: ["retry": retry])
    var policy = JobPolicy()
    policy.retry = RetryPolicy(maxAttempts: 3, backoff: defined)
    #expect(policy.overridden(by: configuration).retry.backoff == expected)
    #expect(try JobConfiguration(fields: configuration.fields) == configuration)
  }

  @Test(
    "A list and another growth exclude each other",
    arguments: [
      ["delays": [1], "delay": 2], ["delays": [1], "backoff": "fixed"], ["backoff": "delays"],
    ] as [JSONValue])
  func contradictions(_ retry: JSONValue) {
    #expect {
      try JobConfiguration(fields: ["retry": retry])
    } throws: { ($0 as? JobError)?.field == "retry.delays" }
  }
}

@Suite("Fields written by operators")
struct FieldTextTests {
  @Test(
    "Durations are numbers of seconds or interval texts",
    arguments: [
      (1_800, .seconds(1_800)), ("30m", .seconds(1_800)), ("90s", .seconds(90)), ("1h30m", .seconds(5_400)),
      (1_800.0, .seconds(1_800)), ("1D", .days(1)), ("1500ms", .milliseconds(1_500)), (0, nil), ("0s", nil),
      ("30", nil), ("half an hour", nil), (-5, nil), (1.5, nil), ("400d", nil), ("", nil), (true, nil),
    ] as [(JSONValue, Duration?)])
  func spans(value: JSONValue, span: Duration?) throws {
    for name in ["interval", "timeout"] {
      guard let span, name == "interval" || span <= .days(1) else {
        let error = #expect(throws: JobError.self) { try JobConfiguration(fields: [name: value]) }
        #expect(error?.field == name)
        #expect(error?.message.contains("30m") == true)
        continue
      }
      let configuration = try JobConfiguration(fields: [name: value])
      #expect((name == "interval" ? configuration.interval : configuration.timeout) == span)
      #expect(try JobConfiguration(fields: configuration.fields) == configuration)
    }
  }

  @Test(
    "Unknown fields are reported with the name that was probably intended",
    arguments: [
      ("schedule", "cron"), ("every", "interval"), ("Interval", "interval"), ("time_zone", "timeZone"),
      ("retries", "maxRetries"), ("owner", nil), ("", nil),
      ("intreval", "interval"), ("enabld", "enabled"), ("timeZnoe", "timeZone"), ("priorty", "priority"), ("crn", nil),
    ] as [(String, String?)])
  func unknown(name: String, suggestion: String?) {
    let fields: JSONValue = .object([name: 1, "cron": "* * * * *", "state": [:]])
    let unknown = JobConfiguration.unknownFields(of: fields)
    #expect(unknown.map(\.name) == [name])
    #expect(unknown.first?.suggestion == suggestion)
  }

  @Test("A status of the Dart runtime is read, and an unknown one is invalid")
  func foreignStatus() throws {
    let document = try JobDocument(id: "job", fields: ["state": ["status": "skippedBreakerOpen", "epoch": 3]])
    #expect(document.state.status == .skippedBreakerOpen && document.state.epoch == 3)
    #expect(throws: JobError.self) { try JobDocument(id: "job", fields: ["state": ["status": "skippedOften"]]) }
  }

  @Test("A document with only known fields, or none, has no unknown fields")
  func known() {
    let all = Dictionary(uniqueKeysWithValues: JobConfiguration.fieldNames.map { ($0, JSONValue.null) })
    #expect(JobConfiguration.unknownFields(of: .object(all)).isEmpty)
    #expect(JobConfiguration.unknownFields(of: "text").isEmpty)
  }
}

@Suite("Run and journal documents")
struct RunDocumentTests {
  private static let fields: JSONValue = [
    "job": "job", "trigger": "parent", "status": "running", "input": ["a": [1, nil]], "output": "text", "attempt": 2,
    "failures": 1, "maxAttempts": 3, "scheduledFor": "2026-11-21T10:00:00Z", "notBefore": "2026-11-21T10:00:01Z",
    "createdAt": "2026-11-21T09:00:00.000001Z", "startedAt": "2026-11-21T10:00:02Z",
    "finishedAt": "2026-11-21T10:00:03Z",
    "lease": ["owner": "other", "token": 2, "expiresAt": "2026-11-21T10:05:00Z"], "fence": 2, "handoffs": 4,
    "wakeAt": "2026-11-21T10:05:00Z", "error": ["kind": "oops", "message": "It failed."], "reason": "why",
    "correlationId": "cause", "parent": .string(String(repeating: "0f", count: 32)), "uniqueKey": "key",
    "queue": "slow", "priority": -3, "expireAt": "2027-02-19T10:00:00Z",
  ]
  private static let id = RunID(job: "job", occurrence: .key("one"))

  @Test("A run with every field round-trips")
  func roundTrip() throws {
    let run = try Run(id: Self.id, fields: Self.fields)
    #expect(run.fields == Self.fields)
    #expect(run.lease == Lease(owner: "other", token: 2, expiresAt: PlanSample.time("2026-11-21T10:05:00Z")))
    #expect(run.failure == RunFailure(kind: "oops", message: "It failed."))
    #expect(try Run(id: Self.id, fields: run.fields) == run)
  }

  @Test("The text of a document is that of its fields without the payloads")
  func document() throws {
    var random = SeededGenerator(seed: 53)
    var source = PlanInputSource(random: random)
    let pools = source.pools(of: [PlanSample.job(.endpoint)])
    var all = try #require(Self.fields.object)
    all.merge([
      "after": .array([.string(Self.id.rawValue)]), "afterFailure": "tolerate", "amendments": 3, "losses": 2,
      "awaiting": .string(Self.id.rawValue), "cancellation": "\u{1}\"\\\n\t\r\u{1F600}é", "continuations": 1,
      "checkpoint": "{\"a\":[1,2]}", "dependents": .array([.string(Self.id.rawValue)]), "timeout": 30,
      "metadata": ["b": 1, "a": [true, nil, 0.5]], "permits": ["job/a"], "waitsFor": "job/a",
      "progress": ["fraction": 0.5], "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "attemptStartedAt": "2026-11-21T10:00:02.5Z",
      "earlierAttempts": [
        [
          "number": 1, "startedAt": "2026-11-21T10:00:02Z", "endedAt": "2026-11-21T10:00:02.25Z", "outcome": "failed",
          "error": ["kind": "oops", "message": "It failed."],
        ]
      ],
    ]) { $1 }
    let runs = [try Run(id: Self.id, fields: Self.fields), try Run(id: Self.id, fields: .object(all))]
    #expect(runs[1].fields.object?.count == all.count)
    for run in runs + pools.runs.compactMap(\.self).shuffled(using: &random).prefix(500) {
      var bare = run
      (bare.input, bare.output) = (nil, nil)
      #expect(run.document == bare.fields.text)
    }
  }

  @Test("A document that is read without a tree is read the same, and one in any other form is left alone")
  func reader() throws {
    var random = SeededGenerator(seed: 54)
    var source = PlanInputSource(random: random)
    let pools = source.pools(of: [PlanSample.job(.endpoint)])
    func slow(_ id: RunID, _ document: [UInt8]) throws -> Run {
      try Run(id: id, fields: JSONValue(parsing: document, limits: .service))
    }
    var counts = (fast: 0, mutated: 0)
    for run in pools.runs.compactMap(\.self) {
      let document = Array(run.document.utf8)
      if RunDocumentReader.read(document, id: run.id) != nil { counts.fast += 1 }
      #expect((try? Run(id: run.id, document: document)) == (try? slow(run.id, document)))
      for _ in 0..<10 {
        var changed = document
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: changed.remove(at: place)
        case 1: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 2: changed.insert(contentsOf: "0123456789,:\"{}[]".utf8.shuffled(using: &random).prefix(2), at: place)
        default: changed.insert(contentsOf: changed[..<place].suffix(30), at: place)
        }
        if RunDocumentReader.read(changed, id: run.id) != nil { counts.mutated += 1 }
        let (fast, tree) = (try? Run(id: run.id, document: changed), try? slow(run.id, changed))
        if fast != tree { Issue.record("\(String(decoding: changed, as: UTF8.self))") }
      }
    }
    #expect(counts.fast > 500 && counts.mutated > 200, "\(counts)")
  }

  @Test("A run with only the required fields round-trips", arguments: RunStatus.allCases)
  func small(_ status: RunStatus) throws {
    let run = Run(
      id: Self.id, job: "job", trigger: .task, status: status, maxAttempts: 1, notBefore: .epoch, createdAt: .epoch)
    #expect(try Run(id: Self.id, fields: run.fields) == run)
  }

  @Test(
    "A missing field is named", arguments: ["job", "trigger", "status", "maxAttempts", "notBefore", "createdAt"])
  func missing(_ name: String) throws {
    var members = try #require(Self.fields.object)
    members[name] = nil
    let error = #expect(throws: JobError.self) { try Run(id: Self.id, fields: .object(members)) }
    #expect((error?.code, error?.field) == (.invalidField, name))
  }

  @Test(
    "An invalid field is named by its dotted path",
    arguments: [
      ("job", "job", "a b"), ("trigger", "trigger", "luck"), ("status", "status", "lost"), ("attempt", "attempt", -1),
      ("maxAttempts", "maxAttempts", 0), ("lease", "lease", 1), ("lease", "lease.owner", [:]),
      ("lease", "lease.token", ["owner": "a", "token": "b"]), ("error", "error.kind", ["kind": 1]),
      ("wakeAt", "wakeAt", "soon"), ("parent", "parent", "abc"), ("fence", "fence", 0.5),
    ] as [(String, String, JSONValue)])
  func malformed(name: String, field: String, value: JSONValue) throws {
    var members = try #require(Self.fields.object)
    members[name] = value
    let error = #expect(throws: JobError.self) { try Run(id: Self.id, fields: .object(members)) }
    #expect((error?.code, error?.field) == (.invalidField, field))
  }

  @Test("A pass journal entry round-trips, and an invalid line is named")
  func journal() throws {
    let entry = PassJournalEntry(
      id: "one", time: PlanSample.now, owner: "me",
      lines: [
        PassJournalEntry.Line(
          job: "a", scheduledFor: PlanSample.now, verdict: "run", reason: "The job is due.", run: Self.id),
        PassJournalEntry.Line(job: "b", scheduledFor: nil, verdict: "quarantined", reason: "cron"),
      ])
    #expect(try PassJournalEntry(id: "one", fields: entry.fields) == entry)
    let damaged: JSONValue = ["time": 0, "lines": [["job": "a"], ["slot": "never"]]]
    let error = #expect(throws: JobError.self) { try PassJournalEntry(id: "one", fields: damaged) }
    #expect(error?.field == "lines.1.slot")
  }

  @Test("A long failure message is truncated")
  func longMessage() {
    let failure = RunFailure(kind: "a", message: String(repeating: "é", count: 5_000))
    #expect(failure.message.count == RunFailure.maximumMessage + 1)
  }

  @Test("Combining marks count, so that no text grows without limit")
  func combiningMarks() {
    let text = "e" + String(repeating: "\u{301}", count: 100_000)
    #expect(text.count == 1)
    let failure = RunFailure(kind: text, message: text)
    #expect(failure.message.unicodeScalars.count == RunFailure.maximumMessage + 1)
    #expect(failure.kind.unicodeScalars.count == RunFailure.maximumKind + 1)
    var progress = RunProgress()
    progress.set(message: text)
    #expect(progress.message?.unicodeScalars.count == RunProgress.maximumMessage + 1)
    let line = RunLogLine(time: PlanSample.now, level: "info", message: text, metadata: ["a": text])
    #expect(line.message.unicodeScalars.count == RunLogLine.maximumText + 1)
    #expect(line.metadata["a"]?.unicodeScalars.count == RunLogLine.maximumText + 1)
  }

  @Test(
    "A text is cut after a number of scalars",
    arguments: [("", ""), ("abc", "abc"), ("äöü", "äöü"), ("abcd", "abc…")])
  func cut(text: String, expected: String) {
    #expect(text.cut(to: 3) == expected)
  }
}
