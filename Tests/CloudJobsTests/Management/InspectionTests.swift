import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import HTTPTypes
import Testing

@Suite("The routes that show jobs and runs")
struct InspectionTests {
  private let fixture = RuntimeFixture()

  private func runtime(_ authentication: Authentication = .trustLoopback) async throws -> JobRuntime {
    try await fixture.runtime(authentication: authentication) {
      EndpointJob("greet", input: String.self, output: String.self) { name, _ in .done("Hello, \(name)!") }
      EndpointJob("fail") { _ in throw JobFailure.permanent("never") }
      PeriodicJob("tick", every: .minutes(5)) { _ in .done }.group("upkeep")
      ScheduledJob("nightly", cron: "0 2 * * *", in: "Europe/Berlin") { _ in .done }
    }
  }

  private func ask(
    _ runtime: JobRuntime, _ path: String, method: HTTPRequest.Method = .get, body: String = "",
    peer: Peer = .inProcess
  ) async throws -> (status: Int, body: JSONValue) {
    let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: "/jobs/\(path)")
    let response = await runtime.handle(request, body: Array(body.utf8), peer: peer)
    return (response.head.status.code, try JSONValue(parsing: response.body))
  }

  @Test("Runs are listed latest first, by filters, in pages, with payloads only where asked for")
  func runs() async throws {
    let runtime = try await runtime()
    for number in 1...5 {
      try await runtime.enqueue("greet", "secret \(number)", key: "\(number)")
      fixture.clock.advance(by: .seconds(1))
    }
    try await runtime.enqueue("fail")
    _ = await fixture.deliverDue(to: runtime)
    let all = try await ask(runtime, "runs")
    #expect(all.status == 200 && all.body["runs"]?.array?.count == 6)
    #expect(all.body["runs"]?.array?.first?["job"] == "fail")
    #expect(!all.body.text.contains("secret"), "payloads are not shown unless asked for")
    let failed = try await ask(runtime, "runs?status=failed,cancelled")
    #expect(failed.body["runs"]?.array?.compactMap { $0["error"]?["message"]?.string } == ["never"])
    let greeted = try await ask(runtime, "runs?job=greet&payload=true&limit=2")
    #expect(greeted.body["runs"]?.array?.compactMap { $0["input"]?.string } == ["secret 5", "secret 4"])
    let cursor = try #require(greeted.body["next"]?.string)
    let next = try await ask(runtime, "runs?job=greet&payload=true&limit=2&cursor=\(cursor)")
    #expect(next.body["runs"]?.array?.compactMap { $0["input"]?.string } == ["secret 3", "secret 2"])
    let id = try #require(next.body["runs"]?.array?.first?["id"]?.string)
    let one = try await ask(runtime, "runs/\(id)")
    #expect(one.body["output"] == "Hello, secret 3!" && one.body["status"] == "succeeded")
    let recent = try await ask(runtime, "runs?from=\(RuntimeFixture.start + .seconds(4))")
    #expect(recent.body["runs"]?.array?.count == 2)
  }

  @Test("Waiting runs that are overdue are listed")
  func overdue() async throws {
    let runtime = try await runtime()
    try await runtime.enqueue("greet", "one")
    #expect(try await ask(runtime, "runs?overdue=true").body["runs"]?.array?.isEmpty == true)
    fixture.clock.advance(by: .minutes(2))
    #expect(try await ask(runtime, "runs?overdue=true&job=greet").body["runs"]?.array?.count == 1)
    #expect(try await ask(runtime, "runs?overdue=true&job=fail").body["runs"]?.array?.isEmpty == true)
  }

  @Test("Jobs are listed with their schedules, configuration and state")
  func jobs() async throws {
    let runtime = try await runtime()
    let all = try await ask(runtime, "jobs")
    #expect(all.body["jobs"]?.array?.compactMap { $0["id"]?.string } == ["fail", "greet", "nightly", "tick"])
    let tick = try await ask(runtime, "jobs/tick")
    #expect(tick.body["schedule"] == "5m" && tick.body["state"]?["nextRun"] != nil && tick.body["enabled"] == true)
    #expect(try await ask(runtime, "jobs?group=upkeep").body["jobs"]?.array?.compactMap { $0["id"] } == ["tick"])
    #expect(try await ask(runtime, "jobs?group=other").body["jobs"]?.array?.isEmpty == true)
    #expect(try await ask(runtime, "jobs?kind=scheduled,periodic").body["jobs"]?.array?.count == 2)
    fixture.clock.advance(by: .minutes(10))
    #expect(try await ask(runtime, "jobs?overdue=true").body["jobs"]?.array?.compactMap { $0["id"] } == ["tick"])
    fixture.memory.importJob(id: "tick", fields: ["cron": 7])
    let broken = try await ask(runtime, "jobs?setAside=true")
    #expect(broken.body["jobs"]?.array?.compactMap { $0["id"] } == ["tick"])
    #expect(broken.body["jobs"]?.array?.first?["fault"]?.string?.contains("cron") == true)
  }

  @Test(
    "A parameter or an id of the wrong form is refused with its name and what was expected",
    arguments: [
      ("runs?status=done", 400, "status"), ("runs?limit=0", 400, "limit"), ("runs?limit=501", 400, "limit"),
      ("runs?limit=x", 400, "limit"), ("runs?cursor=x", 400, "cursor"), ("runs?from=today", 400, "from"),
      ("runs?job=%20", 400, "job"), ("runs?state=failed", 400, "state"), ("runs?job=a&job=b", 400, "job"),
      ("runs/x", 400, "runId"), ("jobs?kind=cron", 400, "kind"), ("jobs?status=ok", 400, "status"),
      ("jobs?overdue=maybe", 400, "overdue"), ("jobs/nobody", 404, "jobId"), ("jobs/a%20b", 400, "jobId"),
      ("runs/\(String(repeating: "0", count: 64))", 404, "runId"),
    ])
  func refusals(path: String, status: Int, field: String) async throws {
    let answer = try await ask(try await runtime(), path)
    #expect(answer.status == status)
    #expect(answer.body["error"]?["field"]?.string == field)
    #expect(answer.body["error"]?["message"]?.string?.isEmpty == false)
  }

  @Test("A schedule is changed at run time by a merge patch; null gives it back to the code")
  func patch() async throws {
    let runtime = try await runtime()
    let changed = try await ask(
      runtime, "jobs/tick", method: .patch, body: #"{"cron":"*/10 * * * *","timeZone":"Europe/Berlin"}"#)
    #expect(changed.status == 200 && changed.body["schedule"] == "*/10 * * * *")
    #expect(changed.body["state"]?["nextRun"] == "2026-11-21T10:10:00Z")
    let document = try await fixture.document("tick")
    #expect(document.configuration.cron == "*/10 * * * *")
    let disabled = try await ask(runtime, "jobs/tick", method: .patch, body: #"{"cron":null,"enabled":false}"#)
    #expect(disabled.body["schedule"] == "5m" && disabled.body["enabled"] == false)
    #expect(disabled.body["state"]?["nextRun"] == nil)
    #expect(try await fixture.document("tick").configuration.timeZone == "Europe/Berlin")
  }

  @Test(
    "A change that would stop a job is refused, and the document stays as it was",
    arguments: [
      (#"{"schedule":"5m"}"#, "schedule"), (#"{"cron":"61 * * * *"}"#, "cron"), (#"{"cron":"0 0 30 2 *"}"#, "cron"),
      (#"{"timeZone":"Mars"}"#, "timeZone"), (#"{"interval":-1}"#, "interval"), (#"{"enabled":"no"}"#, "enabled"),
      (#"{"state":{}}"#, "state"), ("[]", nil), ("{", nil),
    ] as [(String, String?)])
  func badPatch(body: String, field: String?) async throws {
    let runtime = try await runtime()
    let before = fixture.memory.exportJob(id: "tick")
    let answer = try await ask(runtime, "jobs/tick", method: .patch, body: body)
    #expect(answer.status == 400)
    if let field { #expect(answer.body["error"]?["field"]?.string == field) }
    #expect(fixture.memory.exportJob(id: "tick") == before)
  }

  @Test(
    "A change that would have no effect is refused with what was meant",
    arguments: [
      ("greet", #"{"interval":"10s"}"#, "interval", "Set type to periodic"),
      ("greet", #"{"cron":"* * * * *"}"#, "cron", "Set type to periodic"),
      ("tick", #"{"schedule":"10s"}"#, "schedule", "Did you mean cron?"),
      ("tick", #"{"Interval":"10s"}"#, "Interval", "Did you mean interval?"),
      ("tick", #"{"colour":"red"}"#, "colour", "Its fields are"),
    ])
  func withoutEffect(job: String, body: String, field: String, words: String) async throws {
    let answer = try await ask(try await runtime(), "jobs/\(job)", method: .patch, body: body)
    #expect(answer.status == 400)
    #expect(answer.body["error"]?["field"]?.string == field)
    #expect(answer.body["error"]?["message"]?.string?.contains(words) == true)
  }

  @Test("A document that can't be read is not changed: its other fields would be lost, and a disabled job enabled")
  func unreadable() async throws {
    let runtime = try await runtime()
    let stored: JSONValue = ["interval": "banana", "enabled": false, "owner": "ops"]
    fixture.memory.importJob(id: "tick", fields: stored)
    let answer = try await ask(runtime, "jobs/tick", method: .patch, body: #"{"priority":5}"#)
    #expect(answer.status == 400 && answer.body["error"]?["field"] == "interval")
    let error = await #expect(throws: JobError.self) { try await runtime.configure("tick") { $0.priority = 5 } }
    #expect(error?.field == "interval")
    #expect(fixture.memory.exportJob(id: "tick") == stored)
  }

  @Test(
    "A dependency that can't be met is refused: the job itself, one that is not registered, a cycle over two documents",
    arguments: [#"["tick"]"#, #"["nobody"]"#, #"["nightly"]"#])
  func dependencies(list: String) async throws {
    let runtime = try await runtime()
    #expect(try await ask(runtime, "jobs/nightly", method: .patch, body: #"{"dependencies":["tick"]}"#).status == 200)
    let answer = try await ask(runtime, "jobs/tick", method: .patch, body: #"{"dependencies":\#(list)}"#)
    #expect(answer.status == 400 && answer.body["error"]?["field"] == "dependencies")
    #expect(try await fixture.document("tick").configuration.dependencies == nil)
    #expect(try await ask(runtime, "jobs/tick", method: .patch, body: #"{"dependencies":["greet"]}"#).status == 200)
  }

  @Test("The routes ask for credentials, and answer other methods by 405", arguments: ["runs", "jobs", "jobs/tick"])
  func trust(path: String) async throws {
    let runtime = try await runtime(.sharedSecret("a secret of some length"))
    #expect(try await ask(runtime, path).status == 401)
    let request = HTTPRequest(method: .delete, scheme: nil, authority: nil, path: "/jobs/\(path)")
    let response = await runtime.handle(request, peer: .inProcess)
    #expect(response.head.status == .methodNotAllowed)
    #expect(response.head.headerFields[.allow]?.contains("GET") == true)
  }
}
