#if HTTP && Server
import CloudJobs
import CloudJobsCore

@testable import CloudJobsGoogle

/// Jobs and documents for the tests of sync.
enum SyncSample {
  static let parent = "projects/p/locations/l"

  static var configuration: CloudSyncConfiguration {
    var tasks = CloudTasksConfiguration(
      project: "p", location: "l", queue: "default", handler: "https://service.example/jobs")
    tasks.serviceAccount = "runner@p.iam.gserviceaccount.com"
    return CloudSyncConfiguration(tasks)
  }

  static func scheduled(_ id: JobID = "report", _ cron: String, in zone: String = "Etc/UTC") -> JobDefinition {
    JobDefinition(id: id, kind: .scheduled, schedule: .text(cron), timeZone: zone)
  }

  static func documents(_ definitions: [JobDefinition], _ fields: [JobID: JSONValue] = [:]) -> JobDocuments {
    var documents = JobDocuments(definitions: definitions)
    for (id, fields) in fields {
      documents.documents[id] = Result { () throws(JobError) in try JobDocument(id: id, fields: fields) }
    }
    return documents
  }

  /// What the location holds after a plan was applied, as a service would answer it.
  static func inventory(after plan: SyncPlan) -> CloudInventory {
    var inventory = CloudInventory()
    for change in plan.changes where change.action != .delete {
      var fields = change.body.object ?? [:]
      fields["state"] = change.kind == .queue ? "RUNNING" : change.isPaused ? "PAUSED" : "ENABLED"
      switch change.kind {
      case .queue: inventory.queues[change.name] = .object(fields)
      case .schedulerJob: inventory.jobs[change.name] = .object(fields)
      }
    }
    return inventory
  }

  /// The plan's lines without those about the default queue and the master job.
  static func lines(_ plan: SyncPlan) -> [String] {
    plan.description.split(separator: "\n").map { String($0) }.filter {
      !$0.hasSuffix("queue default") && !$0.hasSuffix("cloud-jobs-cloud_jobs_master")
    }
  }
}
#endif
