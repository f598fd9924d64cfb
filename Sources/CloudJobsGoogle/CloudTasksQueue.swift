#if HTTP
public import CloudJobs
public import CloudJobsCore
import HTTPTypes

/// A Cloud Tasks queue and the handler that it delivers to.
public struct CloudTasksConfiguration: Sendable {
  /// The Google Cloud project's id.
  public var project: String
  /// The location, such as `europe-west1`.
  public var location: String
  /// The queue of tasks whose job names none.
  public var queue: String
  /// The URL at which the handler is mounted, such as `https://service.example/jobs`.
  public var handler: String
  /// The service account whose OIDC token Cloud Tasks attaches to deliveries; nil for no token.
  public var serviceAccount: String?
  /// The token's audience; nil for the origin of the handler's URL, which Cloud Run's IAM expects.
  public var audience: String?
  /// The timeout of one call to Cloud Tasks.
  public var callTimeout = Duration.seconds(10)
  /// Attempts and delays of a call on transient errors.
  public var retry = CallRetry()
  /// The maximum number of concurrent calls.
  public var concurrency = 32

  /// Creates a configuration.
  public init(project: String, location: String, queue: String, handler: String) {
    self.project = project
    self.location = location
    self.queue = queue
    self.handler = handler
  }

  /// The audience of the handler's tokens, which its authentication must expect.
  public var tokenAudience: String { audience ?? TokenIssuer.origin(of: handler) }

  /// The URL that tasks are delivered to.
  var target: String { "\(handler)/trigger" }

  /// The resource name of the location.
  var parent: String { "projects/\(project)/locations/\(location)" }

  /// The resource name of a queue.
  func queueName(_ queue: String?) -> String { "\(parent)/queues/\(queue ?? self.queue)" }

  /// The token request sent with a task; nil for none.
  var token: JSONValue? {
    serviceAccount.map { ["serviceAccountEmail": .string($0), "audience": .string(tokenAudience)] }
  }
}

/// A queue that delivers runs through Google Cloud Tasks, over its REST API.
///
/// A task's name is the hash of its run id and attempt, so a repeated creation is answered `ALREADY_EXISTS`, which
/// counts as success.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create>.
public struct CloudTasksQueue: TaskQueue {
  private let configuration: CloudTasksConfiguration
  private let service: GoogleCaller

  /// Creates a queue.
  ///
  /// - Parameters:
  ///   - configuration: the Cloud Tasks queue and the handler.
  ///   - google: access to Cloud Tasks; its clock also measures how far ahead a task is scheduled.
  public init(_ configuration: CloudTasksConfiguration, in google: GoogleCloud) {
    self.configuration = configuration
    service = GoogleCaller(
      "Cloud Tasks", google.cloudTasks, in: google, retry: configuration.retry, timeout: configuration.callTimeout)
  }

  /// The runtime owns retries: each attempt has a task of its own.
  public var retryOwner: RetryOwner { .runtime }

  /// Creates tasks, several concurrently.
  ///
  /// A task beyond Cloud Tasks' horizon is created for an earlier time; the runtime enqueues the rest of the way under
  /// another name when that delivery arrives.
  ///
  /// - Parameter tasks: the tasks to create.
  /// - Throws: ``/CloudJobsCore/JobError`` `tooLarge` if a task exceeds the limit of Cloud Tasks, before anything is
  ///   sent; `queueUnavailable` if any task was not created. The error does not identify which.
  public func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    for task in tasks { try CloudTasksBody.checkSize(task, configuration) }
    let limit = max(1, configuration.concurrency)
    let failure = await withTaskGroup(of: JobError?.self) { group -> JobError? in
      var failure: JobError?
      for (index, task) in tasks.enumerated() {
        if index >= limit, let result = await group.next() { failure = failure ?? result }
        if failure != nil { break }
        group.addTask { await self.create(task) }
      }
      for await result in group { failure = failure ?? result }
      return failure
    }
    if let failure { throw failure }
  }

  /// Deletes a task; one that has been executed or deleted is no error.
  public func cancel(_ name: String, in queue: String?) async throws(JobError) {
    _ = try await service.call(
      .delete, "/v2/\(configuration.queueName(queue))/tasks/\(name)", nil, accepting: [404])
  }

  private func create(_ task: QueuedTask) async -> JobError? {
    let path = "/v2/\(configuration.queueName(task.queue))/tasks"
    let body = CloudTasksBody.create(task, configuration, now: service.clock.now())
    do throws(JobError) {
      _ = try await service.call(.post, path, body, accepting: [409])
      return nil
    } catch {
      return error
    }
  }
}

