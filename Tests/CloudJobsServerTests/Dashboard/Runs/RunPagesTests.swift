#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
import Testing

@testable import CloudJobsServer

@Suite("Pages of runs")
struct RunPagesTests {
  @Test("The list shows the latest runs first, and its pages show each run once")
  func pages() async throws {
    let fixture = try await RunPagesFixture()
    let runs = (0..<120).map { fixture.run("\($0)", age: 120 - $0) }
    try await fixture.put(runs)
    var (target, shown) = ("/runs?job=mail", [String]())
    while true {
      let page = try await fixture.get(target)
      #expect(page.status == 200)
      let ids = page.text.split(separator: "<a href=\"/dashboard/runs/").dropFirst().map { String($0.prefix(64)) }
      #expect(ids.count <= RunPages.pageSize)
      shown += ids
      guard let next = page.text.split(separator: "rel=\"next\" href=\"/dashboard").dropFirst().first else { break }
      target = next.prefix { $0 != "\"" }.split(separator: "&amp;").joined(separator: "&")
    }
    #expect(shown == runs.reversed().map(\.id.rawValue))
  }

  @Test(
    "The list shows the runs that its filter names",
    arguments: [
      ("", ["a", "b", "c", "d"]), ("?status=failed", ["b"]), ("?job=charge", ["c"]), ("?job=charge&status=failed", []),
      ("?correlation=order-1", ["d"]), ("?q=needle", ["a"]), ("?from=2026-05-28T20:26:10", ["a", "b"]),
      ("?before=2026-05-28T20:26:10", ["c", "d"]),
    ])
  func filter(query: String, names: [String]) async throws {
    let fixture = try await RunPagesFixture()
    // The clock shows 20:26:40.
    var correlated = fixture.run("d", .scheduled, age: 40)
    correlated.correlationID = "order-1"
    let runs = [
      "a": fixture.run("a", age: 10, input: ["text": "a Needle"]), "b": fixture.run("b", .failed, age: 20),
      "c": fixture.run("c", job: "charge", age: 31), "d": correlated,
    ]
    try await fixture.put(Array(runs.values))
    let page = try await fixture.get("/runs" + query)
    #expect(page.status == 200)
    #expect(runs.filter { page.text.contains($0.value.id.rawValue) }.keys.sorted() == names)
    #expect(page.text.contains("class=\"empty\"") == names.isEmpty)
  }

  @Test("A run is found by the beginning of its id")
  func prefix() async throws {
    let fixture = try await RunPagesFixture()
    let run = fixture.run("a")
    try await fixture.put([run])
    for digits in [run.id.rawValue, String(run.id.rawValue.prefix(8)), run.id.rawValue.prefix(8).uppercased()] {
      let page = try await fixture.get("/runs?id=\(digits)")
      #expect(page.status == 303)
      #expect(page.response.fields[.location] == "/dashboard/runs/\(run.id)")
    }
    let other = run.id.rawValue.hasPrefix("0") ? "11111111" : "00000000"
    #expect(try await fixture.get("/runs?id=\(other)").text.contains("No run matches."))
    #expect(try await fixture.get("/runs?status=failed&id=\(run.id)").text.contains("No run matches."))
  }

  @Test(
    "An invalid address gets a page that tells what is wrong",
    arguments: [
      ("/runs?status=lost", 400), ("/runs?cursor=1_2", 400), ("/runs/abc", 404), ("/runs/\(RunPagesTests.absent)", 404),
      ("/runs/\(RunPagesTests.absent)/why", 404), ("/runs/\(RunPagesTests.absent)/lines", 404),
      ("/runs/\(RunPagesTests.absent)/log", 404), ("/runs/\(RunPagesTests.absent)/cancel", 404),
      ("/runs/\(RunPagesTests.absent)/nothing", 404), ("/runs/\(RunPagesTests.absent)/why/x", 404),
      ("/workers/x", 404), ("/actions/x", 404), ("/dead-letters/x", 404), ("/actions?until=now", 400),
    ])
  func invalid(target: String, status: Int) async throws {
    let page = try await RunPagesFixture().get(target)
    #expect(page.status == status)
    #expect(page.text.contains("role=\"alert\""))
  }

