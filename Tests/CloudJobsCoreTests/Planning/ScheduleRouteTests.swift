import CloudJobsCore
import Testing

@Suite("What fires a schedule")
struct ScheduleRouteTests {
  @Test(
    "Kind, owner, trigger and schedule decide",
    arguments: [
      (JobKind.endpoint, nil, ScheduleTrigger.cloudScheduler, ScheduleOwner.cloudScheduler, "none"),
      (.endpoint, nil, .masterPass, .masterPass, "none"),
      (.scheduled, nil, .cloudScheduler, .cloudScheduler, "none"),
      (.periodic, "0 2 * * *", .cloudScheduler, .cloudScheduler, "pass: It is periodic."),
      (.periodic, "30s", .cloudScheduler, .masterPass, "pass: It is periodic."),
      (.scheduled, "0 2 * * *", .cloudScheduler, .cloudScheduler, "0 2 * * *"),
      (.scheduled, "@daily", .cloudScheduler, .cloudScheduler, "0 0 * * *"),
      (.scheduled, "every monday 09:00", .cloudScheduler, .cloudScheduler, "every monday 09:00"),
      (.scheduled, "0 2 * * *", .masterPass, .cloudScheduler, "pass: Its trigger is masterPass."),
      (.scheduled, "0 2 * * *", .cloudScheduler, .masterPass, "pass: There is no Cloud Scheduler."),
      (.scheduled, "0 0 L * *", .cloudScheduler, .cloudScheduler, "pass: Cloud Scheduler can't express \"0 0 L * *\"."),
      (
        .scheduled, "*/10 * * * * *", .cloudScheduler, .cloudScheduler,
        "pass: Cloud Scheduler can't express \"*/10 * * * * *\"."
      ),
      (.scheduled, "30s", .cloudScheduler, .cloudScheduler, "pass: Cloud Scheduler can't express \"30s\"."),
    ] as [(JobKind, String?, ScheduleTrigger, ScheduleOwner, String)])
  func routes(kind: JobKind, cron: String?, trigger: ScheduleTrigger, owner: ScheduleOwner, expected: String) {
    let job = PlanSample.job(kind, cron: cron) { $0.trigger = trigger }
    let words =
      switch job.route(under: owner) {
      case .none: "none"
      case .cloudScheduler(let entry): entry.schedule
      case .masterPass(let reason): "pass: \(reason)"
      }
    #expect(words == expected)
    #expect(job.isRunByPass(under: owner) == expected.hasPrefix("pass"))
    #expect((firstRun(of: job, after: PlanSample.now, under: owner) != nil) == expected.hasPrefix("pass"))
  }

  @Test(
    "The deadline is the time limit with its margin, within 15 s and 30 min",
    arguments: [
      (1, 16), (0, 15), (60, 75), (1_785, 1_800), (1_786, 1_800), (86_400, 1_800),
    ])
  func deadlines(timeout: Int, deadline: Int) {
    let job = PlanSample.job(.scheduled, cron: "0 2 * * *", in: "Europe/Berlin") { $0.timeout = .seconds(timeout) }
    let entry = CloudSchedulerEntry(
      schedule: "0 2 * * *", timeZone: "Europe/Berlin", attemptDeadline: .seconds(deadline))
    #expect(job.route(under: .cloudScheduler) == .cloudScheduler(entry))
  }

  @Test("A job that the pass no longer fires loses its next time")
  func handedOver() {
    let job = PlanSample.job(.scheduled, cron: "0 2 * * *")
    var state = JobState()
    state.nextRun = PlanSample.now
    state.plannedFor = job.planKey
    #expect(reconcile(job, state: state, under: .masterPass, now: PlanSample.now) == nil)
    #expect(reconcile(job, state: state, under: .cloudScheduler, now: PlanSample.now)?.fields["nextRun"] == .null)
  }

  @Test(
    "A schedule that is finer than the master pass is told",
    arguments: [
      ("10s", true), ("59s", true), ("60s", false), ("1m30s", false), ("* * * * *", false), ("*/20 * * * * *", true),
      ("0 2 * * *", false),
    ])
  func minutes(schedule: String, isTold: Bool) {
    let note = PlanSample.job(.periodic, cron: schedule).minuteNote(after: PlanSample.now)
    #expect((note != nil) == isTold)
    #expect(note?.contains("job") ?? !isTold)
  }
}
