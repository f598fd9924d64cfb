#if HTTP
public import CloudJobs
public import CloudJobsCore
import HTTPTypes

/// The resources that sync manages.
public struct CloudSyncConfiguration: Sendable {
  /// The project, location, default queue, handler and token audience.
  public var tasks: CloudTasksConfiguration
  /// The owner of managed resources: letters, digits, `_` and `-`.
  ///
  /// A Cloud Scheduler job is owned if its name begins with the owner and its description with ``ownershipTag``; no
  /// other job is ever changed. Services that share a location need different owners. Queues have no description: sync
  /// creates and updates those that jobs name, and never deletes one, because its tasks would be lost.
  public var owner = "cloud-jobs"
  /// The settings of queues that ``queues`` does not name.
  public var queueSettings = QueueSettings()
  /// The settings of queues by name.
  public var queues: [String: QueueSettings] = [:]
  /// The cron expression of the master pass.
  public var masterSchedule = "* * * * *"
  /// The attempt deadline of a master pass; the next one begins no earlier.
  public var masterDeadline = Duration.minutes(3)
  /// The time that Cloud Scheduler's attempt deadline exceeds a job's timeout.
  public var deadlineMargin = Duration.seconds(15)
  /// The timeout of one call.
  public var callTimeout = Duration.seconds(10)
  /// Attempts and delays of a call on transient errors.
  public var retry = CallRetry()

  /// Creates a configuration for the project, location, queue and handler of a task queue.
  public init(_ tasks: CloudTasksConfiguration) {
    self.tasks = tasks
  }

  /// The prefix of the description of each owned Cloud Scheduler job.
  public var ownershipTag: String { "[cloud-jobs:\(owner)]" }

  /// Returns the resource name of the Cloud Scheduler job that triggers a job.
  ///
  /// - Parameter job: the job; ``/CloudJobsCore/JobID/master`` for the master pass.
  /// - Returns: `projects/…/locations/…/jobs/…`.
  public func schedulerJobName(of job: JobID) -> String {
    "\(parent)/jobs/\(owner)-\(job.schedulerName)"
  }

  /// The resource name of the location.
  var parent: String { tasks.parent }
}

/// Synchronizes queues and Cloud Scheduler jobs with the registry and the jobs' documents.
///
/// Sync makes a plan and then applies its changes; a second sync finds nothing to do. A failed call ends the sync, and
/// the next one continues from there. ``CloudSyncConfiguration/owner`` determines what it may change.
///
/// ```swift
/// options.onHousekeeping = { documents throws(JobError) in try await sync.sync(documents) }
/// ```
///
/// Sources: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues>,
/// <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs>.
public struct CloudSync: Sendable {
  /// The managed resources.
  public let configuration: CloudSyncConfiguration
  private let tasks: GoogleCaller
  private let scheduler: GoogleCaller

  /// The maximum number of pages of a list.
  static let maximumPages = 200

  /// Creates a sync.
  ///
  /// - Parameters:
  ///   - configuration: the managed resources.
  ///   - google: access to Cloud Tasks and Cloud Scheduler.
  public init(_ configuration: CloudSyncConfiguration, in google: GoogleCloud) {
    self.configuration = configuration
    let (retry, timeout) = (configuration.retry, configuration.callTimeout)
    tasks = GoogleCaller("Cloud Tasks", google.cloudTasks, in: google, retry: retry, timeout: timeout)
    scheduler = GoogleCaller("Cloud Scheduler", google.cloudScheduler, in: google, retry: retry, timeout: timeout)
  }

  /// Returns the changes that a sync would make, without making them.
  ///
  /// - Parameter documents: the jobs and their documents.
  /// - Returns: the plan.
  /// - Throws: ``/CloudJobsCore/JobError`` `queueUnavailable`, or the credentials' error.
  public func plan(_ documents: JobDocuments) async throws(JobError) -> SyncPlan {
    var inventory = CloudInventory()
    inventory.queues = try await list(tasks, "/v2/\(configuration.parent)", "queues")
    inventory.jobs = try await list(scheduler, "/v1/\(configuration.parent)", "jobs")
    return SyncPlanner.plan(configuration, documents, inventory)
  }

  /// Returns the changes that a sync would make in a location without any resources.
  ///
  /// - Parameters:
  ///   - configuration: the managed resources.
  ///   - documents: the jobs and their documents.
  /// - Returns: the plan, of creations alone.
  package static func firstPlan(_ configuration: CloudSyncConfiguration, _ documents: JobDocuments) -> SyncPlan {
    SyncPlanner.plan(configuration, documents, CloudInventory())
  }

  /// Applies a plan's changes in order.
  ///
  /// - Parameter plan: the plan.
  /// - Throws: ``/CloudJobsCore/JobError`` `queueUnavailable`, whose message names the failed change; earlier changes
  ///   are applied.
  public func apply(_ plan: SyncPlan) async throws(JobError) {
    for change in plan.changes {
      do throws(JobError) {
        try await apply(change)
      } catch {
        var error = error
        error.message = "Sync failed at \"\(change)\"; the next sync continues from there. \(error.message)"
        throw error
      }
    }
  }

  /// Makes a plan and applies it.
  ///
  /// - Parameter documents: the jobs and their documents.
  /// - Returns: the applied plan.
  /// - Throws: ``/CloudJobsCore/JobError`` `queueUnavailable`, or the credentials' error.
  @discardableResult
  public func sync(_ documents: JobDocuments) async throws(JobError) -> SyncPlan {
    let plan = try await plan(documents)
    if !plan.isEmpty { try await apply(plan) }
    return plan
  }

