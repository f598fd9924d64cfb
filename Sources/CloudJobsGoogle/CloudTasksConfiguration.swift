#if HTTP
/// Which Cloud Tasks queue delivers a runtime's tasks, and where to.
public struct CloudTasksConfiguration: Sendable {
  /// The Google Cloud project's id.
  public var project: String
  /// The location, such as `europe-west1`.
  public var location: String
  /// The queue that takes tasks whose job names none.
  public var queue: String
  /// The handler's URL, which ends in `/jobs/trigger` unless it is mounted elsewhere.
  public var target: String
  /// The service account in whose name Cloud Tasks signs an OIDC token for the target; nil for no token.
  public var serviceAccount: String?
  /// The audience of that token; nil means the target.
  public var audience: String?
  /// The service's address: Google's, or an emulator's such as `http://127.0.0.1:8085`.
  public var endpoint = "https://cloudtasks.googleapis.com"
  /// The longest that one call to the service may take.
  public var callTimeout = Duration.seconds(10)
  /// How often a call is tried while the service is ailing.
  public var retry = CallRetry()
  /// How many calls are under way at once.
  public var concurrency = 32

  /// A configuration.
  public init(project: String, location: String, queue: String, target: String) {
    self.project = project
    self.location = location
    self.queue = queue
    self.target = target
  }

  /// The resource name of a queue.
  func queueName(_ queue: String?) -> String {
    "projects/\(project)/locations/\(location)/queues/\(queue ?? self.queue)"
  }
}
#endif
