import CloudJobsCore
import Testing

/// A due job under a misfire policy, and which time is served.
///
/// Times are minutes past 10:00; the job runs every five.
struct MisfireCase: CustomTestStringConvertible, Sendable {
  var policy: MisfirePolicy
  var due: Int
  /// Seconds past 10:00.
  var now: Int
  var slot: Int?
  var next: Int

  init(_ policy: MisfirePolicy, due: Int, now: Int, slot: Int?, next: Int) {
    (self.policy, self.due, self.now, self.slot, self.next) = (policy, due, now, slot, next)
  }

  var testDescription: String { "\(policy.text), due at \(due) min, now \(now) s" }

  static let all = [
    MisfireCase(.once, due: 0, now: 0, slot: 0, next: 5),
    MisfireCase(.once, due: 0, now: 299, slot: 0, next: 5),
    MisfireCase(.once, due: 0, now: 300, slot: 5, next: 10),
    MisfireCase(.once, due: 0, now: 3_601, slot: 60, next: 65),
    MisfireCase(.skip, due: 0, now: 1, slot: 0, next: 5),
    MisfireCase(.skip, due: 0, now: 3_601, slot: 60, next: 65),
    MisfireCase(.catchUp(1), due: 0, now: 1_200, slot: 20, next: 25),
    MisfireCase(.catchUp(3), due: 0, now: 1_200, slot: 10, next: 15),
    MisfireCase(.catchUp(3), due: 15, now: 1_200, slot: 15, next: 20),
    MisfireCase(.catchUp(5), due: 0, now: 1_200, slot: 0, next: 5),
    MisfireCase(.catchUp(6), due: 0, now: 1_200, slot: 0, next: 5),
    MisfireCase(.catchUp(-1), due: 0, now: 1_200, slot: 20, next: 25),
    MisfireCase(.catchUp(.max), due: 0, now: 1_200, slot: 0, next: 5),
  ]
}

@Suite("Plan of a pass")
struct PassPlanTests {
  private let hour = PlanSample.now

  @Test("The misfire policy chooses the time", arguments: MisfireCase.all)
  func misfire(_ row: MisfireCase) {
    let job = PlanSample.job(.periodic, cron: "*/5 * * * *") { $0.misfire = row.policy }
    let plan = planPass(
      PlanSample.pass(job, nextRun: hour + .minutes(row.due), epoch: 6, now: hour + .seconds(row.now)))
    let slot = row.slot.map { hour + .minutes($0) }
    #expect(plan.scheduledFor == slot)
    #expect(plan.run?.scheduledFor == slot)
    #expect(plan.run?.id == slot.map { RunID(job: "job", occurrence: .scheduledFor($0)) })
    #expect(plan.patch.fields["nextRun"] == .string((hour + .minutes(row.next)).description))
    #expect(plan.patch.fields["epoch"] == 7)
    #expect(plan.isStillDue == (row.next * 60 <= row.now))
  }

  @Test(
    "Skipping drops what is later than the grace span",
    arguments: [
      (Duration.minutes(5), true), (.minutes(5) + .microseconds(1), false), (.minutes(5) - .microseconds(1), true),
    ])
  func grace(late: Duration, runs: Bool) {
    let job = PlanSample.job(.periodic, cron: "@daily") { $0.misfire = .skip }
    let due = PlanSample.time("2026-11-21T00:00:00Z")
    let plan = planPass(PlanSample.pass(job, nextRun: due, now: due + late))
    #expect((plan.run != nil) == runs)
    #expect(plan.skip?.status == (runs ? nil : .skippedMisfire))
    #expect(plan.scheduledFor == due)
    #expect(plan.patch.fields["nextRun"] == "2026-11-22T00:00:00Z")
    #expect(plan.patch.fields["status"] == (runs ? nil : "skippedMisfire"))
  }