  /// Reads the documents of a registry's jobs, makes a plan and applies it.
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - store: the store of their documents.
  /// - Returns: the applied plan.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable` or `queueUnavailable`, or the credentials' error.
  @discardableResult
  public func sync(_ registry: JobRegistry, store: any JobStore) async throws(JobError) -> SyncPlan {
    let documents: JobDocuments
    do throws(StoreError) {
      documents = try await JobDocuments(of: registry, in: store)
    } catch {
      throw JobError(error)
    }
    return try await sync(documents)
  }

  /// Returns the default queue, as Cloud Tasks has it; nil if it does not exist.
  package func defaultQueue() async throws(JobError) -> JSONValue? {
    let path = "/v2/\(configuration.tasks.queueName(nil))"
    return try await tasks.call(.get, path, accepting: [404]).presence
  }

  /// Returns the job that triggers the master pass, as Cloud Scheduler has it; nil if it does not exist.
  package func masterJob() async throws(JobError) -> JSONValue? {
    let path = "/v1/\(configuration.schedulerJobName(of: .master))"
    return try await scheduler.call(.get, path, accepting: [404]).presence
  }

  private func apply(_ change: SyncChange) async throws(JobError) {
    let (service, root) =
      change.kind == .queue ? (tasks, "/v2") : (scheduler, "/v1")
    let path = "\(root)/\(change.name)"
    switch change.action {
    case .unchanged: return
    case .create:
      // Another instance may have created it, or an earlier attempt's response was lost: the next sync compares fields.
      let collection = "\(root)/\(configuration.parent)/\(change.kind == .queue ? "queues" : "jobs")"
      _ = try await service.call(.post, collection, change.body, accepting: [409])
      if change.isPaused { _ = try await service.call(.post, "\(path):pause", .object([:])) }
    case .update(let fields):
      let mask = fields.filter { $0 != "state" }.joined(separator: ",")
      if !mask.isEmpty { _ = try await service.call(.patch, "\(path)?updateMask=\(mask)", change.body) }
      if fields.contains("state") {
        _ = try await service.call(.post, "\(path):\(change.isPaused ? "pause" : "resume")", .object([:]))
      }
    case .delete: _ = try await service.call(.delete, path, accepting: [404])
    }
  }

  /// Returns all resources of a collection, by name.
  private func list(
    _ service: GoogleCaller, _ parent: String, _ collection: String
  ) async throws(JobError) -> [String: JSONValue] {
    var found: [String: JSONValue] = [:]
    var token = ""
    for _ in 0..<Self.maximumPages {
      let page = token.isEmpty ? "" : "&pageToken=\(Self.escaped(token))"
      let answer = try await service.call(.get, "\(parent)/\(collection)?pageSize=500\(page)")
      for resource in answer[collection]?.array ?? [] { found[resource["name"]?.string ?? ""] = resource }
      token = answer["nextPageToken"]?.string ?? ""
      if token.isEmpty { return found }
    }
    throw JobError(
      .tooLarge, "The location has more \(collection) than \(Self.maximumPages) pages. Use a location of its own.")
  }

  /// Returns text percent-encoded for a query.
  static func escaped(_ text: String) -> String {
    text.utf8.reduce(into: "") { escaped, byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
        escaped.unicodeScalars.append(Unicode.Scalar(byte))
      default: escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
  }
}

extension JSONValue {
  /// The value unless it is null.
  fileprivate var presence: JSONValue? { isNull ? JSONValue?.none : self }
}

/// The settings of a managed Cloud Tasks queue.
///
/// The runtime owns the retries of jobs: a failed attempt is answered 200, and the next one has its own task. Cloud
/// Tasks only retries deliveries that could not be processed: 409, 429, 5xx, or no response. The defaults retry soon
/// after a brief failure, back off from a failing service (1, 2, 4 … 256, 300 s), and give up after both a day and 100
/// attempts: runs in the store are recovered by the sweep, and a permanently rejected request does not recur for a
/// month.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>.
public struct QueueSettings: Hashable, Sendable {
  /// The maximum number of dispatches per second, at most 500; nil keeps the queue's value.
  public var maxDispatchesPerSecond: Int?
  /// The maximum number of concurrent dispatches, at most 5,000; nil keeps the queue's value.
  public var maxConcurrentDispatches: Int?
  /// The number of attempts after which a task may be deleted; -1 for no limit.
  public var maxAttempts = 100
  /// The time after which a task may be deleted; zero for no limit.
  public var maxRetryDuration = Duration.days(1)
  /// The delay before the first retry.
  public var minBackoff = Duration.seconds(1)
  /// The maximum delay.
  public var maxBackoff = Duration.minutes(5)
  /// The number of times that the delay doubles before it grows linearly.
  public var maxDoublings = 8

  /// Creates the default settings.
  public init() {}

  /// Returns the fields of a queue with these settings.
  func fields(name: String) -> JSONValue {
    var limits: [String: JSONValue] = [:]
    limits["maxDispatchesPerSecond"] = maxDispatchesPerSecond.map { .integer(Int64($0)) }
    limits["maxConcurrentDispatches"] = maxConcurrentDispatches.map { .integer(Int64($0)) }
    var fields: [String: JSONValue] = [
      "name": .string(name),
      "retryConfig": [
        "maxAttempts": .integer(Int64(maxAttempts)), "maxRetryDuration": .string(WireDuration.text(maxRetryDuration)),
        "minBackoff": .string(WireDuration.text(minBackoff)),
        "maxBackoff": .string(WireDuration.text(maxBackoff)), "maxDoublings": .integer(Int64(maxDoublings)),
      ],
    ]
    if !limits.isEmpty { fields["rateLimits"] = .object(limits) }
    return .object(fields)
  }
}
#endif
