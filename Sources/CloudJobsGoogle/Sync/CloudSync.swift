#if HTTP
public import CloudJobs
public import CloudJobsCore
import HTTPTypes

/// Keeps queues and jobs of Cloud Scheduler in step with the registry and the jobs' documents.
///
/// It makes a plan first and then the changes; a second sync finds nothing to do. A call that fails ends it with what
/// is done so far, and the next sync goes on from there. See ``CloudSyncConfiguration/owner`` for what it may touch.
///
/// ```swift
/// options.onHousekeeping = { documents throws(JobError) in try await sync.sync(documents) }
/// ```
///
/// Sources: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues>,
/// <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs>.
public struct CloudSync: Sendable {
  /// What is kept in step, and where.
  public let configuration: CloudSyncConfiguration
  private let tasks: GoogleCaller
  private let scheduler: GoogleCaller

  /// The most pages of a list that are read.
  static let maximumPages = 200

  /// A sync.
  ///
  /// - Parameters:
  ///   - configuration: what is kept in step, and where.
  ///   - google: how Cloud Tasks and Cloud Scheduler are reached.
  public init(_ configuration: CloudSyncConfiguration, in google: GoogleCloud) {
    self.configuration = configuration
    let (retry, timeout) = (configuration.retry, configuration.callTimeout)
    tasks = GoogleCaller("Cloud Tasks", google.cloudTasks, in: google, retry: retry, timeout: timeout)
    scheduler = GoogleCaller("Cloud Scheduler", google.cloudScheduler, in: google, retry: retry, timeout: timeout)
  }

  /// What is to be done; it changes nothing.
  ///
  /// - Parameter documents: the jobs and their documents.
  /// - Returns: the plan.
  /// - Throws: ``JobError`` `queueUnavailable`, or what the credentials throw.
  public func plan(_ documents: JobDocuments) async throws(JobError) -> SyncPlan {
    var inventory = CloudInventory()
    inventory.queues = try await list(tasks, "/v2/\(configuration.parent)", "queues")
    inventory.jobs = try await list(scheduler, "/v1/\(configuration.parent)", "jobs")
    return SyncPlanner.plan(configuration, documents, inventory)
  }

  /// Makes a plan's changes in their order.
  ///
  /// - Parameter plan: the plan.
  /// - Throws: ``JobError`` `queueUnavailable`, whose message names the change that failed; those before it are made.
  public func apply(_ plan: SyncPlan) async throws(JobError) {
    for change in plan.changes {
      do throws(JobError) {
        try await apply(change)
      } catch {
        var error = error
        error.message = "Sync failed at \"\(change)\"; the next one goes on. \(error.message)"
        throw error
      }
    }
  }

  /// Plans and makes the changes.
  ///
  /// - Parameter documents: the jobs and their documents.
  /// - Returns: the plan that was made true.
  /// - Throws: ``JobError`` `queueUnavailable`, or what the credentials throw.
  @discardableResult
  public func sync(_ documents: JobDocuments) async throws(JobError) -> SyncPlan {
    let plan = try await plan(documents)
    if !plan.isEmpty { try await apply(plan) }
    return plan
  }

  /// Reads the documents of a registry's jobs, plans and makes the changes.
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - store: where their documents live.
  /// - Returns: the plan that was made true.
  /// - Throws: ``JobError`` `storeUnavailable` or `queueUnavailable`, or what the credentials throw.
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

  private func apply(_ change: SyncChange) async throws(JobError) {
    let (service, root) =
      change.kind == .queue ? (tasks, "/v2") : (scheduler, "/v1")
    let path = "\(root)/\(change.name)"
    switch change.action {
    case .unchanged: return
    case .create:
      // Another instance may have been faster, or an earlier try's answer lost: the next sync compares the fields.
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

  /// All resources of a collection, by name.
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

  /// A text percent-encoded for a query.
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
#endif