  @Test("The grace span is that of the settings", arguments: [0, 1, 30])
  func otherGrace(minutes: Int) {
    let job = PlanSample.job(.periodic, cron: "@daily") { $0.misfire = .skip }
    let due = PlanSample.time("2026-11-21T00:00:00Z")
    for (late, runs) in [(Duration.minutes(minutes), true), (.minutes(minutes) + .microseconds(1), false)] {
      var input = PlanSample.pass(job, nextRun: due, now: due + late)
      input.settings.misfireGrace = .minutes(minutes)
      #expect((planPass(input).run != nil) == runs)
    }
  }

  @Test("A job that is due just now runs; one that is not yet due does not")
  func boundary() {
    let job = PlanSample.job(.periodic)
    let claimed = planPass(PlanSample.pass(job, nextRun: hour)).run
    #expect((claimed?.status, claimed?.attempt, claimed?.fence) == (.running, 1, 1))
    let later = planPass(PlanSample.pass(job, nextRun: hour + .microseconds(1)))
    #expect(later.run == nil)
    #expect(later.patch.fields["nextRun"] == .string((hour + .microseconds(1)).description))
    #expect(planPass(PlanSample.pass(job, nextRun: nil)).run == nil)
  }

  @Test(
    "A missed time waits for the run of an earlier one, which is also late; one that came while it ran is skipped",
    arguments: [
      (MisfirePolicy.catchUp(3), 10, 5, true), (.catchUp(3), 10, 0, true), (.catchUp(3), 3, 0, false),
      (.catchUp(3), 5, 5, false), (.once, 10, 5, false), (.skip, 10, 5, false),
    ])
  func missedOverlap(misfire: MisfirePolicy, created: Int, previous: Int, waits: Bool) {
    let job = PlanSample.job(.periodic, cron: "*/5 * * * *") {
      ($0.misfire, $0.overlap) = (misfire, .skip)
    }
    // The times 5 and 10 were missed.
    var run = PlanSample.run(.running)
    (run.createdAt, run.scheduledFor) = (hour + .minutes(created), hour + .minutes(previous - 5))
    run.wakeAt = hour + .hours(1)
    let plan = planPass(
      PlanSample.pass(job, nextRun: hour + .minutes(5), previous: run, now: hour + .minutes(11)))
    #expect(plan.run == nil)
    #expect((plan.waitsForRun == run.id) == waits && (plan.skip?.status == .skippedOverlap) == !waits)
    #expect(plan.isStillDue == (waits || misfire == .catchUp(3)))
    if waits { #expect(plan.patch.fields == [:] && plan.scheduledFor == hour + .minutes(5)) }
    run.status = .succeeded
    #expect(
      planPass(
        PlanSample.pass(job, nextRun: hour + .minutes(5), previous: run, now: hour + .minutes(11))
      ).run != nil)
  }

  @Test("While an earlier run is under way, the overlap policy decides", arguments: OverlapPolicy.allCases)
  func overlap(_ policy: OverlapPolicy) {
    let job = PlanSample.job(.periodic) { $0.overlap = policy }
    let plan = planPass(PlanSample.pass(job, nextRun: hour, previous: PlanSample.run(.running)))
    switch policy {
    case .skip:
      #expect((plan.run, plan.skip?.status) == (nil, .skippedOverlap))
    case .queue:
      #expect((plan.run?.status, plan.run?.notBefore) == (.scheduled, hour + .seconds(30)))
      // The run that executes stays the latest: else the one behind this would wait for it, and this one for that.
      #expect(plan.patch.fields["lastRunId"] == nil)
    case .allow:
      #expect(plan.run?.status == .running)
    }
    #expect(planPass(PlanSample.pass(job, nextRun: hour, previous: PlanSample.run(.failed))).run?.status == .running)
  }

  @Test("A job that is disabled, ended or of another kind leaves the list of what is due")
  func leaves() {
    let disabled = planPass(PlanSample.pass(PlanSample.job(.periodic) { $0.enabled = false }, nextRun: hour))
    #expect((disabled.run, disabled.skip?.status) == (nil, .skippedDisabled))
    #expect(disabled.patch.fields["nextRun"] == .null)
    #expect(disabled.patch.fields["status"] == "skippedDisabled")
    let ended = PlanSample.job(.periodic) { $0.endAt = .day(PlanSample.day("2026-11-20")) }
    let plan = planPass(PlanSample.pass(ended, nextRun: hour))
    #expect((plan.run, plan.skip?.status, plan.scheduledFor) == (nil, .skippedEnded, hour))
    #expect(plan.patch.fields["nextRun"] == .null)
    let endpoint = planPass(PlanSample.pass(PlanSample.job(.endpoint), nextRun: hour))
    #expect((endpoint.run, endpoint.skip, endpoint.patch.fields["nextRun"]) == (nil, nil, .null))
  }