  static let absent = String(repeating: "0", count: 64)

  @Test("The page of a run shows its record without its confidential values")
  func show() async throws {
    let fixture = try await RunPagesFixture(.readOnly, redactedFields: ["card"])
    var run = fixture.run("a", .failed, input: ["card": "4111-2222", "name": "<Ada & co>"])
    run.failure = RunFailure(kind: "declined", message: "The card 4111-2222 was declined.")
    run.checkpoint = JSONText(["card": "4111-2222", "page": 7])
    run.progress = RunProgress()
    run.progress?.set(percent: 40)
    run.progress?.set(message: "Charged the card 4111-2222")
    try await fixture.put([run])
    let page = try await fixture.get("/runs/\(run.id)")
    #expect(page.status == 200)
    #expect(!page.text.contains("4111"))
    for text in [
      "&lt;Ada &amp; co&gt;", "The card [redacted] was declined.", "Charged the card [redacted]", "value=\"40.0\"",
      "&quot;page&quot;: 7", "declined", run.id.rawValue,
    ] {
      #expect(page.text.contains(text), "\(text)")
    }
    // Who may only look has no controls.
    #expect(!page.text.contains("<form class=\"inline\"") && !page.text.contains("/redrive"))
  }

  @Test("A payload is shown up to a bound, and an encrypted one not at all")
  func payloads() throws {
    let long = JSONText(.string(String(repeating: "x", count: 100_000)))
    let view = try #require(PayloadView("Input", long, id: "input"))
    #expect(view.payloadText.utf8.count == 64 << 10 && view.payloadNote == "Only the first 64 kB are shown.")
    let sealed = EncryptedPayload(keyID: "k", nonce: [1], data: [2]).payload
    let hidden = try #require(PayloadView("Input", sealed, id: "input"))
    #expect(hidden.payloadText.isEmpty && hidden.payloadNote?.contains("encrypted") == true)
    #expect(PayloadView("Input", nil, id: "input") == nil)
    #expect(PayloadView("Input", JSONText(["a": 1]), id: "input")?.payloadNote == nil)
  }

  @Test(
    "A run has the buttons of what can be done with it",
    arguments: [
      (RunStatus.scheduled, [RunAction.retry, .reschedule, .cancel]), (.pending, [.reschedule, .cancel]),
      (.running, [.cancel]), (.succeeded, [.purge]), (.failed, [.redrive, .purge]), (.cancelled, [.redrive, .purge]),
    ])
  func buttons(status: RunStatus, actions: [RunAction]) async throws {
    let fixture = try await RunPagesFixture()
    let run = fixture.run("a", status)
    #expect(RunAction.all(for: run) == actions)
    try await fixture.put([run])
    let page = try await fixture.get("/runs/\(run.id)").text
    for action in RunAction.allCases {
      let link = "/dashboard/runs/\(run.id)/\(action.rawValue)\""
      #expect(page.contains(link) == actions.contains(action), "\(action)")
    }
  }

