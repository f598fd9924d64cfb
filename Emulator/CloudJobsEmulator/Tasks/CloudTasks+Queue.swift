public import CloudJobsCore

extension CloudTasks {
  /// A queue as its clients see it.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues>.
  public struct Queue: Hashable, Sendable, Codable {
    /// Whether a queue dispatches.
    public enum State: Int, Hashable, Sendable, Codable, CaseIterable {
      /// It dispatches.
      case running = 1
      /// It keeps its tasks until it is resumed.
      case paused = 2
      /// Switched off by an administrator of the App Engine application.
      case disabled = 3

      /// The name on the wire.
      public var name: String {
        switch self {
        case .running: "RUNNING"
        case .paused: "PAUSED"
        case .disabled: "DISABLED"
        }
      }
    }

    /// The name.
    public var name: QueueName
    /// How fast it may dispatch.
    public var rateLimits: RateLimits
    /// How its tasks are retried.
    public var retryConfig: RetryConfig
    /// Whether it dispatches; set by pause and resume only.
    public var state: State
    /// When it was last purged.
    public var purgeTime: Timestamp?
    /// What it says about the HTTP requests of all its tasks.
    public var target: QueueTarget?
    /// The routing of all its App Engine tasks, as it came: service, version, instance, host.
    public var appEngineRouting: [String: String]?
    /// Which share of its operations is logged; kept and not used.
    public var loggingRatio: Double?

    /// A running queue.
    public init(name: QueueName, rateLimits: RateLimits = .init(), retryConfig: RetryConfig = .init()) {
      self.name = name
      self.rateLimits = rateLimits
      self.retryConfig = retryConfig
      state = .running
    }

    func validate() throws(ServiceFault) {
      try rateLimits.validate()
      try retryConfig.validate()
      try target?.uri?.validate()
    }

    /// Takes the fields that a mask names from another queue; without a mask, all that a client may set.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for a path that is no field.
    mutating func merge(_ other: Queue, mask: FieldMask?) throws(ServiceFault) {
      for path in mask?.paths ?? ["*"] {
        switch path {
        case "*":
          rateLimits = other.rateLimits
          retryConfig = other.retryConfig
          target = other.target
          appEngineRouting = other.appEngineRouting
          loggingRatio = other.loggingRatio
        case "rateLimits": rateLimits = other.rateLimits
        case "rateLimits.maxDispatchesPerSecond":
          rateLimits = RateLimits(
            maxDispatchesPerSecond: other.rateLimits.maxDispatchesPerSecond,
            maxConcurrentDispatches: rateLimits.maxConcurrentDispatches)
        case "rateLimits.maxConcurrentDispatches":
          rateLimits.maxConcurrentDispatches = other.rateLimits.maxConcurrentDispatches
        case "retryConfig": retryConfig = other.retryConfig
        case "retryConfig.maxAttempts": retryConfig.maxAttempts = other.retryConfig.maxAttempts
        case "retryConfig.maxRetryDuration": retryConfig.maxRetryDuration = other.retryConfig.maxRetryDuration
        case "retryConfig.minBackoff": retryConfig.backoff.minimum = other.retryConfig.backoff.minimum
        case "retryConfig.maxBackoff": retryConfig.backoff.maximum = other.retryConfig.backoff.maximum
        case "retryConfig.maxDoublings": retryConfig.backoff.doublings = other.retryConfig.backoff.doublings
        case "name", "state", "purgeTime", "rateLimits.maxBurstSize": break
        case "appEngineRoutingOverride": appEngineRouting = other.appEngineRouting
        case _ where path.hasPrefix("stackdriverLoggingConfig"): loggingRatio = other.loggingRatio
        case _ where path.hasPrefix("httpTarget"): try mergeTarget(other.target, path: path)
        default: throw .invalidArgument("The update mask names \"\(path)\", which is no field of a queue.")
        }
      }
    }

    private mutating func mergeTarget(_ other: QueueTarget?, path: String) throws(ServiceFault) {
      var merged = target ?? QueueTarget()
      switch path {
      case "httpTarget":
        target = other
        return
      case "httpTarget.uriOverride": merged.uri = other?.uri
      case "httpTarget.httpMethod": merged.method = other?.method
      case "httpTarget.headerOverrides": merged.headers = other?.headers ?? []
      case "httpTarget.oidcToken", "httpTarget.oauthToken": merged.authorization = other?.authorization
      default: throw .invalidArgument("The update mask names \"\(path)\", which is no field of a queue.")
      }
      target = merged == QueueTarget() ? nil : merged
    }
  }
}
