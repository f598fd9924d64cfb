import CloudJobsCore
import TestSupport
import Testing

@Suite("Conclusion of an attempt")
struct ConcludeTests {
  private let failure = RunFailure(kind: "oops", message: "It failed.")

  private func conclusion(
    _ outcome: Outcome, failures: Int = 0, policy: RetryPolicy? = nil, startedAgo: Duration = .minutes(9)
  ) -> Conclusion {
    var random = SeededGenerator(seed: 1)
    let run = PlanSample.run(.running, failures: failures) { $0.startedAt = PlanSample.now - startedAgo }
    let standard = RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(10)), jitter: .none)
    return conclude(outcome, run: run, policy: policy ?? standard, now: PlanSample.now, random: &random)
  }

  private func failed(isPermanent: Bool = false, retryAfter: Duration? = nil) -> Outcome {
    .failed(failure, isPermanent: isPermanent, retryAfter: retryAfter)
  }

  @Test("Outcomes that are no failure end or pause the run")
  func noFailure() {
    let text = JSONText(["n": 1])
    #expect(conclusion(.succeeded(output: text)) == .succeeded(output: text))
    #expect(conclusion(.cancelled(reason: "late")) == .cancelled(reason: "late"))
    #expect(conclusion(.snoozed(.seconds(5))) == .snoozed(until: PlanSample.now + .seconds(5)))
    #expect(conclusion(.snoozed(.seconds(-5))) == .snoozed(until: PlanSample.now))
    #expect(conclusion(.snoozed(.seconds(Int64.max))) == .snoozed(until: .distantFuture))
  }

  @Test("A failure is tried again until the attempts are used up")
  func attempts() {
    let later = Conclusion.retry(at: PlanSample.now + .seconds(10), failure)
    #expect(conclusion(failed(), failures: 0) == later)
    #expect(conclusion(failed(), failures: 1) == later)
    #expect(conclusion(failed(), failures: 2) == .deadLetter(failure, reason: "All 3 attempts are used up."))
    #expect(conclusion(failed(), failures: .max) == .deadLetter(failure, reason: "All 3 attempts are used up."))
  }

  @Test("A permanent failure is final, and its own delay goes before the policy's")
  func kinds() {
    #expect(conclusion(failed(isPermanent: true)) == .deadLetter(failure, reason: "The failure is permanent."))
    #expect(conclusion(failed(retryAfter: .seconds(99))) == .retry(at: PlanSample.now + .seconds(99), failure))
    #expect(conclusion(failed(retryAfter: .seconds(-9))) == .retry(at: PlanSample.now, failure))
    #expect(
      conclusion(failed(retryAfter: .seconds(99)), failures: 2)
        == .deadLetter(failure, reason: "All 3 attempts are used up."))
  }

  @Test(
    "It is given up only when the attempts and the minimum duration are used up",
    arguments: [
      (1, Duration.hours(2), false), (2, .hours(1) - .microseconds(1), false), (2, .hours(1), true),
      (2, .hours(1) + .microseconds(1), true), (50, .minutes(59), false),
    ])
  func minimumDuration(failures: Int, startedAgo: Duration, isDead: Bool) {
    let policy = RetryPolicy(maxAttempts: 3, minimumDuration: .hours(1))
    let conclusion = conclusion(failed(), failures: failures, policy: policy, startedAgo: startedAgo)
    if case .deadLetter = conclusion { #expect(isDead) } else { #expect(!isDead) }
  }

  @Test("The run keeps what its attempt brought")
  func runs() {
    let job = PlanSample.job { $0.retention = Retention(.days(1)) }
    func after(_ conclusion: Conclusion) -> Run {
      PlanSample.run(.running, failures: 1) { $0.reenqueues = 4 }
        .concluded(conclusion, policy: job.policy, settings: PlanSample.settings, at: PlanSample.now)
    }
    let done = after(.succeeded(output: .null))
    #expect((done.status, done.failures, done.output, done.finishedAt) == (.succeeded, 1, .null, PlanSample.now))
    #expect((done.wakeAt, done.lease, done.expireAt) == (nil, nil, PlanSample.now + .days(1)))
    let retry = after(.retry(at: PlanSample.now + .seconds(10), failure))
    #expect((retry.status, retry.failures, retry.failure, retry.reenqueues) == (.scheduled, 2, failure, 0))
    #expect((retry.notBefore, retry.wakeAt) == (PlanSample.now + .seconds(10), PlanSample.now + .seconds(70)))
    #expect((retry.lease, retry.finishedAt, retry.nextTaskName) == (nil, nil, "\(retry.id)-2"))
    let snoozed = after(.snoozed(until: PlanSample.now + .seconds(10)))
    #expect((snoozed.status, snoozed.failures, snoozed.attempt) == (.scheduled, 1, 1))
    let cancelled = after(.cancelled(reason: "late"))
    #expect((cancelled.status, cancelled.failures, cancelled.reason) == (.cancelled, 1, "late"))
    let dead = after(.deadLetter(failure, reason: "enough"))
    #expect((dead.status, dead.failures, dead.failure, dead.reason) == (.failed, 2, failure, "enough"))
  }

  @Test("A job's state follows its runs; an endpoint's only where its status changes")
  func states() {
    var state = JobState()
    state.status = .success
    state.consecutiveFailures = 2
    let ended = PlanSample.run(.succeeded, failures: 1)
    func patch(_ conclusion: Conclusion, _ run: Run, _ kind: JobKind) -> JobStatePatch? {
      state.patch(after: conclusion, run: run, kind: kind, duration: .milliseconds(1_500))
    }
    #expect(
      patch(.succeeded(output: nil), ended, .periodic)?.fields
        == ["status": "success", "consecutiveFailures": 0, "retries": 1, "lastDuration": 1_500])
    #expect(
      patch(.deadLetter(failure, reason: ""), PlanSample.run(.failed, failures: 3), .scheduled)?.fields
        == ["status": "failure", "consecutiveFailures": 3, "retries": 3, "lastDuration": 1_500])
    let waiting = PlanSample.run(.scheduled, failures: 1)
    #expect(patch(.retry(at: PlanSample.now, failure), waiting, .periodic)?.fields["consecutiveFailures"] == 2)
    #expect(patch(.snoozed(until: PlanSample.now), waiting, .periodic) == nil)
    #expect(patch(.cancelled(reason: ""), PlanSample.run(.cancelled), .periodic) == nil)
    #expect(patch(.succeeded(output: nil), ended, .endpoint) == nil)
    #expect(patch(.retry(at: PlanSample.now, failure), waiting, .endpoint) == nil)
    #expect(patch(.deadLetter(failure, reason: ""), PlanSample.run(.failed), .endpoint)?.fields["status"] == "failure")
  }

  @Test("A failure that the caller repeats waits for it, without a delay of its own")
  func callers() {
    var random = ZeroGenerator()
    let run = PlanSample.run(.running)
    let conclusion = conclude(
      failed(retryAfter: .seconds(99)), run: run, policy: RetryPolicy(maxAttempts: 3), owner: .caller,
      now: PlanSample.now, random: &random)
    #expect(conclusion == .retryByCaller(failure))
    let waiting = run.concluded(
      conclusion, policy: PlanSample.job().policy, settings: PlanSample.settings, at: PlanSample.now)
    #expect((waiting.status, waiting.notBefore, waiting.failures) == (.scheduled, PlanSample.now, 1))
  }

  @Test(
    "An attempt that a shutdown cancelled counts as no failure, unless its outcome is its own",
    arguments: [
      (
        RetryOwner.runtime,
        Outcome.failed(RunFailure(kind: "error", message: "cancelled"), isPermanent: false, retryAfter: nil), "snoozed",
        0
      ),
      (
        .pass, .failed(RunFailure(kind: "error", message: "cancelled"), isPermanent: false, retryAfter: nil), "snoozed",
        0
      ),
      (
        .caller, .failed(RunFailure(kind: "error", message: "cancelled"), isPermanent: false, retryAfter: nil),
        "interrupted", 0
      ),
      (
        .runtime, .failed(RunFailure(kind: "error", message: "cancelled"), isPermanent: true, retryAfter: nil),
        "deadLetter", 1
      ),
      (.caller, .succeeded(output: nil), "succeeded", 0), (.pass, .snoozed(.seconds(1)), "snoozed", 0),
    ])
  func shutdown(owner: RetryOwner, outcome: Outcome, expected: String, failures: Int) {
    var random = ZeroGenerator()
    let run = PlanSample.run(.running)
    let concluded = ConcludedAttempt(
      outcome, isShutdown: true, run: run, policy: PlanSample.job().policy,
      settings: PlanSettings(owner: "instance", retryOwner: owner), at: PlanSample.now, random: &random)
    #expect("\(concluded.conclusion)".hasPrefix(expected))
    #expect(concluded.run.failures == failures)
    let isInterrupted = outcome.mayResultFromCancellation
    #expect((concluded.interruption != nil) == isInterrupted)
    #expect(concluded.run.fence == run.fence + (isInterrupted ? 1 : 0))
  }
}

/// A generator of zeros.
private struct ZeroGenerator: RandomNumberGenerator {
  mutating func next() -> UInt64 { 0 }
}
