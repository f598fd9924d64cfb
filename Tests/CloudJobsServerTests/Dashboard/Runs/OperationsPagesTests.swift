#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import Testing

@testable import CloudJobsServer

@Suite("Pages of dead letters, workers and actions")
struct OperationsPagesTests {
  @Test(
    "Errors that differ in numbers and ids are one group",
    arguments: [
      ("Order 4711 is late.", "Order … is late."), ("id 3f2a-99 of user_7", "id … of …"), ("v1.2.3", "….….…"),
      ("No digits: café", "No digits: café"), ("first\nsecond 2", "first"), ("", ""),
    ])
  func normalized(message: String, text: String) {
    #expect(DeadLetterGroup.normalized(message) == text)
  }

  @Test("Failed runs are grouped by job and error, the largest group first")
  func groups() async throws {
    let fixture = try await RunPagesFixture()
    func failed(_ name: String, _ job: JobID, _ message: String, age: Int) -> Run {
      var run = fixture.run(name, job: job, .failed, age: age)
      run.failure = RunFailure(kind: "error", message: message)
      return run
    }
    let runs = [
      failed("a", "mail", "Order 1 is late.", age: 10), failed("b", "mail", "Order 22 is late.", age: 20),
      failed("c", "charge", "Order 1 is late.", age: 5), failed("d", "mail", "It broke.", age: 40),
    ]
    let groups = DeadLetterGroup.groups(of: runs.sorted { $1.createdAt < $0.createdAt })
    #expect(groups.map(\.groupCount) == [2, 1, 1])
    #expect(groups.map(\.groupJob) == ["mail", "charge", "mail"])
    #expect(groups[0].latestRun == runs[0].id)
    #expect(groups[0].latest == runs[0].finishedAt && groups[0].first == runs[1].finishedAt)

    try await fixture.put(runs)
    let page = try await fixture.get("/dead-letters").text
    #expect(page.contains("4 failed runs, in 3 groups."))
    let link = "group=\(groups[0].groupKey)"
    #expect(page.contains("\(link)&amp;repeat=open\""))
    let list = try await fixture.get("/runs?job=mail&status=failed&\(link)").text
    #expect(runs.filter { list.contains($0.id.rawValue) }.map(\.id) == [runs[0].id, runs[1].id])
    let question = try await fixture.get("/runs/bulk?action=redrive&scope=filter&job=mail&status=failed&\(link)")
    #expect(question.text.contains("There are 2 runs."))
    let done = try await fixture.post("/runs/bulk", RunPagesFixture.hiddenFields(question.text))
    #expect(done.text.contains("Redrove 2 runs."))
    #expect(try await fixture.stored(runs[3].redriveID) == nil)
    #expect(try await fixture.stored(runs[1].redriveID)?.parent == runs[1].id)
  }

  @Test(
    "What became of a dead letter is that of the last run that repeats it, for three repeats",
    arguments: [
      ([], .notRepeated), ([.scheduled], .underWay), ([.pending], .underWay), ([.running], .underWay),
      ([.succeeded], .succeeded), ([.failed], .failed), ([.cancelled], .cancelled),
      ([.failed, .succeeded], .succeeded),
      ([.cancelled, .running], .underWay), ([.failed, .failed, .succeeded], .succeeded),
      ([.failed, .failed, .failed, .succeeded], .failed),
    ] as [([RunStatus], RepeatState.Kind)])
  func repeats(chain: [RunStatus], kind: RepeatState.Kind) async throws {
    let fixture = try await RunPagesFixture()
    let dead = fixture.run("dead", .failed)
    let runs = chain.reduce(into: [dead]) { runs, status in
      runs.append(fixture.run("redrive/\(runs[runs.count - 1].id)", status))
    }
    for (run, next) in zip(runs, runs.dropFirst()) { #expect(run.redriveID == next.id) }
    try await fixture.put(runs)
    let repeats = try await RunRepeats(of: [dead], in: fixture.runtime)
    #expect(repeats.state(of: dead) == RepeatState(kind: kind, run: runs.dropFirst().prefix(3).last?.id))
    #expect(repeats.isOpen(dead) == (kind != .succeeded))
    #expect(repeats.state(of: fixture.run("other", .cancelled)) == nil)
  }

  @Test("A dead letter that was repeated with success is listed only where all are, with a link to its repeat")
  func repeatedDeadLetters() async throws {
    let fixture = try await RunPagesFixture()
    var runs: [String: Run] = [:]
    for (name, status) in [
      ("a", nil), ("b", .succeeded), ("c", .running), ("d", .failed), ("e", .cancelled),
    ] as [(String, RunStatus?)] {
      let dead = fixture.run(name, .failed)
      runs[name] = dead
      // The repeat that failed is a dead letter itself.
      if let status { runs["\(name)2"] = fixture.run("redrive/\(dead.id)", status, age: 30) }
    }
    try await fixture.put(Array(runs.values))
    func id(_ name: String) -> String { runs[name]?.id.rawValue ?? "" }

    let open = try await fixture.get("/dead-letters").text
    #expect(open.contains("5 failed runs, in 5 groups."))
    #expect(open.contains(">Open 5<") && open.contains(">All 6<"))
    #expect(!open.contains(id("b")) && open.contains(">not repeated<"))
    for (name, text) in [("c", "repeat under way"), ("d", "repeat failed"), ("e", "repeat cancelled")] {
      #expect(open.contains("<a href=\"/dashboard/runs/\(id("\(name)2"))\">\(text)</a>"), "\(name)")
    }
    let all = try await fixture.get("/dead-letters?show=all").text
    #expect(all.contains("6 failed runs, in 6 groups."))
    #expect(all.contains("<a href=\"/dashboard/runs/\(id("b2"))\">repeat succeeded</a>"))
    #expect(try await fixture.get("/dead-letters?job=charge").text.contains("Only those of the job <strong>charge"))
    let overview = try await fixture.get("").text
    let figure = overview.split(separator: "id=\"figure-dead\"").dropFirst().first?.prefix(120) ?? ""
    #expect(figure.contains(">5<"), "\(figure)")
    #expect(!overview.contains("/runs/\(id("b"))\""))

    for (filter, names) in [
      ("open", ["a", "c", "d", "d2", "e"]), ("notRepeated", ["a", "d2"]), ("underWay", ["c"]), ("succeeded", ["b"]),
      ("failed", ["d"]), ("cancelled", ["e"]),
    ] {
      let list = try await fixture.get("/runs?repeat=\(filter)").text
      #expect(runs.filter { list.contains("title=\"\($0.value.id)\"") }.keys.sorted() == names, "\(filter)")
    }
    #expect(try await fixture.get("/runs?repeat=lost").status == 400)
    let failed = try await fixture.get("/runs?status=failed").text
    #expect(failed.contains("<a href=\"/dashboard/runs/\(id("b2"))\">repeat succeeded</a>"))

    // A change of the open ones leaves the others alone.
    let question = try await fixture.get("/runs/bulk?action=purge&scope=filter&status=failed&repeat=open")
    #expect(question.text.contains("There are 5 runs.") && question.text.contains("not repeated with success"))
    _ = try await fixture.post("/runs/bulk", RunPagesFixture.hiddenFields(question.text))
    #expect(try await fixture.stored(try #require(runs["b"]).id) != nil)
    #expect(try await fixture.stored(try #require(runs["a"]).id) == nil)
    #expect(try await fixture.get("/dead-letters").text.contains("1 failed run was repeated with success."))
  }

  @Test("The repeats of a group are counted by their states")
  func groupRepeats() {
    let texts = RepeatState.Kind.allCases.map { [$0.words(of: 1), $0.words(of: 1_200)] }
    #expect(
      texts == [
        ["1 not repeated", "1,200 not repeated"], ["1 repeat under way", "1,200 repeats under way"],
        ["1 repeat succeeded", "1,200 repeats succeeded"], ["1 repeat failed", "1,200 repeats failed"],
        ["1 repeat cancelled", "1,200 repeats cancelled"],
      ])
  }

