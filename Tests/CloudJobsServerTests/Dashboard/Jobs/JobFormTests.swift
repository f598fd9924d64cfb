#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import Testing

@testable import CloudJobsServer

@Suite("JobFormTests")
struct JobFormTests {
  private static func field(_ name: String) throws -> JobField {
    try #require(JobField.all.first { $0.name == name })
  }

  @Test("The form has each field of a job's document once")
  func fields() {
    #expect(JobField.all.count == JobConfiguration.fieldNames.count)
    #expect(Set(JobField.all.map(\.name)) == JobConfiguration.fieldNames)
  }

  @Test(
    "A text of the form is the value of the document",
    arguments: [
      ("cron", " 0 9 * * 1-5 ", "0 9 * * 1-5"), ("cron", "", nil), ("cron", "  ", nil), ("interval", "30m", "30m"),
      ("interval", "1800", 1_800), ("priority", "-5", -5), ("priority", "high", "high"), ("enabled", "true", true),
      ("enabled", "false", false), ("enabled", "", nil),
      ("skipDates", "2026-12-25\n2026-12-26,\n", ["2026-12-25", "2026-12-26"]),
      ("dependencies", "import, mail", ["import", "mail"]), ("retention", "90d", "90d"),
      ("retention", #"{"failed": "90d"}"#, ["failed": "90d"]), ("input", "{\"a\": [1, null]}", ["a": [1, nil]]),
      ("rate", #"{"count": 5, "period": "1m"}"#, ["count": 5, "period": "1m"]),
    ] as [(String, String, JSONValue?)])
  func values(name: String, text: String, value: JSONValue?) throws {
    #expect(try Self.field(name).value(of: text) == value)
  }

  @Test("JSON that can't be parsed names its field", arguments: ["retry", "input", "metadata", "breaker", "rate"])
  func invalidJSON(name: String) throws {
    let error = #expect(throws: JobError.self) { try Self.field(name).value(of: "{") }
    #expect(error?.field == name)
  }

  @Test("The text of each field is read as the value that it stands for")
  func roundTrip() throws {
    var configuration = JobConfiguration()
    (configuration.type, configuration.enabled, configuration.paused) = (.periodic, true, false)
    (configuration.cron, configuration.interval) = ("0 9 * * *", .seconds(5_400))
    configuration.timeZone = "Europe/Berlin"
    configuration.startAt = .day(CivilDate(year: 2_026, month: 12, day: 1))
    configuration.endAt = .instant(Timestamp(seconds: 1_800_000_000))
    configuration.skipDates = [.day(CivilDate(year: 2_026, month: 12, day: 25))]
    (configuration.dependencies, configuration.priority, configuration.maxRetries) = (["import"], -3, 4)
    var retry = RetryOverride()
    (retry.backoff, retry.delay, retry.only) = (.linear, .milliseconds(1_500), ["refused"])
    configuration.retry = retry
    (configuration.timeout, configuration.weight, configuration.group) = (.seconds(120), .medium, "mail")
    configuration.retention = RetentionOverride(succeeded: .days(90), failed: .days(90), cancelled: .days(90))
    (configuration.misfire, configuration.overlap) = (.catchUp(3), .queue)
    configuration.breaker = CircuitBreaker(threshold: 5, cooldown: .seconds(60))
    (configuration.maxConcurrent, configuration.groupMaxConcurrent) = (0, 7)
    configuration.rate = RateLimit(100, per: .seconds(60))
    (configuration.trigger, configuration.queue) = (.masterPass, "slow")
    (configuration.input, configuration.metadata) = (["region": "eu"], ["owner": ["ops"]])
    let members = try #require(configuration.fields.object)
    #expect(members.count == JobField.all.count)
    var read: [String: JSONValue] = [:]
    for field in JobField.all { read[field.name] = try field.value(of: field.text(of: members[field.name])) }
    #expect(try JobConfiguration(fields: .object(read)) == configuration)
    #expect(try Self.field("retention").text(of: members["retention"]) == "90d")
    #expect(try Self.field("interval").text(of: members["interval"]) == "1h30m")
    // Nothing was changed: nothing is sent to the store.
    let draft = JobDraft(configuration, hidesInput: false)
    #expect(try draft.patch(of: configuration, hidesInput: false).isEmpty)
  }

  @Test("What the code says is shown by the same texts")
  func code() throws {
    var definition = JobDefinition(id: "a", kind: .periodic, schedule: .every(.seconds(300)), timeZone: "Etc/UTC")
    definition.policy.retry = RetryPolicy(maxAttempts: 7, backoff: .exponential(.seconds(2)))
    definition.policy.timeout = .seconds(90)
    definition.policy.retention = Retention(.seconds(90 * 86_400))
    let configuration = JobConfiguration(saying: definition)
    #expect(configuration.interval == .seconds(300) && configuration.cron == nil)
    #expect(configuration.maxRetries == 6 && configuration.timeout == .seconds(90) && configuration.overlap == .skip)
    // As a document, it changes nothing.
    var applied = definition.policy.overridden(by: configuration)
    (applied.overlap, applied.descriptor) = (definition.policy.overlap, definition.policy.descriptor)
    #expect(applied == definition.policy)
  }

  @Test("Only fields that a visitor changed are sent, and an emptied one goes back to the code")
  func patch() throws {
    var configuration = JobConfiguration()
    (configuration.interval, configuration.group) = (.seconds(1_800), "mail")
    var draft = JobDraft(configuration, hidesInput: false)
    draft.texts["interval"] = ""
    draft.texts["timeout"] = "2m"
    let patch = try draft.patch(of: configuration, hidesInput: false)
    #expect(patch == ["interval": .null, "timeout": "2m"])
    #expect(JobDraft.version(of: configuration) != JobDraft.version(of: JobConfiguration()))
  }

  @Test("A confidential input is not shown, and is kept unless another is written or it is removed")
  func confidentialInput() throws {
    var configuration = JobConfiguration()
    configuration.input = ["card": "4111"]
    var draft = JobDraft(configuration, hidesInput: true)
    #expect(draft.texts["input"]?.isEmpty == true)
    #expect(try draft.patch(of: configuration, hidesInput: true).isEmpty)
    draft.clearsInput = true
    #expect(try draft.patch(of: configuration, hidesInput: true) == ["input": .null])
    draft.texts["input"] = "1"
    #expect(try draft.patch(of: configuration, hidesInput: true) == ["input": 1])
  }

  @Test(
    "A time of a form is one of the job's zone, or has an offset",
    arguments: [
      ("2026-07-01T09:00", "2026-07-01T07:00:00Z"), ("2026-01-01T09:00:30", "2026-01-01T08:00:30Z"),
      ("2026-07-01 09:00", "2026-07-01T07:00:00Z"), ("2026-07-01T09:00:00Z", "2026-07-01T09:00:00Z"),
      ("2026-07-01T09:00:00+05:00", "2026-07-01T04:00:00Z"),
      // The clock goes forward at 02:00 and back at 03:00.
      ("2026-03-29T01:59", "2026-03-29T00:59:00Z"), ("2026-03-29T03:00", "2026-03-29T01:00:00Z"),
      ("2026-03-29T02:30", "2026-03-29T01:30:00Z"), ("2026-03-29T12:00", "2026-03-29T10:00:00Z"),
      ("2026-10-25T01:00", "2026-10-24T23:00:00Z"), ("2026-10-25T04:00", "2026-10-25T03:00:00Z"),
      ("2026-02-30T09:00", nil), ("2026-07-01", nil), ("2026-07-01T24:00", nil), ("tomorrow", nil), ("", nil),
      ("2026-07-01T09:60", nil), ("2026-07-01T09", nil),
    ])
  func localTimes(text: String, expected: String?) throws {
    let zone = try ZoneCatalog.system.zone(named: "Europe/Berlin")
    #expect(LocalTime.timestamp(text, in: zone) == expected.flatMap { Timestamp(rfc3339: $0) })
  }

  @Test("The text of a time is read as the same time", arguments: [0, 1_790_000_000, 1_774_749_600, 1_774_749_601])
  func localText(seconds: Int64) throws {
    let zone = try ZoneCatalog.system.zone(named: "Europe/Berlin")
    let time = Timestamp(seconds: seconds)
    #expect(LocalTime.timestamp(LocalTime.text(time, in: zone), in: zone) == time)
  }

  @Test(
    "A field of a run's form that can't be read is named",
    arguments: [
      ("payload", "{"), ("delay", "soon"), ("delay", "4000d"), ("at", "noon"), ("priority", "high"),
      ("priority", "1000001"),
    ])
  func invalidDrafts(name: String, text: String) throws {
    let draft = EnqueueDraft(PageFields("\(name)=\(PercentEncoding.encode(text))"))
    let error = #expect(throws: JobError.self) { try draft.request(for: "mail", in: .utc) }
    #expect(error?.field == name)
  }

  @Test(
    "A forecast has fewer days where the schedules are dense, and at least one",
    arguments: [(0.0, 7), (6_000, 7), (6_001, 6), (14_000, 3), (44_139, 1), (1e9, 1)])
  func days(times: Double, days: Int) {
    #expect(ForecastPages.usualDays(7, for: times) == days)
  }

  @Test("A run's form is read as a request")
  func draft() throws {
    let draft = EnqueueDraft(PageFields("payload=%7B%22a%22%3A1%7D&delay=10m&key=k&priority=3&queue=slow"))
    let (request, input) = try draft.request(for: "mail", in: .utc)
    #expect(input == ["a": 1] && request.key == "k" && request.priority == 3 && request.queue == "slow")
    guard case .after(.seconds(600))? = request.start else {
      Issue.record("The start is not ten minutes later.")
      return
    }
    let both = EnqueueDraft(PageFields("delay=1m&at=2026-07-01T09%3A00"))
    #expect(throws: JobError.self) { try both.request(for: "mail", in: .utc) }
    let empty = try EnqueueDraft(PageFields("payload=%20%0D%0A")).request(for: "mail", in: .utc)
    #expect(empty.input == nil && empty.request.start == nil && empty.request.key == nil)
  }

  @Test(
    "A payload is filled in whole or not at all",
    arguments: [
      (PayloadDisclosure.whole(["a": 1]), "{\n  \"a\": 1\n}"), (.confidential, ""), (.encrypted, ""), (.none, ""),
      (.whole(.string(String(repeating: "x", count: 40_000))), ""),
    ])
  func prefill(disclosure: PayloadDisclosure, text: String) {
    let (draft, note) = JobEnqueueView.first(disclosure)
    #expect(draft.payload == text)
    #expect(note != nil)
  }
}
#endif
