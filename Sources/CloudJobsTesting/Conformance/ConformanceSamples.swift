import CloudJobs
import CloudJobsCore

/// Documents that the cases write.
enum Samples {
  /// The run of a job's occurrence of some name.
  static func id(_ name: String, job: JobID = "sample") -> RunID {
    RunID(job: job, occurrence: .key(name))
  }

  /// A plain run.
  static func run(
    _ name: String, job: JobID = "sample", status: RunStatus = .pending,
    createdAt: Timestamp = ConformanceFixture.start,
    wakeAt: Timestamp? = nil, fence: Int64 = 0
  ) -> Run {
    var run = Run(
      id: id(name, job: job), job: job, trigger: .task, status: status, maxAttempts: 3, notBefore: createdAt,
      createdAt: createdAt)
    run.wakeAt = wakeAt
    run.fence = fence
    return run
  }

  /// A run in which every field is set.
  static func fullRun(_ name: String) -> Run {
    let time = ConformanceFixture.start
    var run = Run(
      id: id(name), job: "sample", trigger: .parent, input: JSONText(["to": "Zoë 🚀", "n": 1]), status: .running,
      maxAttempts: 7, scheduledFor: time + .microseconds(1), notBefore: time + .microseconds(2),
      createdAt: time + .microseconds(3))
    run.output = JSONText([1, 2.5, nil])
    run.attempt = 4
    run.attemptLimit = 9
    run.startedAt = time + .microseconds(4)
    run.finishedAt = time + .microseconds(5)
    run.attemptStartedAt = time + .microseconds(8)
    run.earlierAttempts = [
      RunAttempt(
        number: 2, startedAt: time + .microseconds(4), endedAt: time + .seconds(1), outcome: .failed,
        failure: RunFailure(kind: "timeout", message: "too \"slow\" é")),
      RunAttempt(number: 3, startedAt: time + .seconds(2), endedAt: time + .seconds(3), outcome: .interrupted),
    ]
    run.lease = Lease(owner: "instance \"A\" \\ é", token: 12, expiresAt: time + .microseconds(6))
    run.fence = 12
    run.reenqueues = 2
    run.wakeAt = time + .microseconds(7)
    run.failure = RunFailure(kind: "timeout", message: "line one\nline two\t\u{1}\u{0}end")
    run.reason = "waits for 日本語"
    run.correlationID = "cause-1"
    run.parent = id("parent")
    run.uniqueKey = "invoice/42"
    run.queue = "mail"
    run.priority = -5
    run.metadata = ["team": "billing", "deep": ["a": [1, 2.5, nil, true]]]
    run.permits = [.job("sample"), .group("any / group")]
    run.waitsFor = .job("sample")
    run.expireAt = time + .days(31)
    return run
  }

  /// A configuration in which every field is set.
  static var fullConfiguration: JobConfiguration {
    var configuration = JobConfiguration()
    configuration.type = .periodic
    configuration.enabled = true
    configuration.cron = "0 2 * * *"
    configuration.interval = .seconds(90)
    configuration.input = ["region": "eu", "sizes": [1, 2.5]]
    configuration.timeZone = "Europe/Berlin"
    configuration.startAt = CivilDate("2026-01-02").map { .day($0) }
    configuration.endAt = .instant(ConformanceFixture.start + .days(90))
    configuration.skipDates = [.instant(ConformanceFixture.start)] + (CivilDate("2026-12-25").map { [.day($0)] } ?? [])
    configuration.dependencies = ["first", "second"]
    configuration.priority = -3
    configuration.maxRetries = 5
    configuration.timeout = .seconds(30)
    configuration.group = "mail"
    configuration.misfire = .skip
    configuration.overlap = .skip
    configuration.queue = "bulk"
    configuration.maxConcurrent = 4
    configuration.rate = RateLimit(10, per: .seconds(60))
    configuration.groupMaxConcurrent = 8
    configuration.metadata = ["weight": 2.5, "tags": ["a", nil, ["deep": true]], "text": "ü\u{0}\"\\"]
    return configuration
  }

  /// A configuration that differs from others in its group.
  static func configuration(_ group: String) -> JobConfiguration {
    var configuration = JobConfiguration()
    configuration.enabled = true
    configuration.group = group
    return configuration
  }

  /// A patch in which every field is set.
  static var fullPatch: JobStatePatch {
    let time = ConformanceFixture.start
    var patch = JobStatePatch()
    patch.set(lastRun: time + .microseconds(1))
    patch.set(nextRun: time + .microseconds(2))
    patch.set(status: .success)
    patch.set(retries: 2)
    patch.set(epoch: .max)
    patch.set(lastRunID: id("last"))
    patch.set(lastDuration: .milliseconds(1_234))
    patch.set(consecutiveFailures: 3)
    patch.set(plannedFor: "0 2 * * *|Europe/Berlin")
    patch.set(quarantine: "cron: not \"valid\"")
    return patch
  }

  /// A patch of the count of occasions.
  static func epoch(_ epoch: Int64) -> JobStatePatch {
    var patch = JobStatePatch()
    patch.set(epoch: epoch)
    return patch
  }

  /// A patch of the time of the next look.
  static func nextRun(_ time: Timestamp?) -> JobStatePatch {
    var patch = JobStatePatch()
    patch.set(nextRun: time)
    return patch
  }

  /// An entry of the journal.
  static func entry(_ id: String, _ time: Timestamp, owner: String = "instance") -> PassJournalEntry {
    PassJournalEntry(
      id: id, time: time, owner: owner,
      lines: [
        PassJournalEntry.Line(
          job: "sample", scheduledFor: time, verdict: "run", reason: "it is due — ☂", run: Samples.id(id),
          missed: PassJournalEntry.MissedTimes(since: time - .hours(1), policy: .catchUp(3))),
        PassJournalEntry.Line(
          job: "broken / id", scheduledFor: nil, verdict: "quarantined", reason: "cron\u{0}\n",
          plan: PassJournalEntry.JobPlan(nextRun: nil, schedule: nil)),
        PassJournalEntry.Line(
          job: "planned", scheduledFor: nil, verdict: "planned", reason: "It may run.",
          plan: PassJournalEntry.JobPlan(nextRun: time, schedule: "1h @ Etc/UTC")),
      ], actor: "Ada \"☂\"")
  }
}