  @Test("Without failed runs, workers or actions, the pages tell what they are for")
  func empty() async throws {
    let fixture = try await RunPagesFixture()
    #expect(try await fixture.get("/dead-letters").text.contains("No dead letters."))
    #expect(try await fixture.get("/workers").text.contains("No worker has been heard of"))
    #expect(try await fixture.get("/actions").text.contains("No actions yet."))
    #expect(try await fixture.get("/runs").text.contains("No runs yet."))
  }

  @Test("Workers are shown with their state, load and heartbeat, and leaders with their term")
  func workers() async throws {
    let fixture = try await RunPagesFixture()
    let now = fixture.clock.now()
    var record = WorkerRecord(
      name: "web-<1>", owner: "owner-1", startedAt: now - .hours(1), staleAfter: .seconds(30), concurrency: 8)
    (record.active, record.processed, record.expireAt) = (3, 12_345, now + .hours(2))
    var stopping = record
    (stopping.name, stopping.isStopping, stopping.executesRuns) = ("web-2", true, false)
    let leader = LeaderLedger(holder: "owner-1", term: 7, until: now + .seconds(90))
    _ = try await fixture.memory.commit([
      .putLedger(.worker("one"), .worker(record), .none), .putLedger(.worker("two"), .worker(stopping), .none),
      .putLedger(try LedgerID("leader/import"), .leader(leader), .none),
    ])
    let page = try await fixture.get("/workers").text
    for text in [
      "web-&lt;1&gt;", "3 of 8", "12,345", "1 running, 1 stopping", "schedules and runs", ">schedules<", "import",
      "leads",
    ] {
      #expect(page.contains(text), "\(text)")
    }
    try await fixture.clock.sleep(for: .seconds(91))
    let later = try await fixture.get("/workers").text
    #expect(later.contains("2 lost") && later.contains("expired"))
  }

  @Test("The page of actions shows those about one job, and leads to earlier ones")
  func actions() async throws {
    let fixture = try await RunPagesFixture(.readOnly)
    for number in 0..<130 {
      try await fixture.runtime.record("Action \(number).", by: "<Ada>", job: number == 5 ? "charge" : "mail")
      try await fixture.clock.sleep(for: .seconds(1))
    }
    let page = try await fixture.get("/actions").text
    #expect(page.contains("Action 129.") && page.contains("Action 30.") && !page.contains("Action 29."))
    #expect(page.contains("&lt;Ada&gt;"))
    let link = try #require(page.split(separator: "rel=\"next\" href=\"/dashboard").dropFirst().first)
    let earlier = try await fixture.get(String(link.prefix { $0 != "\"" })).text
    #expect(earlier.contains("Action 29.") && earlier.contains("Action 0.") && !earlier.contains("Action 30."))
    let job = try await fixture.get("/actions?job=charge").text
    #expect(job.contains("Action 5.") && !job.contains("Action 4."))
  }
}
#endif
