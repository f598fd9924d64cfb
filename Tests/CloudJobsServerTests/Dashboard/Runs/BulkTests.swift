#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import Testing

@testable import CloudJobsServer

@Suite("Changes of many runs")
struct BulkTests {
  /// Answers the question of a change, and goes through its steps; returns the pages of the steps.
  private func perform(_ fixture: RunPagesFixture, _ query: String) async throws -> [String] {
    var page = try await fixture.get("/runs/bulk?" + query)
    #expect(page.status == 200)
    var steps: [String] = []
    repeat {
      page = try await fixture.post("/runs/bulk", RunPagesFixture.hiddenFields(page.text))
      #expect(page.status == 200)
      steps.append(page.text)
    } while page.text.contains("data-continue") && steps.count < 50
    return steps
  }

  @Test("A thousand runs are cancelled in steps, with their counts, and recorded twice")
  func thousand() async throws {
    let fixture = try await RunPagesFixture()
    let runs = (0..<1_000).map { fixture.run("\($0)", $0 % 2 == 0 ? .pending : .scheduled, age: $0 + 1) }
    let (ended, other) = (fixture.run("ended", .succeeded), fixture.run("other", job: "charge"))
    try await fixture.put(runs + [ended, other])
    let question = try await fixture.get("/runs/bulk?action=cancel&scope=filter&job=mail").text
    #expect(question.contains("There are 1,000 runs."))
    #expect(question.contains("Cancel 1,000 runs"))
    let steps = try await perform(fixture, "action=cancel&scope=filter&job=mail")
    #expect(steps.count == 5 || steps.count == 6)
    #expect(steps[0].contains("200 of 1,000 runs") && steps[0].contains("value=\"200\""))
    #expect(steps[1].contains("400 of 1,000 runs"))
    #expect(steps[steps.count - 1].contains("Cancelled 1,000 runs."))
    for run in runs { #expect(try await fixture.stored(run.id)?.status == .cancelled) }
    #expect(try await fixture.stored(ended.id)?.status == .succeeded)
    #expect(try await fixture.stored(other.id)?.status == .pending)
    let actions = try await fixture.runtime.operatorActions().map(\.text)
    #expect(actions.count == 2)
    #expect(
      actions[0].hasPrefix("Cancelled 1,000 runs.") && actions[1].hasPrefix("Began a change of many runs: cancel"))
  }