extension TaskQueue where Self == CloudTasksQueue {
  /// Returns a queue that delivers runs through Google Cloud Tasks.
  ///
  /// - Parameters:
  ///   - configuration: the Cloud Tasks queue and the handler.
  ///   - google: access to Cloud Tasks.
  /// - Returns: the queue.
  public static func cloudTasks(_ configuration: CloudTasksConfiguration, in google: GoogleCloud) -> CloudTasksQueue {
    CloudTasksQueue(configuration, in: google)
  }
}

/// Request bodies for Cloud Tasks, as pure functions.
enum CloudTasksBody {

  /// The furthest ahead that a task is scheduled: the limit of 720 hours, less an hour for clock skew.
  static let horizon = Duration.days(30) - .hours(1)
  /// The scheduled delay of a task beyond the horizon, so that the remainder is a stage of its own and nothing is
  /// early.
  static let stage = Duration.days(29)
  /// The maximum size of a stored task in bytes, as observed.
  static let maximumBytes = 1_048_569

  /// Returns a task's schedule time: its own, or the end of the next stage towards it.
  static func stage(of time: Timestamp, now: Timestamp) -> Timestamp {
    time - now > horizon ? now + stage : time
  }

  /// Checks a task's size against the limit of Cloud Tasks.
  ///
  /// - Throws: ``JobError`` `tooLarge`, with the size and the remedy.
  static func checkSize(_ task: QueuedTask, _ configuration: CloudTasksConfiguration) throws(JobError) {
    let texts =
      [
        task.name, configuration.queueName(task.queue), configuration.target, configuration.serviceAccount ?? "",
        configuration.serviceAccount == nil ? "" : configuration.tokenAudience,
        "Content-Type", "application/json",
      ] + (task.trace.map { ["traceparent", $0.description] } ?? [])
    let size = texts.reduce(task.body.bytes.count) { $0 + $1.utf8.count }
    guard size > maximumBytes else { return }
    throw JobError(
      .tooLarge,
      "The task has \(size) bytes; Cloud Tasks accepts \(maximumBytes). Keep the data in a bucket or in the store, and "
        + "enqueue its key.", field: "payload")
  }

  /// Returns the body of a task's creation.
  static func create(_ task: QueuedTask, _ configuration: CloudTasksConfiguration, now: Timestamp) -> JSONValue {
    let deadline = CloudSchedulerEntry.deadline(for: task.deadline)
    var httpRequest: [String: JSONValue] = [
      "url": .string(configuration.target), "httpMethod": "POST", "headers": ["Content-Type": "application/json"],
      "body": .string(Base64.encode(task.body.bytes)),
    ]
    if let trace = task.trace {
      httpRequest["headers"] = ["Content-Type": "application/json", "traceparent": .string(trace.description)]
    }
    httpRequest["oidcToken"] = configuration.token
    var members: [String: JSONValue] = [
      "name": .string("\(configuration.queueName(task.queue))/tasks/\(task.name)"),
      "dispatchDeadline": .string(WireDuration.text(deadline)), "httpRequest": .object(httpRequest),
    ]
    members["scheduleTime"] = task.notBefore.map { .string(stage(of: $0, now: now).description) }
    return ["task": .object(members)]
  }
}
#endif
