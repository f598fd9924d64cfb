#if HTTP
import CloudJobsCore

/// Which Cloud Tasks queue delivers a runtime's tasks, and where to.
public struct CloudTasksConfiguration: Sendable {
  /// The Google Cloud project's id.
  public var project: String
  /// The location, such as `europe-west1`.
  public var location: String
  /// The queue that takes tasks whose job names none.
  public var queue: String
  /// The address at which the handler is mounted, such as `https://service.example/jobs`.
  public var handler: String
  /// The service account in whose name Cloud Tasks signs an OIDC token for the handler; nil for no token.
  public var serviceAccount: String?
  /// The audience of that token; nil means the origin of the handler's address, as Cloud Run's IAM wants it.
  public var audience: String?
  /// The longest that one call to the service may take.
  public var callTimeout = Duration.seconds(10)
  /// How often a call is tried while the service is ailing.
  public var retry = CallRetry()
  /// How many calls are under way at once.
  public var concurrency = 32

  /// A configuration.
  public init(project: String, location: String, queue: String, handler: String) {
    self.project = project
    self.location = location
    self.queue = queue
    self.handler = handler
  }

  /// The audience that tokens for the handler have: what the handler's authentication is to ask for.
  public var tokenAudience: String { audience ?? TokenIssuer.origin(of: handler) }

  /// Where tasks are delivered to.
  var target: String { "\(handler)/trigger" }

  /// The resource name of the location.
  var parent: String { "projects/\(project)/locations/\(location)" }

  /// The resource name of a queue.
  func queueName(_ queue: String?) -> String { "\(parent)/queues/\(queue ?? self.queue)" }

  /// The token that is sent to the handler; nil for none.
  var token: JSONValue? {
    serviceAccount.map { ["serviceAccountEmail": .string($0), "audience": .string(tokenAudience)] }
  }
}
#endif