  @Test("Each change of a run takes effect, leads to the run, and is recorded")
  func changes() async throws {
    let fixture = try await RunPagesFixture()
    let (waiting, later) = (fixture.run("a", .scheduled), fixture.run("b", .scheduled))
    let (moved, dead, old) = (fixture.run("c", .scheduled), fixture.run("d", .failed), fixture.run("e", .succeeded))
    try await fixture.put([waiting, later, moved, dead, old])

    #expect(try await fixture.get("/runs/\(waiting.id)/cancel").text.contains("name=\"because\""))
    let cancelled = try await fixture.post("/runs/\(waiting.id)/cancel", [("because", "Not wanted & late")])
    #expect(cancelled.status == 303)
    #expect(cancelled.response.fields[.location] == "/dashboard/runs/\(waiting.id)?done=cancelled")
    #expect(try await fixture.stored(waiting.id)?.status == .cancelled)
    #expect(try await fixture.stored(waiting.id)?.reason == "Not wanted & late")
    #expect(try await fixture.post("/runs/\(waiting.id)/cancel").status == 409)

    #expect(try await fixture.post("/runs/\(later.id)/retry").status == 303)
    #expect(try await fixture.stored(later.id)?.notBefore == fixture.clock.now())

    #expect(try await fixture.get("/runs/\(moved.id)/reschedule").text.contains("type=\"datetime-local\""))
    #expect(try await fixture.post("/runs/\(moved.id)/reschedule", [("time", "")]).status == 400)
    #expect(try await fixture.post("/runs/\(moved.id)/reschedule", [("time", "2030-01-02T03:04")]).status == 303)
    #expect(try await fixture.stored(moved.id)?.notBefore == Timestamp(rfc3339: "2030-01-02T03:04:00Z"))

    let redriven = try await fixture.post("/runs/\(dead.id)/redrive")
    #expect(redriven.response.fields[.location] == "/dashboard/runs/\(dead.redriveID)?done=redriven")
    #expect(try await fixture.stored(dead.redriveID)?.parent == dead.id)
    let again = try await fixture.post("/runs/\(dead.id)/redrive")
    #expect(again.response.fields[.location] == "/dashboard/runs/\(dead.redriveID)?done=redrivenBefore")
    #expect(try await fixture.get("/runs/\(dead.id)").text.contains("Repeated as"))

    #expect(try await fixture.get("/runs/\(old.id)/purge").text.contains("can&#39;t be undone"))
    #expect(try await fixture.post("/runs/\(old.id)/purge").status == 303)
    #expect(try await fixture.stored(old.id) == nil)
    #expect(try await fixture.post("/runs/\(later.id)/purge").status == 409)

    let actions = try await fixture.runtime.operatorActions()
    #expect(
      actions.reversed().map(\.text) == [
        "Cancelled the run: Not wanted & late", "Made the run due.", "Rescheduled the run to 2030-01-02 03:04:00 UTC.",
        "Redrove the run as \(dead.redriveID).", "Deleted the run's record.",
      ])
    #expect(actions.allSatisfy { $0.job == "mail" })
    let page = try await fixture.get("/actions")
    #expect(page.text.contains("Cancelled the run: Not wanted &amp; late") && page.text.contains("this machine"))
  }

  @Test("Who may only look changes nothing", arguments: RunAction.allCases)
  func readOnly(action: RunAction) async throws {
    let fixture = try await RunPagesFixture(.readOnly)
    let run = fixture.run("a", action == .redrive || action == .purge ? .failed : .scheduled)
    try await fixture.put([run])
    #expect(try await fixture.post("/runs/\(run.id)/\(action.rawValue)", [("time", "2030-01-02T03:04")]).status == 403)
    if action.asks { #expect(try await fixture.get("/runs/\(run.id)/\(action.rawValue)").status == 403) }
    #expect(try await fixture.stored(run.id) == run)
    #expect(try await fixture.get("/runs/bulk?action=cancel&scope=filter").status == 403)
    #expect(try await fixture.post("/runs/bulk", [("action", "purge"), ("scope", "filter")]).status == 403)
    #expect(try await fixture.runtime.operatorActions().isEmpty)
    #expect(!(try await fixture.get("/runs").text.contains("type=\"checkbox\"")))
  }

  @Test("The page that explains a run tells its cause")
  func why() async throws {
    let fixture = try await RunPagesFixture()
    let run = fixture.run("a", .failed)
    try await fixture.put([run])
    let page = try await fixture.get("/runs/\(run.id)/why")
    #expect(page.status == 200)
    #expect(page.text.contains(try await fixture.runtime.why(run: run.id).summary.prefix(20)))
  }
}
#endif
