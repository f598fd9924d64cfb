import CloudJobsCore
import Testing

@Suite("Reconciliation")
struct ReconcileTests {
  private let now = PlanSample.now

  private func state(nextRun: Timestamp?, plannedFor: String?, quarantine: String? = nil) -> JobState {
    var state = JobState()
    (state.nextRun, state.plannedFor, state.quarantine) = (nextRun, plannedFor, quarantine)
    return state
  }

  @Test("A new job gets its first time, its zone and start heeded")
  func new() {
    let job = PlanSample.job(.periodic, cron: "0 9 * * *", in: "America/New_York")
    #expect(
      reconcile(job, state: nil, now: now)?.fields
        == ["nextRun": "2026-11-21T14:00:00Z", "plannedFor": "0 9 * * * @ America/New_York"])
    let later = PlanSample.job(.periodic, cron: "0 9 * * *", in: "America/New_York") {
      $0.startAt = .day(PlanSample.day("2026-12-01"))
    }
    #expect(reconcile(later, state: nil, now: now)?.fields["nextRun"] == "2026-12-01T14:00:00Z")
  }

  @Test("What is planned stays, also where the older runtime planned it")
  func planned() {
    let job = PlanSample.job(.periodic)
    #expect(reconcile(job, state: state(nextRun: now, plannedFor: job.planKey), now: now) == nil)
    #expect(reconcile(job, state: state(nextRun: now, plannedFor: nil), now: now) == nil)
  }

  @Test("A time that the store does not list is written again as it is, and none is made up")
  func unlisted() {
    let job = PlanSample.job(.periodic)
    for key in [job.planKey, nil] {
      let patch = reconcile(job, state: state(nextRun: now, plannedFor: key), isListed: false, now: now)
      #expect(patch?.fields == ["nextRun": "2026-11-21T10:00:00Z"])
    }
    let endpoint = PlanSample.job(.endpoint)
    #expect(reconcile(endpoint, state: state(nextRun: nil, plannedFor: nil), isListed: false, now: now) == nil)
  }

  @Test("Jobs that the pass does not run, or that are disabled or ended, get none")
  func none() {
    for job in [
      PlanSample.job(.endpoint), PlanSample.job(.scheduled, cron: "@hourly"),
      PlanSample.job(.periodic) { $0.enabled = false },
      PlanSample.job(.periodic) { $0.endAt = .day(PlanSample.day("2026-11-20")) },
      PlanSample.job(.periodic, cron: "at 2026-11-21T10:00:00Z"),
    ] {
      #expect(reconcile(job, state: nil, now: now) == nil)
      #expect(firstRun(of: job, after: now) == nil)
    }
  }

  @Test("An edit of schedule, zone or start is noticed")
  func edits() {
    let old = PlanSample.job(.periodic, cron: "@hourly")
    let planned = state(nextRun: now + .hours(1), plannedFor: old.planKey)
    let edits = [
      PlanSample.job(.periodic, cron: "0,30 * * * *"), PlanSample.job(.periodic, cron: "@hourly", in: "Asia/Kolkata"),
      PlanSample.job(.periodic, cron: "@hourly") { $0.startAt = .instant(now + .hours(7)) },
    ]
    #expect(
      edits.map { reconcile($0, state: planned, now: now)?.fields["nextRun"] }
        == ["2026-11-21T10:30:00Z", "2026-11-21T10:30:00Z", "2026-11-21T17:00:00Z"])
  }

  @Test("A start that is taken back brings the next time forward")
  func startRemoved() {
    let late = PlanSample.job(.periodic, cron: "@hourly") { $0.startAt = .day(PlanSample.day("2030-01-01")) }
    let planned = state(nextRun: firstRun(of: late, after: now), plannedFor: late.planKey)
    let job = PlanSample.job(.periodic, cron: "@hourly")
    #expect(reconcile(job, state: planned, now: now)?.fields["nextRun"] == "2026-11-21T11:00:00Z")
  }

  @Test("Where old and new schedule agree on the next time, the edit is noted all the same")
  func sameTime() {
    let job = PlanSample.job(.periodic, cron: "*/10 * * * *")
    let patch = reconcile(job, state: state(nextRun: now + .minutes(10), plannedFor: "*/5 * * * * @ UTC"), now: now)
    #expect(patch?.fields == ["plannedFor": "*/10 * * * * @ UTC"])
  }

  @Test("A document that has been mended leaves quarantine and is planned")
  func mended() {
    let job = PlanSample.job(.periodic)
    let patch = reconcile(job, state: state(nextRun: nil, plannedFor: nil, quarantine: "cron"), now: now)
    #expect(patch?.fields["quarantine"] == .null)
    #expect(patch?.fields["nextRun"] == "2026-11-21T10:05:00Z")
  }
}
