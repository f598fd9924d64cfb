#if Server
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
import Testing

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

@Suite("The emulator's dashboard")
struct EmulatorDashboardTests {
  private static let now = Timestamp(seconds: 1_795_000_000)

  private static func clock(isFrozen: Bool = false, ahead: Duration = .zero) -> ClockStatus {
    ClockStatus(
      now: now, machineTime: now - ahead, isFrozen: isFrozen, nextEvent: nil, inFlight: 0, counts: DeliveryCounts())
  }

  // MARK: Durations

  @Test(
    "durations are read as people type them",
    arguments: [
      ("90s", .seconds(90)), ("1.5s", .milliseconds(1_500)), ("2h 30min", .minutes(150)), ("1d", .days(1)),
      ("2 days 1 hour", .hours(49)), ("1h30m", .minutes(90)), (" 10 min ", .minutes(10)), ("250ms", .milliseconds(250)),
      ("0s", .zero), ("", nil), ("5", nil), ("s", nil), ("-5s", nil), ("1y", nil), ("1h x", nil), ("9999999999d", nil),
    ] as [(String, Duration?)])
  func duration(text: String, span: Duration?) {
    #expect(DurationText.parse(text) == span)
  }

  // MARK: The clock

  @Test(
    "the state of the clock is in words",
    arguments: [
      (false, Duration.zero, "the machine's time"), (true, .hours(3), "frozen"), (false, .hours(26), "1 d 2 h ahead"),
      (false, .zero - .minutes(2), "2 min behind"), (false, .milliseconds(900), "the machine's time"),
    ])
  func state(isFrozen: Bool, ahead: Duration, words: String) {
    #expect(ClockBar.state(of: Self.clock(isFrozen: isFrozen, ahead: ahead)).words == words)
  }

  @Test(
    "a form leads back to pages of the dashboard alone",
    arguments: [
      ("/_emulator/dashboard/queues/p/l/q?after=a%26b", true), ("/_emulator/dashboard", true), ("", false),
      ("https://evil.example/_emulator/dashboard", false), ("//evil.example", false), ("/v2", false),
      ("/_emulator/dashboards", false), ("/_emulator/dashboard/a b", false), ("/_emulator/dashboard\\@evil", false),
      ("/_emulator/dashboard\r\nA: b", false),
    ])
  func back(text: String, isPage: Bool) {
    #expect(ClockPages.back(text) == (isPage ? text : EmulatorDashboard.path))
  }

