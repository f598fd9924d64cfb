import CloudJobsCore
import Testing

@Suite("Plan of a delivery")
struct PlanTests {
  @Test("A delivery meets a run", arguments: PlanCase.all)
  func decides(_ row: PlanCase) {
    #expect(PlanSample.words(plan(row.input)) == row.expected)
  }

  @Test("A claim holds a lease as long as the time limit and its margin")
  func claims() {
    let job = PlanSample.job { $0.timeout = .seconds(30) }
    let earlier = PlanSample.run(.scheduled, attempt: 2, failures: 1)
    guard case .run(let run) = plan(PlanSample.input(job, run: earlier, attempt: 3)) else {
      Issue.record("It does not run.")
      return
    }
    #expect(run.status == .running)
    #expect((run.attempt, run.failures, run.fence) == (3, 1, 3))
    #expect(run.startedAt == earlier.startedAt)
    #expect(run.lease == Lease(owner: "instance", token: 3, expiresAt: PlanSample.now + .seconds(45)))
    #expect(run.wakeAt == run.lease?.expiresAt)
  }

  @Test("A new run keeps what the delivery says")
  func firstRun() {
    var input = PlanSample.input(PlanSample.job { $0.queue = "slow" }, scheduledFor: PlanSample.now - .seconds(5))
    input.delivery.payload = JSONText(["a": 1])
    input.delivery.correlationID = "cause"
    (input.delivery.timeout, input.delivery.priority) = (.seconds(7), 4)
    input.job.policy.metadata = ["team": "billing", "tier": 1]
    input.delivery.metadata = ["tier": 2]
    guard case .run(let run) = plan(input) else {
      Issue.record("It does not run.")
      return
    }
    #expect(run.id == input.runID)
    #expect(run.input == input.delivery.payload)
    #expect((run.correlationID, run.uniqueKey, run.queue) == ("cause", "one", "slow"))
    #expect((run.attempt, run.fence, run.startedAt) == (1, 1, PlanSample.now))
    #expect((run.timeout, run.priority, run.metadata) == (.seconds(7), 4, ["team": "billing", "tier": 2]))
    #expect(run.scheduledFor == PlanSample.now - .seconds(5))
  }

  @Test("A crash counts as a failure with its reason")
  func crash() {
    guard case .run(let run) = plan(PlanSample.input(run: PlanSample.run(.running, leaseEnds: .zero))) else {
      Issue.record("It does not run.")
      return
    }
    #expect((run.failures, run.failure?.kind) == (1, "leaseLost"))
  }

  @Test("What a crashed attempt brings late is refused after its run was buried or cancelled")
  func fenceGrows() {
    let crashed = PlanSample.run(.running, attempt: 3, failures: 2, leaseEnds: .zero)
    guard case .deadLetter(let buried) = plan(PlanSample.input(run: crashed)),
      case .skip(_, let cancelled?) = plan(
        PlanSample.input(PlanSample.job { $0.enabled = false }, run: PlanSample.run(.running, leaseEnds: .zero)))
    else {
      Issue.record("It is neither buried nor cancelled.")
      return
    }
    #expect((buried.status, buried.fence, buried.wakeAt, buried.lease) == (.failed, 4, nil, nil))
    #expect(buried.reason == "All 3 attempts are used up.")
    #expect((cancelled.status, cancelled.fence, cancelled.reason) == (.cancelled, 2, "The job is disabled."))
  }

  @Test("A run that waits for its turn gets a task of another name")
  func waitingName() {
    let job = PlanSample.job { $0.overlap = .queue }
    let first = PlanSample.input(job, previous: PlanSample.run(.running))
    guard case .wait(let once) = plan(first),
      case .wait(let twice) = plan(
        PlanSample.input(
          job, run: once, attempt: 1, previous: PlanSample.run(.running), now: PlanSample.now + .seconds(30)))
    else {
      Issue.record("It does not wait.")
      return
    }
    #expect(once.notBefore == PlanSample.now + .seconds(30))
    #expect(Set([PlanSample.run(.pending, attempt: 0).nextTaskName, once.nextTaskName, twice.nextTaskName]).count == 3)
  }

  @Test("What an operator repeats waits for a run under way, where a new run of the same job is skipped")
  func redrivenOverlap() throws {
    let job = PlanSample.job(.periodic) { $0.overlap = .skip }
    let failed = PlanSample.run(.failed, attempt: 3)
    let again = try planRedrive(of: failed, policy: job.policy, settings: PlanSample.settings, now: PlanSample.now)
    var new = again
    new.parent = nil
    func words(_ run: Run, _ previous: Run?) -> String {
      var input = PlanSample.input(job, run: run, attempt: 1, previous: previous)
      input.runID = run.id
      return PlanSample.words(plan(input))
    }
    #expect(words(again, PlanSample.run(.scheduled)).hasPrefix("wait"))
    #expect(words(again, PlanSample.run(.succeeded)) == "run 1" && words(again, nil) == "run 1")
    #expect(words(new, PlanSample.run(.scheduled)) == "skippedOverlap, cancelled")
  }

  @Test("A repeated attempt waits while the next run of a job without overlaps is under way", arguments: [false, true])
  func repeatedOverlap(hasCrashed: Bool) {
    let run =
      hasCrashed ? PlanSample.run(.running, leaseEnds: .zero) : PlanSample.run(.scheduled, attempt: 1, failures: 1)
    func words(_ overlap: OverlapPolicy, _ previous: Run?, _ trigger: Trigger = .schedule) -> String {
      var run = run
      run.trigger = trigger
      let job = PlanSample.job(.periodic) { $0.overlap = overlap }
      return PlanSample.words(plan(PlanSample.input(job, run: run, attempt: 2, previous: previous)))
    }
    let next = PlanSample.run(.running)
    #expect(words(.skip, next).hasPrefix("wait") && words(.queue, next).hasPrefix("wait"))
    #expect(words(.allow, next) == "run 2" && words(.skip, next, .manual) == "run 2")
    #expect(words(.skip, PlanSample.run(.succeeded)) == "run 2" && words(.skip, nil) == "run 2")
    // One whose end never came, a while after its lease, does not hold up others for ever.
    #expect(words(.skip, PlanSample.run(.running, leaseEnds: .minutes(-10))) == "run 2")
  }

  @Test("The margin of a lease is that of the settings", arguments: [0, 1, 15, 90])
  func margin(seconds: Int) {
    var input = PlanSample.input(PlanSample.job { $0.timeout = .seconds(30) })
    input.settings.leaseMargin = .seconds(seconds)
    guard case .run(let run) = plan(input) else {
      Issue.record("It does not run.")
      return
    }
    #expect(run.lease?.expiresAt == PlanSample.now + .seconds(30 + seconds))
  }
}
