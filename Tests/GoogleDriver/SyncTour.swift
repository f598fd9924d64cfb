#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle

/// Sync from one state to the next: all that it makes, changes and deletes; in the end there is nothing to do.
enum SyncTour {
  static func run(_ tasks: CloudTasksConfiguration, in google: GoogleCloud) async throws {
    var configuration = CloudSyncConfiguration(tasks)
    var mail = QueueSettings()
    mail.maxDispatchesPerSecond = 50
    mail.maxConcurrentDispatches = 10
    mail.minBackoff = .milliseconds(250)
    configuration.queues["mail"] = mail
    try await sync(
      configuration, in: google, [job("report"), job("paused", isEnabled: false), job("send", queue: "mail")])

    mail.maxAttempts = -1
    mail.maxConcurrentDispatches = 20
    configuration.queues["mail"] = mail
    configuration.masterSchedule = "*/2 * * * *"
    let jobs = [
      job("report", "15 4 * * 1", in: "Europe/Berlin", isEnabled: false), job("paused"), job("send", queue: "mail"),
    ]
    try await sync(configuration, in: google, jobs)

    // The second time all of it is there, or gone, already, as after an answer that was lost.
    let sync = CloudSync(configuration, in: google)
    var plan = try await sync.plan(JobDocuments(definitions: [job("report"), job("new")]))
    plan.changes.removeAll { $0.action != .create && $0.action != .delete }
    for _ in 1...2 { try await sync.apply(plan) }
    try await Self.sync(configuration, in: google, [])
  }

  /// Makes more jobs than a page of a list has.
  static func runBeyondOnePage(_ tasks: CloudTasksConfiguration, in google: GoogleCloud) async throws {
    try await sync(CloudSyncConfiguration(tasks), in: google, try (0..<501).map { job(try JobID("many-\($0)")) })
  }

  private static func sync(
    _ configuration: CloudSyncConfiguration, in google: GoogleCloud, _ jobs: [JobDefinition]
  ) async throws {
    let sync = CloudSync(configuration, in: google)
    let documents = JobDocuments(definitions: jobs)
    try await sync.sync(documents)
    let rest = try await sync.plan(documents)
    guard rest.isEmpty else { throw JobError(.internalError, "A second sync is to find nothing to do: \(rest)") }
  }

  private static func job(
    _ id: JobID, _ cron: String = "0 2 * * *", in zone: String = "Etc/UTC", queue: String? = nil, isEnabled: Bool = true
  ) -> JobDefinition {
    var policy = JobPolicy()
    policy.queue = queue
    policy.enabled = isEnabled
    return JobDefinition(id: id, kind: .scheduled, schedule: .text(cron), timeZone: zone, policy: policy)
  }
}
#endif