  @Test("the page to return to keeps the list's place, and forgets the message")
  func returnPath() throws {
    let request = try #require(
      DashboardRequest(
        .get, target: "/_emulator/dashboard/queues/p/l/q?after=a%2Fb&done=paused&x=y", under: EmulatorDashboard.path))
    #expect(ClockBar.returnPath(of: request) == "/_emulator/dashboard/queues/p/l/q?after=a%2Fb")
  }

  @Test(
    "a message has only known texts and numbers",
    arguments: [
      ("done=advanced&made=2&failed=1", "The time was advanced. 2 deliveries, of which 1 failed."),
      ("done=advanced&made=1", "The time was advanced. 1 delivery was made."),
      ("done=idle&made=0&failed=0", "Nothing waits for time any more. No delivery was made."),
      ("done=paused&made=-1", "It is paused."), ("done=paused&made=x", "It is paused."), ("done=evil", nil), ("", nil),
    ] as [(String, String?)])
  func message(query: String, text: String?) throws {
    let target = "\(EmulatorDashboard.path)?\(query)"
    let request = try #require(DashboardRequest(.get, target: target, under: EmulatorDashboard.path))
    #expect(EmulatorMessage.message(of: request)?.text == text)
  }

  // MARK: Reasons

  @Test("each reason why a task waits is a word and a sentence")
  func reasons() throws {
    let name = try CloudTasks.TaskName("projects/p/locations/l/queues/q/tasks/t")
    let queue = CloudTasks.Queue(
      name: name.queue, rateLimits: .init(maxDispatchesPerSecond: .init(millionthsPerSecond: 500_000)))
    let later = Self.now + .seconds(90)
    func view(_ reason: CloudTasks.WaitReason, _ clock: ClockStatus = Self.clock()) throws -> ReasonView {
      var state = EmulatorState()
      _ = try state.tasks.createQueue(queue, at: Self.now)
      _ = try state.tasks.createTask(
        .init(name: name.description, target: .http(.init(url: "http://h"))), in: name.queue, at: Self.now)
      var report = try #require(state.tasks.taskReport(name, at: Self.now))
      report.reason = reason
      report.previousResponse = 503
      return ReasonView(report, queue, clock)
    }
    let until = "\(PageTime.exact(later)), in 1 min 30 s"
    let expected: [(CloudTasks.WaitReason, String, String)] = [
      (.paused, "queue paused", "The queue is paused. It waits until the queue is resumed, or the task is run."),
      (.scheduled(until: later), "scheduled", "It is scheduled for \(until)."),
      (
        .backoff(afterAttempt: 2, until: later), "backoff",
        "Attempt 2 failed with HTTP 503. The next one is due at \(until)."
      ),
      (
        .rateLimit(until: later), "rate limit",
        "The queue's rate limit of 0.5 per second is used up. Its next token comes at \(until)."
      ),
      (.concurrencyLimit(1), "queue full", "1 attempt is in flight, the queue's limit."),
      (.ready, "due", "It is due, and starts now."),
    ]
    for (reason, word, text) in expected {
      let found = try view(reason)
      #expect(found.reasonWord == word && found.reasonText == text)
    }
    #expect(try view(.slowdown(until: later)).reasonText.contains("Retry-After"))
    #expect(try view(.ready, Self.clock(isFrozen: true)).reasonWord == "due, clock frozen")
  }

  // MARK: Requests

  @Test(
    "credentials in headers are shown by their length alone",
    arguments: [
      ("Authorization", "Bearer abc", "Bearer ••• (10 bytes, hidden)"), ("COOKIE", "a=b", "••• (3 bytes, hidden)"),
      ("X-Api-Key", "Bearer", "••• (6 bytes, hidden)"), ("X-Other", "Bearer abc", "Bearer abc"),
    ])
  func secrets(name: String, value: String, shown: String) {
    #expect(SecretHeaders.shown(name, value) == shown)
  }

  @Test("a body is shown as JSON, text or bytes, and no longer than a page allows")
  func body() {
    #expect(BodyView([]).bodyKind == nil)
    let json = BodyView(Array(#"{"b":[1,{"c":"é"}],"a":{}}"#.utf8))
    #expect(json.bodyKind == "JSON, 27 bytes")
    #expect(json.bodyText == "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"c\": \"é\"\n    }\n  ]\n}")
    #expect(BodyView(Array("[not json".utf8)).bodyKind == "text, 9 bytes")
    #expect(BodyView([0, 255, 16]).bodyText == "00 ff 10")
    let long = BodyView(Array(String(repeating: "é", count: 200_000).utf8))
    #expect(long.isCut && long.bodyText.count == BodyView.limit + 1)
    let deep = BodyView(Array((String(repeating: "[", count: 100) + String(repeating: "]", count: 100)).utf8))
    #expect(deep.bodyKind == "JSON, 200 bytes" && deep.bodyText.utf8.count < 60_000)
  }

  // MARK: Commands

  @Test(
    "shell words are one word each",
    arguments: [
      ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("'", "''\\'''"), ("$(x) `y`", "'$(x) `y`'"), ("a\nb", "'a\nb'"),
      ("é", "$'\\xc3\\xa9'"), ("\u{7}'\\", "$'\\x07\\'\\\\'"),
    ])
  func shell(text: String, word: String) {
    #expect(ShellText.quoted(text) == word)
  }

  @Test("Python literals have the client's names, types and escapes")
  func python() {
    let json: JSONValue = [
      "httpRequest": ["headers": ["X-camelCase": "a\"\\\n"], "body": "AGEi", "url": "é\u{1F600}"],
      "dispatchDeadline": "1.5s", "scheduleTime": "2026-11-28T00:00:00.25Z", "flag": true,
    ]
    let text = PythonText.literal(.object(json.object ?? [:]), indent: "")
    for part in [
      #""http_request": {"#, #""X-camelCase": "a\"\\\n","#, #""body": b"\x00a\"","#, #""url": "\u00e9\U0001f600","#,
      #""dispatch_deadline": Duration(seconds=1, nanos=500000000),"#,
      #""schedule_time": Timestamp(seconds=1795824000, nanos=250000000),"#, #""flag": True,"#,
    ] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
  }

  // MARK: The rule

  @Test(
    "changes come from the dashboard's own pages",
    arguments: [
      ("127.0.0.1:8", "same-origin", nil, true), ("localhost:8", "same-origin", "http://localhost:8", true),
      ("127.0.0.1:8", "cross-site", nil, false), ("127.0.0.1:8", "none", nil, false), ("127.0.0.1:8", nil, nil, false),
      ("127.0.0.1:8", nil, "http://127.0.0.1:8", false), ("127.0.0.1:8", "same-origin", "http://127.0.0.1:9", false),
      ("evil.example:8", "same-origin", "http://evil.example:8", false),
      ("192.0.2.1:8", nil, "http://192.0.2.1:8", true),
      ("192.0.2.1:8", nil, "http://192.0.2.1:9", false), ("own.test:8", nil, "http://own.test:8", true),
      ("192.0.2.1:8", "cross-site", "http://192.0.2.1:8", false), ("", "same-origin", nil, false),
    ] as [(String, String?, String?, Bool)])
  func guardRule(authority: String, site: String?, origin: String?, isServed: Bool) throws {
    var request = HTTPRequest(method: .post, scheme: "http", authority: authority, path: EmulatorDashboard.path)
    request.headerFields[.contentType] = "application/x-www-form-urlencoded"
    request.headerFields[.origin] = origin
    request.headerFields[try #require(HTTPField.Name("Sec-Fetch-Site"))] = site
    #expect((DashboardGuard(host: "own.test").refusal(of: request) == nil) == isServed)
  }

  // MARK: Deliveries

  @Test("a trace becomes rows, newest first, each delivery with its outcome")
  func rows() throws {
    var state = EmulatorState()
    let queue = try CloudTasks.QueueName("projects/p/locations/l/queues/q")
    _ = try state.tasks.createQueue(.init(name: queue), at: Self.now)
    for id in ["a", "b"] {
      _ = try state.tasks.createTask(
        .init(name: "\(queue)/tasks/\(id)", target: .http(.init(url: "http://h/\(id)"))), in: queue, at: Self.now)
    }
    var entries: [TraceEntry] = []
    func note(_ actions: [ServiceAction], at time: Timestamp) {
      entries += actions.map { TraceEntry(time: time, action: $0) }
    }
    note(state.handle(.wake, at: Self.now), at: Self.now)
    let later = Self.now + .milliseconds(250)
    note(state.handle(.completed(DeliveryID(.tasks, 1), .response(status: 500)), at: later), at: later)
    let rows = DeliveryRow.rows(entries.reversed(), limit: 5, now: later)
    #expect(rows.map(\.requestLine) == ["POST http://h/b", "POST http://h/a"])
    #expect(rows.map(\.outcomeText) == ["in flight", "HTTP 500"] && rows.map(\.latencyText) == ["", "250 ms"])
    #expect(rows[1].verdictText.hasPrefix("next attempt at ") && rows[1].outcomeKind == "failed")
    #expect(DeliveryRow.rows(entries.reversed(), limit: 1, now: later).count == 1)
    #expect(DeliveryRow.rows(entries.reversed(), limit: 5, now: later) { name, _ in name.hasSuffix("/a") }.count == 1)
    let name = ResourceLink("\(queue)/tasks/a b")
    #expect(name.href == "/_emulator/dashboard/queues/p/l/q/tasks/a%20b" && name.short == "q / a b")
    #expect(ResourceLink("projects/p/locations/l/jobs/j").kind == "job")
    #expect(ResourceLink("nonsense").href == nil)
  }

  @Test("fields of a document are listed with those inside, up to a bound")
  func fields() {
    var budget = FieldText.limit
    let rows = FieldText.rows(
      ["b": .array([.integer(1), .map(["c": .string("x")])]), "a": .null, "v": .double(.nan)], &budget)
    #expect(rows.map(\.fieldPath) == ["a", "b", "b[0]", "b[1]", "b[1].c", "v"])
    #expect(rows.map(\.fieldType) == ["null", "array of 2", "integer", "map of 1", "string", "double"])
    var small = FieldText.limit
    let many = FieldText.rows(
      ["a": .array((0..<20_000).map { .string(String(repeating: "<", count: $0 % 3_000)) })], &small)
    #expect(small <= 0 && many.count < 400)
  }
}

@Suite("Numbers of the dashboard's forms")
struct FormNumberTests {
  @Test(
    "A number out of bounds is refused, the least of all too",
    arguments: [
      ("", 0), ("-1", -1), ("1000000", 1_000_000), ("1000001", nil), ("-9223372036854775808", nil),
      ("9223372036854775807", nil), ("9223372036854775808", nil), ("1e3", nil), ("١", nil),
    ] as [(String, Int64?)])
  func whole(text: String, number: Int64?) {
    #expect((try? FormNumber.whole(text, "attempts")) == number)
  }
}
#endif
