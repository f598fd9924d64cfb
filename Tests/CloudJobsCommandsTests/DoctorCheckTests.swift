import CloudJobs
import CloudJobsCore
import Testing

@testable import CloudJobsCommands

@Suite("The doctor's checks")
struct DoctorCheckTests {
  private static let now = Timestamp.epoch + .days(20_000)

  @Test(
    "A clock is judged by its difference from the store's time, apart from the time of the call",
    arguments: [
      (0, DoctorCheck.Verdict.ok), (3_000, .ok), (3_001, .warning), (-3_001, .warning), (59_999, .warning),
      (60_000, .failed), (-60_000, .failed),
    ])
  func clock(milliseconds: Int, verdict: DoctorCheck.Verdict) {
    let (before, after) = (Self.now, Self.now + .milliseconds(500))
    let store = (milliseconds < 0 ? before : after) + .milliseconds(milliseconds)
    let check = DoctorCheck.clock(store: store, before: before, after: after)
    #expect(check.verdict == verdict && (check.remedy == nil) == (verdict == .ok))
    let during = DoctorCheck.clock(store: before + .milliseconds(250), before: before, after: after)
    #expect(during.verdict == .ok && during.fact.contains("0 ms"))
  }

  @Test("Documents that can't be used fail, and those without code warn a program that has code")
  func jobs() {
    let plain: JSONValue = ["id": "a", "registered": true]
    let foreign: JSONValue = ["id": "b", "registered": false]
    let broken: JSONValue = ["id": "c", "registered": true, "fault": "cron: no such day"]
    #expect(DoctorCheck.jobs([], hasCode: true).verdict == .ok)
    #expect(DoctorCheck.jobs([plain, foreign], hasCode: false).verdict == .ok)
    let warned = DoctorCheck.jobs([plain, foreign], hasCode: true)
    #expect(warned.verdict == .warning && warned.remedy?.contains("unregister b") == true)
    let failed = DoctorCheck.jobs([plain, foreign, broken], hasCode: true)
    #expect(failed.verdict == .failed && failed.fact.contains("1 of 3") && failed.remedy?.contains("show c") == true)
  }

  @Test("Overdue work fails, with who should do it")
  func passes() {
    let oldest = Self.now - .minutes(5)
    #expect(DoctorCheck.passes(overdue: [], runs: 0, oldest: nil, at: Self.now, byWorkers: true).verdict == .ok)
    let local = DoctorCheck.passes(overdue: ["tick"], runs: 2, oldest: oldest, at: Self.now, byWorkers: true)
    #expect(local.verdict == .failed && local.fact == "1 job (tick) and 2 runs overdue, the first for 5 min.")
    #expect(local.remedy?.contains("`worker`") == true)
    let cloud = DoctorCheck.passes(overdue: [], runs: 1, oldest: oldest, at: Self.now, byWorkers: false)
    #expect(cloud.fact.hasPrefix("1 run overdue") && cloud.remedy?.contains("/jobs/master") == true)
  }

  @Test("No worker fails where there is work, and a lost one warns")
  func workers() {
    func status(_ name: String, seenAt time: Timestamp) -> WorkerStatus {
      let record = WorkerRecord(
        name: name, owner: name, startedAt: Self.now - .hours(1), staleAfter: .seconds(60), concurrency: 4)
      return WorkerStatus(id: name, record, seenAt: time, at: Self.now)
    }
    let alive = status("A", seenAt: Self.now)
    let lost = status("B", seenAt: Self.now - .minutes(5))
    #expect(DoctorCheck.workers([], hasWork: false, byWorkers: true).verdict == .warning)
    #expect(DoctorCheck.workers([], hasWork: true, byWorkers: true).verdict == .failed)
    #expect(DoctorCheck.workers([], hasWork: true, byWorkers: false).verdict == .skipped)
    #expect(DoctorCheck.workers([alive], hasWork: true, byWorkers: true).verdict == .ok)
    let warned = DoctorCheck.workers([alive, lost], hasWork: true, byWorkers: true)
    #expect(warned.verdict == .warning && warned.fact.contains("B"))
    let failed = DoctorCheck.workers([lost], hasWork: true, byWorkers: true)
    #expect(failed.verdict == .failed && failed.fact.contains("lost: B"))
  }

  @Test(
    "A queue and a job of Cloud Scheduler must exist, run, and have succeeded lately",
    arguments: [
      (nil, DoctorCheck.Verdict.failed), (["state": "RUNNING"], .ok), (["state": "PAUSED"], .failed),
    ] as [(JSONValue?, DoctorCheck.Verdict)])
  func queue(value: JSONValue?, verdict: DoctorCheck.Verdict) {
    #expect(DoctorCheck.queue(value, name: "default").verdict == verdict)
  }

  @Test("The job of the master pass must be enabled, and have fired lately without an error")
  func scheduler() {
    func verdict(_ job: JSONValue?) -> DoctorCheck.Verdict {
      DoctorCheck.scheduler(job, name: "master", at: Self.now).verdict
    }
    let recent = JSONValue.string("\(Self.now - .minutes(1))")
    #expect(verdict(JSONValue?.none) == .failed)
    #expect(verdict(["state": "ENABLED"]) == .ok)
    #expect(verdict(["state": "PAUSED"]) == .failed)
    #expect(verdict(["state": "ENABLED", "lastAttemptTime": recent]) == .ok)
    #expect(verdict(["state": "ENABLED", "lastAttemptTime": recent, "status": ["code": 7]]) == .failed)
    let old = JSONValue.string("\(Self.now - .minutes(11))")
    #expect(verdict(["state": "ENABLED", "lastAttemptTime": old]) == .warning)
  }

  @Test("Commands of gcloud in a remedy name the project and the location")
  func commands() {
    let check = DoctorCheck.queue(["state": "PAUSED"], name: "q").completingCommands(with: "--project p")
    #expect(check.remedy == "Resume it: `gcloud tasks queues resume q --project p`.")
    let other = DoctorCheck("jobs", .ok, "Well.").completingCommands(with: "--project p")
    #expect(other.remedy == nil)
  }

  @Test("A report fits a width, with each remedy below its fact")
  func report() {
    let report = DoctorReport(
      checks: [
        DoctorCheck("store", .ok, "It answers."),
        DoctorCheck("workers", .failed, "No worker has been heard of since yesterday.", "Start one of them again."),
      ], store: "sqlite:x")
    let lines = report.lines(width: 40).map { Colours.rendered($0, hasColours: false) }
    #expect(lines.allSatisfy { $0.count <= 40 }, "\(lines)")
    #expect(lines[0] == "ok       store    It answers." && lines[1].hasPrefix("failed   workers  No worker"))
    #expect(lines.last == "1 failed, 0 warning, 1 ok, 0 skipped.")
    #expect(Colours.rendered(report.lines(width: nil)[1], hasColours: true).hasPrefix("\u{1B}[31mfailed\u{1B}[0m"))
    #expect(report.json["healthy"]?.bool == false)
  }

  @Test("Durations are told in the largest unit that fits")
  func durations() {
    let spans: [(Duration, String)] = [
      (.zero, "0 ms"), (.milliseconds(999), "999 ms"), (.seconds(119), "119 s"), (.seconds(120), "2 min"),
      (.hours(2), "2 h"), (.days(2), "2 days"),
    ]
    for (span, text) in spans { #expect(DoctorCheck.text(span) == text) }
  }
}