  @Test("Runs that are made after the question are left alone, such as those of a redrive")
  func pinned() async throws {
    let fixture = try await RunPagesFixture()
    let runs = (0..<250).map { fixture.run("\($0)", .failed, age: $0 + 1) }
    try await fixture.put(runs)
    let question = try await fixture.get("/runs/bulk?action=redrive&scope=filter")
    try await fixture.clock.sleep(for: .seconds(5))
    let late = fixture.run("late", .failed, age: 1)
    try await fixture.put([late])
    var page = question
    repeat {
      page = try await fixture.post("/runs/bulk", RunPagesFixture.hiddenFields(page.text))
    } while page.text
      .contains("data-continue")
    #expect(page.text.contains("Redrove 250 runs."))
    #expect(try await fixture.stored(late.redriveID) == nil)
    for run in runs { #expect(try await fixture.stored(run.redriveID)?.parent == run.id) }
    // A second time, each was repeated before.
    let again = try await perform(fixture, "action=redrive&scope=filter&job=mail")
    let text = try #require(again.last)
    #expect(text.contains("Redrove 1 run, left 250 as they were."))
    #expect(text.contains("The run was repeated before."))
  }

  @Test("Selected runs are changed, and the others are left")
  func selection() async throws {
    let fixture = try await RunPagesFixture()
    let runs = (0..<4).map { fixture.run("\($0)", .scheduled) } + [fixture.run("ended", .succeeded)]
    try await fixture.put(runs)
    let absent = RunPagesTests.absent
    let query = "action=retry&run=\(runs[0].id)&run=\(runs[1].id)&run=\(runs[0].id)&run=\(runs[4].id)&run=\(absent)"
    let steps = try await perform(fixture, query)
    #expect(steps.count == 1)
    #expect(steps[0].contains("Made due 2 runs, failed to change 2."))
    #expect(steps[0].contains("No run has this id.") && steps[0].contains("has ended as succeeded"))
    #expect(try await fixture.stored(runs[0].id)?.notBefore == fixture.clock.now())
    #expect(try await fixture.stored(runs[2].id) == runs[2])
  }

  @Test("Ended runs are deleted, and only those that match")
  func purge() async throws {
    let fixture = try await RunPagesFixture()
    let ended = (0..<3).map { fixture.run("\($0)", [.succeeded, .failed, .cancelled][$0]) }
    let open = fixture.run("open")
    try await fixture.put(ended + [open])
    let steps = try await perform(fixture, "action=purge&scope=filter")
    #expect(steps.last?.contains("Deleted 3 runs.") == true)
    for run in ended { #expect(try await fixture.stored(run.id) == nil) }
    #expect(try await fixture.stored(open.id) != nil)
  }

  @Test("A change of what a search finds concerns nothing else")
  func search() async throws {
    let fixture = try await RunPagesFixture()
    let runs = (0..<600).map { fixture.run("\($0)", age: $0 + 1, input: ["n": $0 % 3 == 0 ? "needle" : "hay"]) }
    try await fixture.put(runs)
    let steps = try await perform(fixture, "action=cancel&scope=filter&q=Needle")
    #expect(steps.last?.contains("Cancelled 200 runs.") == true)
    for (number, run) in runs.enumerated() {
      #expect(try await fixture.stored(run.id)?.status == (number % 3 == 0 ? .cancelled : .pending))
    }
  }

  @Test("Nothing to change is told, and offers no button")
  func nothing() async throws {
    let fixture = try await RunPagesFixture()
    for query in ["action=cancel&scope=filter&job=mail", "action=cancel"] {
      let page = try await fixture.get("/runs/bulk?" + query)
      #expect(page.status == 200)
      #expect(!page.text.contains("<form method=\"post\""))
    }
  }

  @Test(
    "Fields that no step made are refused, and change nothing",
    arguments: [
      "action=destroy&scope=filter", "scope=filter", "action=cancel&scope=all", "action=cancel&scope=filter&cursor=x",
      "action=cancel&scope=filter&cursor=1_../../etc", "action=cancel&scope=filter&done=-1",
      "action=cancel&scope=filter&done=99999999999999999999", "action=cancel&scope=filter&total=1e3",
      "action=cancel&scope=filter&why=a", "action=cancel&scope=filter&why=a&whyCount=-1", "action=cancel&run=abc",
      "action=cancel&scope=filter&status=lost", "action=cancel&scope=filter&id=abcd1234",
      "action=cancel&scope=filter" + String(repeating: "&why=a&whyCount=1", count: 9),
      "action=cancel" + String(repeating: "&run=\(RunPagesTests.absent)", count: 201),
    ])
  func hostile(form: String) async throws {
    let fixture = try await RunPagesFixture()
    let run = fixture.run("a")
    try await fixture.put([run])
    let fields = form.split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1)
      return (String(parts[0]), String(parts[1]))
    }
    #expect(try await fixture.post("/runs/bulk", fields).status == 400)
    #expect(try await fixture.stored(run.id) == run)
    #expect(try await fixture.runtime.operatorActions().isEmpty)
  }

  @Test("The fields of a step have all of it")
  func fields() throws {
    let cursor = "17_\(RunPagesTests.absent)"
    let text =
      "action=cancel&scope=filter&because=No%20more&job=mail&status=pending&q=x&cursor=\(cursor)&step=next&more=yes"
      + "&total=9&done=1&requested=2&skipped=3&failed=4&why=A+reason&whyCount=3"
    let progress = try BulkProgress(PageFields(text))
    #expect(progress.treated == 10 && progress.isMore && !progress.isFirst && progress.because == "No more")
    let encoded = progress.fields.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
    let again = try BulkProgress(PageFields(encoded.joined(separator: "&")))
    #expect(again.fields.map { "\($0)" } == progress.fields.map { "\($0)" })
    #expect(again.cursor?.text == cursor && again.reasons == [BulkProgress.Reason(text: "A reason", count: 3)])
  }
}
#endif
