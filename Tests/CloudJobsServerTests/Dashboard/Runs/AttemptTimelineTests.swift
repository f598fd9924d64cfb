#if Server
import CloudJobsCore
import Testing

@testable import CloudJobsServer

@Suite("Timeline of a run's attempts")
struct AttemptTimelineTests {
  private let start = Timestamp(seconds: 1_000)

  private func run(_ status: RunStatus, attempt: Int, _ earlier: [RunAttempt] = [], latest: Int? = nil) -> Run {
    var run = Run(
      id: RunID(job: "mail", occurrence: .key("a")), job: "mail", trigger: .task, status: status, maxAttempts: 3,
      notBefore: start, createdAt: start)
    (run.attempt, run.earlierAttempts) = (attempt, earlier)
    if attempt > 0 { run.startedAt = start + .seconds(10) }
    run.attemptStartedAt = latest.map { start + .seconds($0) }
    if status.isTerminal { run.finishedAt = start + .seconds(40) }
    if status == .scheduled { run.notBefore = start + .seconds(100) }
    return run
  }

  private func attempt(_ number: Int, _ from: Int, _ end: Int, _ outcome: AttemptOutcome = .failed) -> RunAttempt {
    RunAttempt(
      number: number, startedAt: start + .seconds(from), endedAt: start + .seconds(end), outcome: outcome,
      failure: outcome == .failed ? RunFailure(kind: "smtp", message: "try \(number)") : nil)
  }

  @Test("The picture has the waits and the attempts with their outcomes, the table the attempts, latest first")
  func spans() {
    let now = start + .seconds(50)
    let table: [(Run, spans: [String], rows: [String])] = [
      (run(.pending, attempt: 0), ["wait 0+960"], []),
      (run(.scheduled, attempt: 0), ["wait 0+960"], []),
      (run(.succeeded, attempt: 1), ["wait 0+240", "good 240+720"], ["1 good succeeded 30 s"]),
      (run(.running, attempt: 1), ["wait 0+192", "busy 192+768"], ["1 busy under way 40 s"]),
      (
        run(.failed, attempt: 2, [attempt(1, 10, 16)], latest: 30),
        ["wait 0+240", "bad 240+144", "wait 384+336", "bad 720+240"], ["2 bad failed 10 s", "1 bad failed 6 s"]
      ),
      (
        run(.scheduled, attempt: 1, [attempt(1, 10, 20)]), ["wait 0+96", "bad 96+96", "wait 192+768"],
        ["1 bad failed 10 s"]
      ),
      (
        run(.running, attempt: 3, [attempt(1, 10, 20, .snoozed), attempt(2, 20, 30, .interrupted)], latest: 40),
        ["wait 0+192", "other 192+192", "other 384+192", "wait 576+192", "busy 768+192"],
        ["3 busy under way 10 s", "2 warn interrupted 10 s", "1 scheduled asked to go on later 10 s"]
      ),
      (run(.cancelled, attempt: 0), ["wait 0+960"], []),
      (
        run(.cancelled, attempt: 1, [attempt(1, 10, 20)]), ["wait 0+240", "bad 240+240", "wait 480+480"],
        ["1 bad failed 10 s"]
      ),
    ]
    for (run, spans, rows) in table {
      let timeline = AttemptTimeline(run, at: now)
      #expect(timeline.spans.map { "\($0.spanKind) \($0.spanX)+\($0.spanWidth)" } == spans, "\(run.status)")
      #expect(timeline.spans.allSatisfy { $0.spanX + $0.spanWidth <= 962 })
      let shown = timeline.rows.map { "\($0.attemptNumber) \($0.outcomeStyle) \($0.outcomeText) \($0.attemptSpan)" }
      #expect(shown == rows && timeline.hasRows == !rows.isEmpty, "\(run.status)")
      #expect(timeline.gapText == nil)
    }
  }

  @Test("Attempts that a run no longer keeps are told, and their time is one part of the picture")
  func gaps() {
    let kept = run(.failed, attempt: 5, [attempt(4, 20, 25)], latest: 35)
    let timeline = AttemptTimeline(kept, at: start + .seconds(50))
    #expect(timeline.gapText?.hasPrefix("3 earlier attempts are not listed") == true)
    #expect(timeline.spans.map(\.spanKind) == ["wait", "other", "bad", "wait", "bad"])
    #expect(timeline.spans[1].spanLabel == "3 attempts with the waits between them: 10 s")
    #expect(timeline.rows.map(\.failureText) == [nil, "smtp: try 4"])
  }
}
#endif
