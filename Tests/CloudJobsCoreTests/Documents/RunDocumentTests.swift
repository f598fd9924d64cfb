import CloudJobsCore
import Testing

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

  @Test("A run with every field comes back as it was")
  func roundTrip() throws {
    let run = try Run(id: Self.id, fields: Self.fields)
    #expect(run.fields == Self.fields)
    #expect(run.lease == Lease(owner: "other", token: 2, expiresAt: PlanSample.time("2026-11-21T10:05:00Z")))
    #expect(run.failure == RunFailure(kind: "oops", message: "It failed."))
    #expect(try Run(id: Self.id, fields: run.fields) == run)
  }

  @Test("A run with the needed fields only comes back as it was", arguments: RunStatus.allCases)
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
    "A field that can't be read is named by its dotted path",
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

  @Test("A journal entry comes back as it was, and a damaged line is named")
  func journal() throws {
    let entry = JournalEntry(
      id: "one", time: PlanSample.now, owner: "me",
      lines: [
        JournalEntry.Line(job: "a", slot: PlanSample.now, verdict: "run", reason: "The job is due.", run: Self.id),
        JournalEntry.Line(job: "b", slot: nil, verdict: "quarantined", reason: "cron"),
      ])
    #expect(try JournalEntry(id: "one", fields: entry.fields) == entry)
    let damaged: JSONValue = ["time": 0, "lines": [["job": "a"], ["slot": "never"]]]
    let error = #expect(throws: JobError.self) { try JournalEntry(id: "one", fields: damaged) }
    #expect(error?.field == "lines.1.slot")
  }

  @Test("A long failure message is cut")
  func longMessage() {
    let failure = RunFailure(kind: "a", message: String(repeating: "é", count: 5_000))
    #expect(failure.message.count == RunFailure.maximumMessage + 1)
  }
}