  @Test("The last day counts whole, in the job's zone")
  func lastDay() {
    let job = PlanSample.job(.periodic, cron: "*/5 * * * *", in: "Pacific/Auckland") {
      $0.endAt = .day(PlanSample.day("2026-11-21"))
    }
    let midnight = PlanSample.time("2026-11-21T11:00:00Z")
    #expect(planPass(PlanSample.pass(job, nextRun: midnight - .minutes(5), now: midnight - .minutes(5))).run != nil)
    #expect(planPass(PlanSample.pass(job, nextRun: midnight, now: midnight)).skip?.status == .skippedEnded)
  }

  @Test("Before its start, a job waits for the first time from the start on")
  func notStarted() {
    let job = PlanSample.job(.periodic, cron: "@hourly") { $0.startAt = .day(PlanSample.day("2026-12-01")) }
    let plan = planPass(PlanSample.pass(job, nextRun: hour))
    #expect(plan.skip?.status == .skippedNotStarted)
    #expect(plan.patch.fields["nextRun"] == "2026-12-01T00:00:00Z")
    let instant = PlanSample.job(.periodic, cron: "@hourly") {
      $0.startAt = .instant(PlanSample.time("2026-12-01T07:00:00Z"))
    }
    #expect(planPass(PlanSample.pass(instant, nextRun: hour)).patch.fields["nextRun"] == "2026-12-01T07:00:00Z")
  }

  @Test("Skipped days and failed dependencies let the time pass")
  func skipped() {
    let job = PlanSample.job(.periodic) { $0.skipDates = [.day(PlanSample.day("2026-11-21"))] }
    let day = planPass(PlanSample.pass(job, nextRun: hour))
    #expect((day.run, day.skip?.status) == (nil, .skippedDateExclusion))
    #expect(day.patch.fields["nextRun"] == "2026-11-21T10:05:00Z")
    let dependent = PlanSample.job(.periodic) { $0.dependencies = ["first"] }
    let input = PlanSample.pass(dependent, nextRun: hour, dependencies: ["first": .skippedOverlap])
    #expect(planPass(input).skip?.status == .skippedDependencyFailed)
    #expect(planPass(PlanSample.pass(dependent, nextRun: hour, dependencies: ["first": .success])).run != nil)
  }

  @Test("An edited schedule is planned anew, but a time that it shares with the old one is served")
  func edited() {
    let job = PlanSample.job(.periodic, cron: "30 * * * *")
    let moved = planPass(PlanSample.pass(job, nextRun: hour, plannedFor: "0 * * * * @ UTC"))
    #expect((moved.run, moved.scheduledFor) == (nil, hour))
    #expect(moved.patch.fields["nextRun"] == "2026-11-21T10:30:00Z")
    #expect(moved.patch.fields["plannedFor"] == job.planKey.map { .string($0) })
    let finer = PlanSample.job(.periodic, cron: "0,30 * * * *")
    let served = planPass(PlanSample.pass(finer, nextRun: hour, plannedFor: "0 * * * * @ UTC"))
    #expect(served.run?.scheduledFor == hour)
  }

  @Test("A one-shot runs once")
  func oneShot() {
    let job = PlanSample.job(.periodic, cron: "at 2026-11-21T10:00:00Z")
    let plan = planPass(PlanSample.pass(job, nextRun: hour))
    #expect(plan.run?.scheduledFor == hour)
    #expect((plan.patch.fields["nextRun"], plan.patch.fields["plannedFor"]) == (.null, .null))
    #expect(!plan.isStillDue)
  }
}
