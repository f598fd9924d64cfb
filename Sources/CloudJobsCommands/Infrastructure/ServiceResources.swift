#if Google
import CloudJobsCore
import CloudJobsGoogle

/// What a service needs on Google Cloud, as data: the script for gcloud and the configuration for Terraform print the
/// same resources with the same settings.
struct ServiceResources {
  /// The address that stands for Cloud Run's own, which is made of the service's name and the project's number.
  static let unknownURL = "https://service.invalid"

  /// A composite index: the field that is compared, before the time that orders the list.
  struct Index: Hashable {
    var collection: String
    var field: String
    var time: String
    var isAscending = false
    /// Whether the field is a list, of which one element is compared.
    var isList = false
  }

  /// A setting of a queue or of a job of Cloud Scheduler, by its names in each language.
  struct Setting {
    /// The option of gcloud.
    var flag: String
    /// The block of Terraform's argument; nil for one of the resource itself.
    var block: String?
    /// The argument of Terraform.
    var argument: String
    /// The path of the API's field.
    var path: [String]
  }

  /// A queue or a job of Cloud Scheduler.
  struct Resource {
    /// The last part of its name.
    var name: String
    /// The settings that it has, with their values.
    var settings: [(setting: Setting, value: JSONValue)]
    /// The path that Cloud Scheduler calls; empty for a queue.
    var path = ""
    /// Whether it is created paused.
    var isPaused = false
  }

  /// The services of Google Cloud that are called.
  static let services = ["cloudresourcemanager", "cloudscheduler", "cloudtasks", "firestore", "iam", "run"].map {
    "\($0).googleapis.com"
  }
  /// The composite indexes that lists of runs and the pass journal of a job need.
  static let indexes = [
    Index(collection: "runs", field: "job", time: "createdAt"),
    Index(collection: "runs", field: "status", time: "createdAt"),
    Index(collection: "runs", field: "correlationId", time: "createdAt"),
    Index(collection: "journal", field: "jobs", time: "time", isAscending: true, isList: true),
    Index(collection: "journal", field: "jobs", time: "time", isList: true),
  ]
  /// The fields that need no index, by their collections.
  static let plainFields = [
    ("runs", "input"), ("runs", "output"), ("runs", "error"), ("runs", "lease"), ("journal", "lines"),
  ]
  /// The collections whose documents are deleted after their time `expireAt`.
  static let expiring = ["runs", "effects"]
  /// The settings of queues.
  static let queueSettings = [
    Setting(
      flag: "max-attempts", block: "retry_config", argument: "max_attempts", path: ["retryConfig", "maxAttempts"]),
    Setting(
      flag: "max-retry-duration", block: "retry_config", argument: "max_retry_duration",
      path: ["retryConfig", "maxRetryDuration"]),
    Setting(flag: "min-backoff", block: "retry_config", argument: "min_backoff", path: ["retryConfig", "minBackoff"]),
    Setting(flag: "max-backoff", block: "retry_config", argument: "max_backoff", path: ["retryConfig", "maxBackoff"]),
    Setting(
      flag: "max-doublings", block: "retry_config", argument: "max_doublings", path: ["retryConfig", "maxDoublings"]),
    Setting(
      flag: "max-dispatches-per-second", block: "rate_limits", argument: "max_dispatches_per_second",
      path: ["rateLimits", "maxDispatchesPerSecond"]),
    Setting(
      flag: "max-concurrent-dispatches", block: "rate_limits", argument: "max_concurrent_dispatches",
      path: ["rateLimits", "maxConcurrentDispatches"]),
  ]
  /// The settings of jobs of Cloud Scheduler, without their target.
  static let scheduleSettings = [
    Setting(flag: "schedule", argument: "schedule", path: ["schedule"]),
    Setting(flag: "time-zone", argument: "time_zone", path: ["timeZone"]),
    Setting(flag: "description", argument: "description", path: ["description"]),
    Setting(flag: "attempt-deadline", argument: "attempt_deadline", path: ["attemptDeadline"]),
    Setting(
      flag: "max-retry-attempts", block: "retry_config", argument: "retry_count", path: ["retryConfig", "retryCount"]),
    Setting(
      flag: "min-backoff", block: "retry_config", argument: "min_backoff_duration",
      path: ["retryConfig", "minBackoffDuration"]),
    Setting(
      flag: "max-backoff", block: "retry_config", argument: "max_backoff_duration",
      path: ["retryConfig", "maxBackoffDuration"]),
    Setting(
      flag: "max-doublings", block: "retry_config", argument: "max_doublings", path: ["retryConfig", "maxDoublings"]),
  ]
  /// The time limit of a request, in seconds, and the number of requests that an instance serves at once.
  static let (timeout, concurrency) = (900, 20)
  /// The processors and the memory of an instance.
  static let (cpu, memory) = ("1", "512Mi")
  /// The least and the largest number of instances.
  static let (minInstances, maxInstances) = (0, 20)

