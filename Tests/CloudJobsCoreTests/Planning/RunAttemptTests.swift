import TestSupport
import Testing

@testable import CloudJobsCore

@Suite("Attempts of a run")
struct RunAttemptTests {
  private let failure = RunFailure(kind: "oops", message: "It failed.")
  private let job = PlanSample.job { $0.retry = RetryPolicy(maxAttempts: 30, backoff: .fixed(.seconds(10))) }

  /// A run with an attempt under way.
  private func claimed(_ run: Run, at time: Timestamp) -> Run {
    run.claimed(by: PlanSample.settings, for: job, at: time)
  }

  private func concluded(_ run: Run, _ conclusion: Conclusion, at time: Timestamp) -> Run {
    run.concluded(conclusion, policy: job.policy, settings: PlanSettings(owner: "a"), at: time)
  }

  private func texts(_ run: Run) -> [String] {
    run.attempts.map { attempt in
      let start = (attempt.startedAt - PlanSample.now).components.seconds
      let end = attempt.endedAt.map { "\(($0 - PlanSample.now).components.seconds)" } ?? "…"
      let kind = attempt.failure.map { " \($0.kind)" } ?? ""
      return "\(attempt.number) \(start)-\(end) \(attempt.outcome?.rawValue ?? "under way")\(kind)"
    }
  }

  @Test("Each attempt has its times and its outcome, whatever ended it")
  func history() {
    let now = PlanSample.now
    var run = PlanSample.run(.pending)
    (run.attempt, run.startedAt) = (0, nil)
    #expect(texts(run) == [] && run.latestStart == nil)
    run = claimed(run, at: now)
    #expect(texts(run) == ["1 0-… under way"])
    // A run that ends with its first attempt stores no attempt.
    let ended = concluded(run, .succeeded(output: nil), at: now + .seconds(2))
    #expect(texts(ended) == ["1 0-2 succeeded"])
    #expect(ended.earlierAttempts.isEmpty && ended.attemptStartedAt == nil)
    run = concluded(run, .retry(at: now + .seconds(10), failure), at: now + .seconds(1))
    #expect(texts(run) == ["1 0-1 failed oops"])
    run = concluded(claimed(run, at: now + .seconds(10)), .snoozed(until: now + .seconds(20)), at: now + .seconds(11))
    run = concluded(claimed(run, at: now + .seconds(20)), .continued(at: now + .seconds(30)), at: now + .seconds(22))
    run = claimed(run, at: now + .seconds(30))
      .interrupted(policy: job.policy, settings: PlanSample.settings, at: now + .seconds(33))
    run = concluded(claimed(run, at: now + .seconds(40)), .interrupted(reason: "down"), at: now + .seconds(44))
    let earlier = [
      "1 0-1 failed oops", "2 10-11 snoozed", "3 20-22 continued", "4 30-33 interrupted", "5 40-44 interrupted",
    ]
    #expect(texts(run) == earlier)
    run = claimed(run, at: now + .seconds(50))
    #expect(texts(run) == earlier + ["6 50-… under way"])
    let ends: [(Conclusion, String)] = [
      (.succeeded(output: nil), "6 50-51 succeeded"), (.cancelled(reason: "late"), "6 50-51 cancelled"),
      (.deadLetter(failure, reason: "over"), "6 50-51 failed oops"),
      (.deadLetter(.leaseLost, reason: "over"), "6 50-51 lost leaseLost"),
    ]
    for (conclusion, text) in ends {
      #expect(texts(concluded(run, conclusion, at: now + .seconds(51))) == earlier + [text])
    }
    // A run that is cancelled while it waits has no further attempt.
    let waiting = concluded(run, .retry(at: now + .seconds(60), failure), at: now + .seconds(51))
    let cancelled = waiting.cancelled(because: "enough", at: now + .seconds(55), retention: job.policy.retention)
    #expect(texts(cancelled) == earlier + ["6 50-51 failed oops"])
  }

  @Test("An attempt whose lease expired is lost at that time, and one that another service executes is none yet")
  func lost() throws {
    let now = PlanSample.now
    let run = PlanSample.run(.running) { run in
      run.startedAt = now - .seconds(90)
      run.lease = Lease(owner: "other", token: run.fence, expiresAt: now - .seconds(30))
    }
    guard case .run(let next) = plan(PlanSample.input(job, run: run, attempt: run.attempt)) else {
      Issue.record("The run is not taken over.")
      return
    }
    #expect(texts(next) == ["1 -90--30 lost leaseLost", "2 0-… under way"])
    let handed = claimed(next, at: now + .seconds(5)).handedOver(from: next, PlanSample.settings, at: now)
    #expect(handed.earlierAttempts == next.earlierAttempts && handed.attemptStartedAt == next.attemptStartedAt)
  }

  @Test("A run keeps its latest attempts, with short messages")
  func bounds() {
    var run = PlanSample.run(.pending)
    (run.attempt, run.startedAt) = (0, nil)
    let long = RunFailure(kind: "oops", message: String(repeating: "é", count: 2_000))
    for number in 0..<25 {
      let time = PlanSample.now + .seconds(Int64(number))
      run = concluded(claimed(run, at: time), .retry(at: time, long), at: time)
    }
    #expect(run.earlierAttempts.map(\.number) == Array(6...25))
    #expect(run.earlierAttempts.allSatisfy { $0.failure?.message.count == RunAttempt.maximumMessage + 1 })
    #expect(run.failure == long)
    #expect(run.document.utf8.count < 20_000)
  }

  @Test(
    "An invalid attempt is refused by its field",
    arguments: [
      ("a", "earlierAttempts"), (["a"], "earlierAttempts"),
      ([["startedAt": "2026-11-21T10:00:00Z"]], "earlierAttempts.number"),
      ([["number": 0, "startedAt": "2026-11-21T10:00:00Z"]], "earlierAttempts.number"),
      ([["number": 1]], "earlierAttempts.startedAt"),
      ([["number": 1, "startedAt": "2026-11-21T10:00:00Z", "outcome": "unlucky"]], "earlierAttempts.outcome"),
    ] as [(JSONValue, String)])
  func malformed(value: JSONValue, field: String) {
    let error = #expect(throws: JobError.self) { try RunAttempt.list(value) }
    #expect(error?.code == .invalidField && error?.field == field)
  }
}
