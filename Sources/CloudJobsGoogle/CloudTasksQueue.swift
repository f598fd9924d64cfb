#if HTTP
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP
public import HTTPTypes

/// Delivers runs by Google Cloud Tasks, over its REST face.
///
/// A task's name is the hash of its run and the attempt, so that a repeated creation answers ALREADY_EXISTS, which
/// counts as success.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create>.
public struct CloudTasksQueue: TaskQueue {
  private let configuration: CloudTasksConfiguration
  private let client: any HTTPExchange
  private let authorize: @Sendable () async throws(JobError) -> HTTPFields

  /// A queue.
  ///
  /// - Parameters:
  ///   - configuration: which queue, and where it delivers to.
  ///   - client: what sends the requests.
  ///   - authorize: the header fields that authenticate a call; none for an emulator.
  public init(
    _ configuration: CloudTasksConfiguration, client: any HTTPExchange,
    authorize: @escaping @Sendable () async throws(JobError) -> HTTPFields = noAuthorization
  ) {
    self.configuration = configuration
    self.client = client
    self.authorize = authorize
  }

  /// Authenticates nothing: for an emulator.
  @Sendable public static func noAuthorization() async throws(JobError) -> HTTPFields { HTTPFields() }

  /// The runtime tries again, by a task of its own for each attempt.
  public var retryOwner: RetryOwner { .runtime }

  /// Creates tasks, several at a time.
  public func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    let fields = try await authorize()
    let limit = max(1, configuration.concurrency)
    let failure = await withTaskGroup(of: JobError?.self) { group -> JobError? in
      var failure: JobError?
      for (index, task) in tasks.enumerated() {
        if index >= limit, let result = await group.next() { failure = failure ?? result }
        if failure != nil { break }
        group.addTask { await self.create(task, fields) }
      }
      for await result in group { failure = failure ?? result }
      return failure
    }
    if let failure { throw failure }
  }

  /// Deletes a task; one that does not exist is no failure.
  public func cancel(_ name: String, queue: String?) async throws(JobError) {
    let url = "\(configuration.endpoint)/v2/\(configuration.queueName(queue))/tasks/\(name)"
    let fields = try await authorize()
    let request = HTTPClientRequest(
      method: .delete, url: url, headers: fields, body: [], timeout: configuration.callTimeout)
    if let failure = await call(request, accepting: 404) { throw failure }
  }

  private func create(_ task: QueuedTask, _ fields: HTTPFields) async -> JobError? {
    var fields = fields
    fields[.contentType] = "application/json"
    let body = CloudTasksBody.create(task, configuration)
    let request = HTTPClientRequest(
      method: .post, url: "\(configuration.endpoint)/v2/\(configuration.queueName(task.queue))/tasks",
      headers: fields, body: body.encoded, timeout: configuration.callTimeout)
    return await call(request, accepting: 409)
  }

  /// Makes a call; nil where it succeeded or answered the status that is no failure here.
  private func call(_ request: HTTPClientRequest, accepting status: Int) async -> JobError? {
    do throws(HTTPClientError) {
      let response = try await client.send(request)
      if (200..<300).contains(response.status) || response.status == status { return nil }
      let error = try? JSONValue(parsing: response.body, limits: .service)["error"]
      let message = error?["message"]?.string ?? "no message"
      return JobError(
        .queueUnavailable, "Cloud Tasks refused the call: \(message)", nativeCode: "HTTP \(response.status)")
    } catch {
      return JobError(
        .queueUnavailable, "Cloud Tasks could not be reached: \(error.message)", nativeCode: error.nativeCode)
    }
  }
}

/// The bodies of requests to Cloud Tasks, as pure functions.
enum CloudTasksBody {
  /// The shortest and longest dispatch deadline of an HTTP target.
  static let deadlines = Duration.seconds(15)...Duration.minutes(30)

  /// The body that creates a task.
  static func create(_ task: QueuedTask, _ configuration: CloudTasksConfiguration) -> JSONValue {
    let deadline = min(max(task.deadline, deadlines.lowerBound), deadlines.upperBound)
    var httpRequest: [String: JSONValue] = [
      "url": .string(configuration.target), "httpMethod": "POST", "headers": ["Content-Type": "application/json"],
      "body": .string(Base64.encode(task.body.bytes)),
    ]
    if let account = configuration.serviceAccount {
      let audience = configuration.audience ?? configuration.target
      httpRequest["oidcToken"] = ["serviceAccountEmail": .string(account), "audience": .string(audience)]
    }
    var members: [String: JSONValue] = [
      "name": .string("\(configuration.queueName(task.queue))/tasks/\(task.name)"),
      "dispatchDeadline": .string(Self.text(deadline)), "httpRequest": .object(httpRequest),
    ]
    members["scheduleTime"] = task.notBefore.map { .string($0.description) }
    return ["task": .object(members)]
  }

  /// A duration in proto3's JSON form: seconds with up to six digits of a fraction, and `s`.
  static func text(_ span: Duration) -> String {
    let (seconds, fraction) = span.microseconds.flooringDivision(by: 1_000_000)
    if fraction == 0 { return "\(seconds)s" }
    let digits = String(fraction)
    return "\(seconds)." + String(repeating: "0", count: 6 - digits.count) + digits + "s"
  }
}
#endif
