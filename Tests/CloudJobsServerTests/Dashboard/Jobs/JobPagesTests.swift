#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import Testing

@testable import CloudJobsServer

@Suite("JobPagesTests")
struct JobPagesTests {
  @Test(
    "Each page is shown, with the navigation and its title",
    arguments: [
      ("", "Overview", "Next runs"), ("/jobs", "Jobs", "every 30 minutes"), ("/jobs/cleanup", "cleanup", "Statistics"),
      ("/jobs/report", "report", "30 2 * * *"), ("/jobs/mail", "mail", "when it is enqueued"),
      ("/jobs/cleanup/edit", "Edit cleanup", "In code: <code>30m</code>"),
      ("/jobs/mail/enqueue", "Enqueue mail", "No run is stored"),
      ("/jobs/cleanup/remove", "Remove cleanup", "its runs stay"), ("/jobs/cleanup/why", "Why: cleanup", "Gates"),
      ("/jobs/cleanup/why?at=2026-07-01T09:00", "Why: cleanup", "Cause"),
      ("/jobs?all=pause", "Pause all jobs", "Pause 4 jobs?"), ("/calendar", "Calendar", "Planned runs an hour"),
      ("/calendar?span=day&zone=Europe/Berlin", "Calendar", "02:30"),
      ("/calendar?span=month&job=report", "Calendar", "31 planned runs"),
      ("/forecast", "Forecast", "After free tiers"),
      ("/forecast?interval=cleanup%3D5m", "Forecast", "Before and after"),
    ])
  func pages(target: String, title: String, content: String) async throws {
    let page = try await JobPagesFixture().get(target)
    #expect(page.status == 200)
    #expect(page.text.contains("<h1>\(title)</h1>"), "\(page.text.prefix(2_000))")
    #expect(page.text.contains(content), "\(page.text)")
    #expect(page.text.contains("aria-current=\"page\""))
    #expect(page.size < 100_000)
  }

  @Test(
    "A page that does not exist is not found, and a bad parameter is told",
    arguments: [
      ("/jobs/nothing", 404), ("/jobs/cleanup/other", 404), ("/jobs/cleanup/why/more", 404), ("/jobs/%2E%2E", 400),
      ("/calendar/more", 404), ("/calendar?zone=Nowhere", 422), ("/calendar?from=2026-02-30", 422),
      ("/forecast?days=0", 422), ("/forecast?interval=nothing%3D5m", 422), ("/forecast?interval=cleanup", 422),
      ("/forecast?days=366&interval=cleanup%3D1s", 422), ("/jobs/cleanup/why?at=noon", 422),
    ])
  func faults(target: String, status: Int) async throws {
    #expect(try await JobPagesFixture().get(target).status == status)
  }

  @Test("The list is filtered by text, kind, state and group")
  func filter() async throws {
    let fixture = try await JobPagesFixture()
    _ = try await fixture.edit("cleanup", ["group": "nightly"])
    _ = try await fixture.post("/jobs/report/pause")
    for (query, jobs) in [
      ("q=REP", ["report"]), ("q=30+min", ["cleanup"]), ("kind=endpoint", ["charge", "mail"]),
      ("state=paused", ["report"]), ("group=nightly", ["cleanup"]), ("q=nothing", []),
      ("kind=other", ["charge", "cleanup", "mail", "report"]),
    ] as [(String, [String])] {
      let page = try await fixture.get("/jobs?\(query)")
      let shown = ["charge", "cleanup", "mail", "report"].filter {
        page.text.contains("href=\"/dashboard/jobs/\($0)\"")
      }
      #expect(shown == jobs, "\(query)")
    }
  }

