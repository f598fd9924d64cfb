import Testing

@testable import CloudJobsCore

@Suite("Circuit breakers")
struct BreakerTests {
  private let now = PlanSample.now
  private let failure = RunFailure(kind: "failure", message: "It failed.")

  private func job(_ kind: JobKind = .endpoint, threshold: Int = 3) -> ResolvedJob {
    PlanSample.job(kind) { $0.breaker = CircuitBreaker(threshold: threshold, cooldown: .minutes(1)) }
  }

  @Test(
    "The gate is closed until the breaker is half-open",
    arguments: [
      (nil, 3, "closed", false), (.zero - PlanSample.microsecond, 3, "half-open since", false),
      (.zero, 3, "half-open since", false), (PlanSample.microsecond, 3, "open until", true),
      (.days(1), 3, "open until", true), (.days(1), 0, "none", false),
    ] as [(Duration?, Int, String, Bool)])
  func gate(ahead: Duration?, threshold: Int, value: String, isClosed: Bool) throws {
    let input = GateInput(
      job: job(.periodic, threshold: threshold), scheduledFor: now, trigger: .pass,
      breakerOpenUntil: ahead.map { now + $0 }, now: now)
    let report = try #require(Gate.reports(for: input).first { $0.name == .breaker })
    #expect(report.value.hasPrefix(value))
    #expect(report.skip?.status == (isClosed ? .skippedBreakerOpen : nil))
  }

  @Test("A delivery under an open breaker waits, or is early where its caller repeats it; an occurrence is skipped")
  func deliveries() throws {
    let until = now + .seconds(30)
    func decide(_ kind: JobKind, _ owner: RetryOwner, _ run: Run? = nil, trigger: Trigger = .task) -> Decision {
      let attempt = run.map { $0.attempt + 1 }
      let delivery = Delivery(job: "job", trigger: trigger, occurrence: .key("one"), attempt: attempt)
      let id = RunID(job: "job", occurrence: .key("one"))
      return plan(
        PlanInput(
          delivery: delivery, runID: id, job: job(kind), run: run, breakerOpenUntil: until, now: now,
          settings: PlanSettings(owner: "instance", retryOwner: owner)))
    }
    for run in [nil, PlanSample.run(.pending, attempt: 0), PlanSample.run(.scheduled, attempt: 2, failures: 2)] {
      guard case .wait(let waiting) = decide(.endpoint, .runtime, run) else {
        Issue.record("\(decide(.endpoint, .runtime, run))")
        continue
      }
      #expect((waiting.status, waiting.notBefore, waiting.attempt) == (.scheduled, until, run?.attempt ?? 0))
      #expect(waiting.reenqueues == (run?.reenqueues ?? 0) + 1)
      #expect(decide(.endpoint, .caller, run) == .early(until: until))
    }
    guard case .skip(let skip, cancelled: nil) = decide(.scheduled, .runtime, trigger: .schedule) else {
      Issue.record("A scheduled occurrence was not skipped.")
      return
    }
    #expect(skip.status == .skippedBreakerOpen)
    guard case .run = decide(.endpoint, .runtime, trigger: .manual) else {
      Issue.record("A manual trigger did not pass.")
      return
    }
  }

  @Test(
    "A failed run opens the breaker from the threshold on", arguments: [(0, false), (1, false), (2, true), (9, true)])
  func opening(failuresBefore: Int, opens: Bool) throws {
    for kind in JobKind.allCases {
      var state = JobState()
      state.status = .failure
      state.consecutiveFailures = failuresBefore
      let run = PlanSample.run(.failed) { $0.finishedAt = now }
      let patch = try #require(
        state.patch(
          after: .deadLetter(failure, reason: ""), run: run, kind: kind, breaker: job(kind).policy.breaker,
          duration: .zero))
      #expect(patch.fields["consecutiveFailures"] == .integer(Int64(failuresBefore + 1)))
      #expect(patch.fields["breakerOpenUntil"] == (opens ? .string((now + .minutes(1)).description) : nil))
    }
  }

  @Test("A success closes the breaker, and an endpoint without a breaker or a change writes nothing")
  func closing() throws {
    var state = JobState()
    state.status = .success
    let run = PlanSample.run(.succeeded) { $0.finishedAt = now }
    func patch(_ state: JobState, _ breaker: CircuitBreaker?) -> JobStatePatch? {
      state.patch(after: .succeeded(output: nil), run: run, kind: .endpoint, breaker: breaker, duration: .zero)
    }
    let breaker = CircuitBreaker()
    #expect(patch(state, breaker) == nil)
    state.consecutiveFailures = 2
    #expect(patch(state, nil) == nil)
    #expect(patch(state, breaker)?.fields["consecutiveFailures"] == 0)
    state.breakerOpenUntil = now
    #expect(patch(state, breaker)?.fields["breakerOpenUntil"] == .null)
    // The document's breaker was switched off while it was open.
    #expect(patch(state, nil)?.fields["breakerOpenUntil"] == .null)
  }

  @Test("Only a run under a half-open breaker is a probe, and it keeps others back for a cooldown")
  func probes() {
    for (ahead, isProbe) in [(Duration?.none, false), (.zero, true), (.zero - .days(1), true), (.seconds(1), false)] {
      var state = JobState()
      state.breakerOpenUntil = ahead.map { now + $0 }
      var patch = JobStatePatch()
      #expect(state.claimProbe(CircuitBreaker(threshold: 1), at: now, in: &patch) == isProbe)
      #expect(patch.fields == (isProbe ? ["breakerOpenUntil": .string((now + .seconds(60)).description)] : [:]))
      #expect(!state.claimProbe(CircuitBreaker(threshold: 0), at: now, in: &patch))
      #expect(!state.claimProbe(nil, at: now, in: &patch))
    }
  }

  @Test(
    "A breaker is an object of known fields within their ranges",
    arguments: [
      (["threshold": 0, "cooldown": "1s"], nil), (["threshold": 1_000_000], nil), (["cooldown": 60], nil), ([:], nil),
      (["threshold": -1], "breaker.threshold"), (["threshold": 1_000_001], "breaker.threshold"),
      (["cooldown": 0], "breaker.cooldown"), (["cooldown": "soon"], "breaker.cooldown"),
      (["treshold": 1], "breaker.treshold"), ("5", "breaker"), (true, "breaker"), ([5], "breaker"),
    ] as [(JSONValue, String?)])
  func documents(value: JSONValue, field: String?) throws {
    do throws(JobError) {
      let configuration = try JobConfiguration(fields: ["breaker": value])
      #expect(field == nil)
      #expect(try JobConfiguration(fields: configuration.fields) == configuration)
    } catch {
      #expect((error.code, error.field) == (.invalidField, field))
    }
  }
}