  /// The project, the location, the default queue and the calling account.
  let tasks: CloudTasksConfiguration
  /// The queues.
  let queues: [Resource]
  /// The jobs of Cloud Scheduler.
  let schedules: [Resource]
  /// What to know about jobs that have no resource of their own.
  let notes: [String]
  /// The name of the Cloud Run service.
  let service: String
  /// The image to deploy; nil if none is named.
  var image: String?
  /// The Firestore database.
  var database = "(default)"
  /// Whether the service keeps its queues and Cloud Scheduler jobs itself.
  var syncs = false

  /// Creates the resources of a service.
  ///
  /// - Parameters:
  ///   - configuration: the project, the location and the queue.
  ///   - plan: the queues and the jobs of Cloud Scheduler to make.
  ///   - service: the name of the Cloud Run service.
  init(_ configuration: CloudSyncConfiguration, _ plan: SyncPlan, service: String) {
    (tasks, notes, self.service) = (configuration.tasks, plan.notes, service)
    queues = plan.changes.filter { $0.kind == .queue }.map { Self.resource(of: $0, Self.queueSettings) }
    schedules = plan.changes.filter { $0.kind == .schedulerJob }.map { change in
      var resource = Self.resource(of: change, Self.scheduleSettings)
      let url = change.fields["httpTarget"]?["uri"]?.string ?? ""
      resource.path = String(url.dropFirst(Self.origin(of: url).count))
      return resource
    }
  }

  /// The roles of the account that the service runs as, in the project.
  var roles: [String] {
    let roles = ["roles/datastore.user", "roles/cloudtasks.enqueuer", "roles/cloudtasks.taskDeleter"]
    return syncs ? roles + ["roles/cloudtasks.queueAdmin", "roles/cloudscheduler.admin"] : roles
  }

  /// The address of the service without a path; nil for Cloud Run's own.
  var url: String? {
    let origin = Self.origin(of: tasks.handler)
    return origin == Self.unknownURL ? nil : origin
  }

  /// Where requests may come from: Cloud Tasks and Cloud Scheduler count as internal if they call Cloud Run's own
  /// address.
  ///
  /// Source: <https://cloud.google.com/run/docs/securing/ingress#settings>.
  var isInternal: Bool { url == nil }

  private static func resource(of change: SyncChange, _ settings: [Setting]) -> Resource {
    let values = settings.compactMap { setting in
      let value = setting.path.reduce(Optional(change.fields)) { $0?[$1] }
      return value.flatMap { $0.isNull ? nil : (setting: setting, value: $0) }
    }
    let name = change.name.split(separator: "/").last.map { String($0) } ?? change.name
    return Resource(name: name, settings: values, isPaused: change.isPaused)
  }

  /// Returns an address without its path.
  private static func origin(of url: String) -> String {
    guard let scheme = url.firstRange(of: "://"), let slash = url[scheme.upperBound...].firstIndex(of: "/") else {
      return url
    }
    return String(url[..<slash])
  }
}
#endif