  @Test(
    "The throughput is the number of a day, or a rate where not all runs of the day were read",
    arguments: [
      (0, nil, "none in 24 h"), (1, nil, "1 in 24 h"), (49, nil, "49 in 24 h"), (50, .hours(20), "about 60 a day"),
      (50, .hours(5), "about 10 an hour"), (50, .minutes(50), "about 60 an hour"),
      (50, .minutes(5), "about 10 a minute"),
      (50, .seconds(1), "about 3,000 a minute"), (50, .zero, "about 3,000 a minute"),
      (10, .hours(23), "about 10 a day"),
    ] as [(Int, Duration?, String)])
  func throughput(count: Int, span: Duration?, text: String) {
    #expect(EndpointRow.throughput(count, in: span) == text)
  }

  @Test("The overview lists endpoint jobs with their throughput and last run, those that never ran too")
  func endpoints() async throws {
    let fixture = try await JobPagesFixture()
    try await fixture.put(3, of: "mail", .succeeded, apart: .hours(7))
    try await fixture.put(120, of: "cleanup", .succeeded)
    func row(_ job: String) async throws -> Substring {
      let part = try await fixture.get("").text.split(separator: "id=\"endpoints\"").dropFirst().first ?? ""
      let start = try #require(part.firstRange(of: "href=\"/dashboard/jobs/\(job)\"")).lowerBound
      return part[start...].split(separator: "</tr>")[0]
    }
    func expect(_ job: String, _ texts: String...) async throws {
      let row = try await row(job)
      for text in texts { #expect(row.contains(text), "\(job): \(row)") }
    }
    try await expect("mail", "3 in 24 h", ">succeeded<")
    try await expect("charge", "none in 24 h", "never")
    try await fixture.put(80, of: "charge", .failed, apart: .seconds(60))
    try await expect("charge", "about 60 an hour", ">failed<")
    // One that waits was created later, and has not run.
    try await fixture.runtime.enqueue(JobPagesFixture.Charge(amount: 1), after: .seconds(3_600))
    try await expect("charge", ">failed<")
    try await fixture.clock.sleep(for: .seconds(2 * 86_400))
    // A run of an earlier day is the last one still.
    try await expect("mail", "none in 24 h", ">succeeded<")
    #expect(!(try await fixture.get("").text.contains("endpoint jobs more")))
  }

  @Test("The overview lists ten endpoint jobs, and tells how many more there are")
  func manyEndpoints() async throws {
    let fixture = try await JobPagesFixture {
      (100..<113).compactMap { try? JobID("job\($0)") }.map { EndpointJob($0) { _ in .done } }
    }
    let page = try await fixture.get("").text
    #expect(page.contains("/jobs/job109\"") && !page.contains("/jobs/job110\""))
    #expect(page.contains("<a href=\"/dashboard/jobs?kind=endpoint\">3 endpoint jobs more</a>"))
  }

  @Test("The list shows fifty jobs a page, and each job once")
  func listPages() async throws {
    let fixture = try await JobPagesFixture {
      (100..<220).compactMap { try? JobID("job\($0)") }.map { EndpointJob($0) { _ in .done } }
    }
    var target: String? = "/jobs"
    var seen: [String] = []
    while let path = target {
      let page = try await fixture.get(path)
      #expect(page.status == 200 && page.size < 100_000)
      let links = page.text.split(separator: "href=\"/dashboard/jobs/").dropFirst()
      seen += links.map { String($0.prefix { $0 != "\"" }) }
      let next = page.text.split(separator: "rel=\"next\" href=\"/dashboard").dropFirst().first
      target = next.map { String($0.prefix { $0 != "\"" }) }
      #expect(seen.count <= 120)
    }
    #expect(seen == (100..<220).map { "job\($0)" })
  }

  @Test(
    "A button changes the document",
    arguments: [
      ("pause", nil, true), ("disable", false, nil), ("enable", true, nil), ("resume", nil, nil),
    ] as [(String, Bool?, Bool?)])
  func switches(action: String, isEnabled: Bool?, isPaused: Bool?) async throws {
    let fixture = try await JobPagesFixture()
    let answer = try await fixture.post("/jobs/cleanup/\(action)")
    #expect(answer.status == 303)
    #expect(answer.location?.hasPrefix("/dashboard/jobs/cleanup?done=") == true)
    let configuration = try #require(try await fixture.configuration(of: "cleanup"))
    #expect(configuration.enabled == isEnabled && configuration.paused == isPaused)
    let page = try await fixture.get(String(try #require(answer.location).dropFirst("/dashboard".count)))
    #expect(page.text.contains("role=\"status\" id=\"message\""))
  }

  @Test("The form changes the fields that differ, and gives an emptied one back to the code")
  func edit() async throws {
    let fixture = try await JobPagesFixture()
    let saved = try await fixture.edit(
      "cleanup", ["interval": "10m", "skipDates": "2026-12-25", "breaker": #"{"threshold": 3, "cooldown": "5m"}"#])
    #expect(saved.status == 303, "\(saved.text)")
    var configuration = try #require(try await fixture.configuration(of: "cleanup"))
    #expect(configuration.interval == .seconds(600) && configuration.breaker?.threshold == 3)
    #expect(configuration.skipDates?.count == 1 && configuration.timeout == nil)
    _ = try await fixture.edit("cleanup", ["interval": ""])
    configuration = try #require(try await fixture.configuration(of: "cleanup"))
    #expect(configuration.interval == nil && configuration.breaker?.threshold == 3)
    #expect(try await fixture.get("/jobs/cleanup").text.contains("every 30 minutes"))
  }

  @Test(
    "A refused change is shown at its field with what was typed, and changes nothing",
    arguments: [
      ("cron", "every nonsense <b>"), ("interval", "soon"), ("timeZone", "Nowhere/At"), ("skipDates", "2026-02-30"),
      ("priority", "high"), ("retry", "{"), ("retry", #"{"backoff": "sideways"}"#), ("dependencies", "nothing"),
      ("misfire", "later"), ("overlap", "maybe"), ("retention", "{\"later\": 1}"), ("maxConcurrent", "1001"),
      ("metadata", "[1]"), ("input", "{\"a\":"), ("breaker", "{\"threshold\": -1}"), ("rate", "{\"count\": 1}"),
    ])
  func refusals(field: String, text: String) async throws {
    let fixture = try await JobPagesFixture()
    let before = try await fixture.configuration(of: "cleanup")
    let page = try await fixture.edit("cleanup", [field: text, "group": "kept"])
    #expect(page.status == 422)
    #expect(page.fields[field] == text && page.fields["group"] == "kept")
    let part = page.text.split(separator: "id=\"field-\(field)\"").dropFirst().first?.prefix(1_500) ?? ""
    #expect(part.contains("aria-invalid=\"true\"") && part.contains("class=\"message bad\""), "\(part)")
    #expect(!page.text.contains("<b>"))
    #expect(try await fixture.configuration(of: "cleanup") == before)
  }

  @Test("The form of a job folds what is rarely changed, unless the document changes it or it is refused")
  func foldedFields() async throws {
    let fixture = try await JobPagesFixture()
    func open(_ page: JobPagesFixture.Answer) -> [String] {
      page.text.split(separator: "<details class=\"card fold\"").dropFirst().compactMap { part in
        guard part.prefix(while: { $0 != ">" }).hasSuffix(" open") else { return nil }
        let title = part.split(separator: "<h2>").dropFirst().first?.prefix { $0 != "<" }
        return title.map { String($0) }
      }
    }
    let first = try await fixture.get("/jobs/cleanup/edit")
    #expect(first.text.split(separator: "<details class=\"card fold\"").count == 5 && open(first).isEmpty)
    let before = first.text.prefix(upTo: try #require(first.text.firstRange(of: "<details")).lowerBound)
    #expect(before.split(separator: "id=\"field-").count == 12)
    // The code's own value changes nothing.
    let retention = try await fixture.edit("cleanup", ["retention": "90d", "timeout": "2m"])
    #expect(retention.status == 303)
    #expect(open(try await fixture.get("/jobs/cleanup/edit")).isEmpty)
    let refused = try await fixture.edit("cleanup", ["startAt": "2026-12-01", "retry": "{"])
    #expect(refused.status == 422 && open(refused) == ["More about the schedule", "More about the execution"])
    _ = try await fixture.edit("cleanup", ["group": "nightly"])
    #expect(open(try await fixture.get("/jobs/cleanup/edit")) == ["Limits"])
    // A confidential input is there, though it is not shown.
    _ = try await fixture.edit("charge", ["input": "{\"amount\": 2, \"card\": \"4222\"}"])
    #expect(open(try await fixture.get("/jobs/charge/edit")) == ["Data"])
  }

  @Test("A form that was opened before another change is not saved over it unseen")
  func concurrentEdit() async throws {
    let fixture = try await JobPagesFixture()
    var fields = try await fixture.get("/jobs/cleanup/edit").fields
    _ = try await fixture.edit("cleanup", ["interval": "10m"])
    fields["timeout"] = "2m"
    let page = try await fixture.post("/jobs/cleanup/edit", fields.map { ($0.key, $0.value) })
    #expect(page.status == 422 && page.text.contains("was changed since this form was opened"))
    #expect(try await fixture.configuration(of: "cleanup")?.interval == .seconds(600))
    #expect(page.fields["timeout"] == "2m")
  }

  @Test("Run now makes a manual run, and a disabled job is refused")
  func runNow() async throws {
    let fixture = try await JobPagesFixture()
    #expect(try await fixture.post("/jobs/mail/run").status == 303)
    let run = try #require(try await fixture.runs(of: "mail").first)
    #expect(run.trigger == .manual)
    _ = try await fixture.post("/jobs/mail/disable")
    let refused = try await fixture.post("/jobs/mail/run")
    #expect(refused.status == 422 && refused.text.contains("is disabled"))
    #expect(try await fixture.runs(of: "mail").count == 1)
  }

  @Test("Run now of a job that needs an input leads to the form, with the latest input filled in")
  func runNowWithInput() async throws {
    let fixture = try await JobPagesFixture()
    try await fixture.runtime.enqueue(JobPagesFixture.Charge(amount: 5))
    let asked = try await fixture.post("/jobs/charge/run")
    #expect(asked.status == 303 && asked.location == "/dashboard/jobs/charge/enqueue?mode=now")
    #expect(try await fixture.runs(of: "charge").count == 1)
    let form = try await fixture.get("/jobs/charge/enqueue?mode=now")
    #expect(form.status == 200 && form.text.contains("<h1>Run charge now</h1>"))
    #expect(form.fields["payload"] == "{\n  \"amount\": 5\n}" && !form.text.contains("class=\"message bad\""))
    let sent = form.fields.map { ($0.key, $0.value) } + [("mode", "now")]
    #expect(try await fixture.post("/jobs/charge/enqueue", sent).location?.hasSuffix("done=triggered") == true)
    #expect(try await fixture.runs(of: "charge").map(\.trigger).contains(.manual))
    // A refused one stays on the form for running it.
    let refused = try await fixture.post("/jobs/charge/enqueue", [("payload", "{}"), ("mode", "now")])
    #expect(refused.status == 422 && refused.text.contains("<h1>Run charge now</h1>"))
  }

  @Test("Run now of a job whose code is elsewhere leads to the form if its latest run has an input")
  func runNowElsewhere() async throws {
    let fixture = try await JobPagesFixture()
    var configuration = JobConfiguration()
    configuration.type = .endpoint
    _ = try await fixture.memory.commit([.putConfiguration("elsewhere", configuration, .absent)])
    #expect(try await fixture.post("/jobs/elsewhere/run").location?.hasSuffix("done=triggered") == true)
    try await fixture.clock.sleep(for: .seconds(1))
    let enqueued = try await fixture.post("/jobs/elsewhere/enqueue", [("payload", "{\"a\": 1}")])
    #expect(enqueued.location?.hasSuffix("done=enqueued") == true)
    #expect(try await fixture.post("/jobs/elsewhere/run").location == "/dashboard/jobs/elsewhere/enqueue?mode=now")
    // The document's input is for runs that bring none.
    configuration.input = ["a": 2]
    _ = try await fixture.memory.commit([.putConfiguration("elsewhere", configuration, .none)])
    #expect(try await fixture.post("/jobs/elsewhere/run").location?.hasSuffix("done=triggered") == true)
  }

  @Test("The form of a run enqueues it, and a second one of its key makes no other")
  func enqueue() async throws {
    let fixture = try await JobPagesFixture()
    let form = [
      ("payload", "{\"amount\": 5}"), ("delay", "10m"), ("key", "k1"), ("priority", "7"), ("mode", "enqueue"),
    ]
    let answer = try await fixture.post("/jobs/charge/enqueue", form)
    #expect(answer.location == "/dashboard/jobs/charge?done=enqueued", "\(answer.text)")
    let run = try #require(try await fixture.runs(of: "charge").first)
    #expect(run.input?.value == ["amount": 5] && run.priority == 7 && run.status == .scheduled)
    #expect(run.notBefore - run.createdAt == .seconds(600))
    #expect(try await fixture.post("/jobs/charge/enqueue", form).location?.hasSuffix("enqueuedBefore") == true)
    #expect(try await fixture.runs(of: "charge").count == 1)
    #expect(try await fixture.get("/jobs/charge/enqueue").fields["payload"]?.contains("\"amount\": 5") == true)
  }

  @Test(
    "A refused run keeps what was typed",
    arguments: [("payload", "{\"amount\": \"x\"}"), ("payload", "{"), ("at", "soon")])
  func enqueueRefusals(field: String, text: String) async throws {
    let fixture = try await JobPagesFixture()
    let page = try await fixture.post("/jobs/charge/enqueue", [(field, text), ("key", "kept")])
    #expect(page.status == 422 && page.fields[field] == text && page.fields["key"] == "kept")
    #expect(try await fixture.runs(of: "charge").isEmpty)
  }

  @Test("A confidential payload is not filled in, and its replaced text is not taken")
  func confidential() async throws {
    let fixture = try await JobPagesFixture()
    try await fixture.runtime.enqueue(JobPagesFixture.Charge(amount: 1, card: "4111-secret"))
    let page = try await fixture.get("/jobs/charge/enqueue")
    #expect(page.fields["payload"]?.isEmpty == true && page.text.contains("confidential"))
    #expect(!page.text.contains("4111"))
    let refused = try await fixture.post(
      "/jobs/charge/enqueue", [("payload", "{\"amount\": 1, \"card\": \"[redacted]\"}")])
    #expect(refused.status == 422 && refused.text.contains("[redacted] in place of its value"))
    #expect(try await fixture.runs(of: "charge").count == 1)
    // The same for the input in a job's document.
    _ = try await fixture.edit("charge", ["input": "{\"amount\": 2, \"card\": \"4222-secret\"}"])
    let form = try await fixture.get("/jobs/charge/edit")
    #expect(!form.text.contains("4222") && form.fields["input"]?.isEmpty == true)
    #expect(try await fixture.edit("charge", ["timeout": "2m"]).status == 303)
    #expect(try await fixture.configuration(of: "charge")?.input?["card"] == "4222-secret")
    let again = try await fixture.edit("charge", ["input": "{\"amount\": 2, \"card\": \"[redacted]\"}"])
    #expect(again.status == 422)
    #expect(try await fixture.configuration(of: "charge")?.input?["card"] == "4222-secret")
  }

  @Test("All jobs are paused and resumed after a question, those of other programs too")
  func allJobs() async throws {
    let fixture = try await JobPagesFixture()
    var elsewhere = JobConfiguration()
    (elsewhere.type, elsewhere.interval) = (.periodic, .seconds(600))
    _ = try await fixture.memory.commit([.putConfiguration("elsewhere", elsewhere, .absent)])
    #expect(try await fixture.post("/jobs", [("all", "pause")]).location == "/dashboard/jobs?done=pausedAll")
    for job in ["mail", "charge", "cleanup", "report", "elsewhere"] as [JobID] {
      #expect(try await fixture.configuration(of: job)?.paused == true)
    }
    let page = try await fixture.get("/jobs")
    #expect(page.text.contains("elsewhere") && page.text.contains("code elsewhere"))
    _ = try await fixture.post("/jobs", [("all", "resume")])
    #expect(try await fixture.configuration(of: "elsewhere")?.paused == nil)
    #expect(try await fixture.post("/jobs", [("all", "delete")]).status == 404)
  }

  @Test("A document is removed, and what was done is recorded")
  func remove() async throws {
    let fixture = try await JobPagesFixture()
    _ = try await fixture.edit("cleanup", ["group": "x"])
    #expect(try await fixture.post("/jobs/cleanup/remove").location == "/dashboard/jobs?done=removed")
    #expect(try await fixture.configuration(of: "cleanup") == nil)
    let actions = try await fixture.runtime.operatorActions(on: "cleanup").map(\.text)
    #expect(actions.contains("Changed group.") && actions.contains("Removed the job's document."))
    #expect(try await fixture.get("/jobs/cleanup").status == 200)
  }

  @Test(
    "A visitor who may only look sees no controls, and is refused",
    arguments: [
      "/jobs/cleanup/pause", "/jobs/cleanup/edit", "/jobs/cleanup/run", "/jobs/mail/enqueue", "/jobs/cleanup/remove",
      "/jobs",
    ])
  func readOnly(target: String) async throws {
    let fixture = try await JobPagesFixture(.readOnly)
    #expect(try await fixture.post(target, [("all", "pause")]).status == 403)
    #expect(try await fixture.get("/jobs/cleanup/edit").status == 403)
    for page in ["", "/jobs", "/jobs/cleanup", "/jobs/cleanup/remove", "/jobs?all=pause"] {
      #expect(!(try await fixture.get(page).text.contains("method=\"post\"")), "\(page)")
    }
  }

  @Test("An invalid document is told, and can't be changed")
  func invalidDocument() async throws {
    let fixture = try await JobPagesFixture()
    fixture.memory.importJob(id: "cleanup", fields: ["interval": "soon", "shedule": 1])
    let page = try await fixture.get("/jobs/cleanup")
    #expect(page.status == 200 && page.text.contains("set aside") && page.text.contains("interval"))
    #expect(try await fixture.get("/jobs/cleanup/edit").status == 400)
    #expect(try await fixture.get("").text.contains("set aside"))
    #expect(try await fixture.get("/jobs?health=attention").text.contains("cleanup"))
  }

  @Test("Pages with many runs stay small, and what they show is escaped")
  func sizes() async throws {
    let fixture = try await JobPagesFixture(title: "<b>shop</b>")
    try await fixture.put(1_500, of: "mail", .succeeded)
    try await fixture.put(300, of: "mail", .failed, apart: .seconds(90))
    for target in ["", "/jobs", "/jobs/mail", "/jobs/mail/why", "/calendar?span=month", "/forecast"] {
      let page = try await fixture.get(target)
      #expect(page.status == 200 && page.size < 100_000, "\(target): \(page.size)")
      #expect(!page.text.contains("<b>"))
    }
    let overview = try await fixture.get("").text
    #expect(overview.contains("100+") && overview.contains("dead letters"))
    let job = try await fixture.get("/jobs/mail").text
    #expect(job.contains("Of the latest 500 runs.") && job.contains("99th percentile"))
  }
}
#endif
