#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle

/// Every kind of request of the sync: creations, updates and deletions, with an empty plan at the end.
enum SyncRequests {
  static func send(_ tasks: CloudTasksConfiguration, in google: GoogleCloud) async throws {
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

    // Applied twice, as after a lost response: the second time everything already exists or is already gone.
    let sync = CloudSync(configuration, in: google)
    guard try await sync.defaultQueue() != nil, try await sync.masterJob() != nil else {
      throw JobError(.internalError, "The queue or the master job is not found.")
    }
    var plan = try await sync.plan(JobDocuments(definitions: [job("report"), job("new")]))
    plan.changes.removeAll { $0.action != .create && $0.action != .delete }
    for _ in 1...2 { try await sync.apply(plan) }
    try await Self.sync(configuration, in: google, [])
  }

  /// Creates more jobs than fit on one page of a list.
  static func sendMoreThanOnePage(_ tasks: CloudTasksConfiguration, in google: GoogleCloud) async throws {
    try await sync(CloudSyncConfiguration(tasks), in: google, try (0..<501).map { job(try JobID("many-\($0)")) })
  }

  private static func sync(
    _ configuration: CloudSyncConfiguration, in google: GoogleCloud, _ jobs: [JobDefinition]
  ) async throws {
    let sync = CloudSync(configuration, in: google)
    let documents = JobDocuments(definitions: jobs)
    try await sync.sync(documents)
    let rest = try await sync.plan(documents)
    guard rest.isEmpty else { throw JobError(.internalError, "The second sync still plans changes: \(rest)") }
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
