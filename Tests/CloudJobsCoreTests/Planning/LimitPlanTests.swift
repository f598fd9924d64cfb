import Testing

@testable import CloudJobsCore

@Suite("Plans under limits")
struct LimitPlanTests {
  private let now = PlanSample.now
  private let refusal = LimitRefusal(.job("job"), retryAt: PlanSample.now + .seconds(7), reason: "It is full.")

  @Test("A job has the limits that its policy and its document set")
  func limits() throws {
    let rate = RateLimit(5, per: .seconds(1))
    let plain = PlanSample.job { $0.group = "g" }
    #expect(plain.limits.isEmpty)
    let limited = PlanSample.job { policy in
      (policy.maxConcurrent, policy.rate, policy.group, policy.groupMaxConcurrent) = (3, rate, "g", 4)
    }
    #expect(
      limited.limits == [
        JobLimit(.job("job"), maxConcurrent: 3, rate: rate), JobLimit(.group("g"), maxConcurrent: 4),
      ])
    let off = try JobConfiguration(
      fields: ["maxConcurrent": 0, "rate": ["count": 0, "period": 1], "groupMaxConcurrent": 0])
    let freed = PlanSample.job(configuration: off) { ($0.maxConcurrent, $0.rate) = (3, rate) }
    #expect(freed.limits.isEmpty)
    let allowed = try JobConfiguration(fields: ["overlap": "allow(6)"])
    #expect((allowed.overlap, allowed.maxConcurrent) == (.allow, 6))
    #expect(try JobConfiguration(fields: ["overlap": "allow(6)", "maxConcurrent": 2]).maxConcurrent == 2)
    for text in ["allow(0)", "allow(-1)", "allow(1001)", "allow()", "allow(x)", "skip(2)"] {
      #expect(throws: JobError.self) { try JobConfiguration(fields: ["overlap": .string(text)]) }
    }
    var definition = JobDefinition(id: "job", kind: .endpoint)
    definition.policy.maxConcurrent = 1_001
    #expect { try ResolvedJob(definition, configuration: nil, zones: .system) } throws: {
      ($0 as? JobError)?.field == "maxConcurrent"
    }
  }

  @Test("A claim takes permits, and the end of the attempt gives back those that count attempts")
  func permits() throws {
    let rate = RateLimit(5, per: .seconds(1))
    let job = PlanSample.job { policy in
      (policy.rate, policy.group, policy.groupMaxConcurrent) = (rate, "g", 4)
    }
    guard case .run(let run) = plan(PlanSample.input(job)), let lease = run.lease else {
      Issue.record("The run was not claimed.")
      return
    }
    #expect(run.permits == [.group("g")])
    #expect(
      run.permitClaims(job.limits)
        == job.limits.map { .changeLedger($0.ledger, .take(LimitPermit(run.id, until: lease.expiresAt, $0))) })
    let ended = run.ended(.succeeded, at: now, retention: Retention(.days(1)))
    var stored = ended
    stored.permits = []
    #expect(
      ended.writesGivingPermitsBack(.fence(1))
        == [.putRun(stored, .fence(1)), .changeLedger(.group("g"), .give([run.id]))])
    #expect(
      [(ended, Version(3)), (ended, Version(4))].writesGivingPermitsBack.last
        == .changeLedger(.group("g"), .give([run.id, run.id])))
    #expect(PlanSample.run(.succeeded).writesGivingPermitsBack(.none) == [.putRun(PlanSample.run(.succeeded), .none)])
  }

  @Test(
    "A refused run waits without using up an attempt, or is early where its caller repeats it",
    arguments: [
      nil, PlanSample.run(.pending, attempt: 0), PlanSample.run(.scheduled, attempt: 2, failures: 2),
      PlanSample.run(.running, attempt: 1, leaseEnds: .zero) { $0.permits = [.job("job")] },
    ] as [Run?], [Trigger.task, .manual])
  func refused(_ stored: Run?, trigger: Trigger) {
    var input = PlanSample.input(run: stored, attempt: stored.map { $0.attempt + 1 }, trigger: trigger)
    input.refusal = refusal
    guard case .wait(let run) = plan(input) else {
      Issue.record("\(plan(input))")
      return
    }
    #expect((run.status, run.attempt, run.notBefore) == (.scheduled, stored?.attempt ?? 0, refusal.retryAt))
    #expect((run.waitsFor, run.reason, run.permits) == (.job("job"), "It is full.", []))
    #expect(run.reenqueues == (stored?.reenqueues ?? 0) + 1)
    #expect(stored?.status != .running || run.fence > stored?.fence ?? 0)
    let limit = JobLimit(.job("job"), maxConcurrent: 1)
    #expect(
      run.enlistment([limit])
        == [.changeLedger(.job("job"), .enlist(LimitPermit(run.id, until: run.notBefore, limit)))])
    #expect(run.enlistment([]).isEmpty)
    input.settings = PlanSettings(owner: "instance", retryOwner: .caller)
    #expect(plan(input) == .early(until: refusal.retryAt))
  }

  @Test(
    "An occurrence that a pass finds waits too; a job that skips overlapping runs has it as its latest",
    arguments: [(OverlapPolicy.skip, true), (.queue, false), (.allow, false)])
  func pass(overlap: OverlapPolicy, isLatest: Bool) throws {
    let job = PlanSample.job(.periodic) { $0.overlap = overlap }
    var input = PlanSample.pass(job, nextRun: now)
    input.refusal = refusal
    let plan = planPass(input)
    let run = try #require(plan.run)
    #expect((run.status, run.waitsFor, run.notBefore) == (.scheduled, .job("job"), refusal.retryAt))
    #expect((plan.patch.fields["lastRunId"] != nil) == isLatest)
    #expect(run.woken(PlanSample.settings, at: now + .seconds(1)).notBefore == now + .seconds(1))
  }
}
