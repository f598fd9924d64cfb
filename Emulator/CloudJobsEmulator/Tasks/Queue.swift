package import CloudJobsCore

extension CloudTasks {
  /// A queue as clients see it.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues>.
  package struct Queue: Hashable, Sendable, Codable {
    /// The state of a queue.
    package enum State: Int, Hashable, Sendable, Codable, CaseIterable {
      /// The queue delivers its tasks.
      case running = 1
      /// The queue holds its tasks until it is resumed.
      case paused = 2
      /// Disabled by an administrator of the App Engine application.
      case disabled = 3

      /// The name on the wire.
      package var name: String {
        switch self {
        case .running: "RUNNING"
        case .paused: "PAUSED"
        case .disabled: "DISABLED"
        }
      }
    }

    /// The name.
    package var name: QueueName
    /// The rate limits.
    package var rateLimits: RateLimits
    /// The retry settings of its tasks.
    package var retryConfig: RetryConfig
    /// The state; changed only by pause and resume.
    package var state: State
    /// The time of the last purge.
    package var purgeTime: Timestamp?
    /// Overrides for the HTTP requests of its tasks.
    package var target: QueueTarget?
    /// The routing of its App Engine tasks, which replaces their own.
    package var appEngineRouting: AppEngineRouting?
    /// The share of operations to log; stored but not used.
    package var loggingRatio: Double?

    /// Creates a running queue.
    package init(name: QueueName, rateLimits: RateLimits = .init(), retryConfig: RetryConfig = .init()) {
      self.name = name
      self.rateLimits = rateLimits
      self.retryConfig = retryConfig
      state = .running
    }

    func validate() throws(ServiceFault) {
      try rateLimits.validate()
      try retryConfig.validate()
      try target?.uri?.validate()
      try target?.headers.validate("HttpTarget")
    }

    /// Copies the fields named by a mask from another queue; without a mask, all fields that clients may set.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for an unknown field.
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
        case _ where path.hasPrefix("appEngineRoutingOverride"): try mergeRouting(other, path: path)
        case "stackdriverLoggingConfig", "stackdriverLoggingConfig.samplingRatio": loggingRatio = other.loggingRatio
        case _ where path.hasPrefix("httpTarget"): try mergeTarget(other.target, path: path)
        default: throw .invalidArgument("The update mask names \"\(path)\", which is not a field of a queue.")
        }
      }
    }

    private mutating func mergeRouting(_ other: Queue, path: String) throws(ServiceFault) {
      var merged = appEngineRouting ?? AppEngineRouting()
      let routing = other.appEngineRouting ?? AppEngineRouting()
      switch path.dropFirst("appEngineRoutingOverride".count) {
      case "":
        appEngineRouting = other.appEngineRouting
        return
      case ".service": merged.service = routing.service
      case ".version": merged.version = routing.version
      case ".instance": merged.instance = routing.instance
      case ".host": return
      default: throw .invalidArgument("The update mask names \"\(path)\", which is not a field of a queue.")
      }
      merged.host = ""
      appEngineRouting = merged == AppEngineRouting() ? nil : merged
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
      default: throw .invalidArgument("The update mask names \"\(path)\", which is not a field of a queue.")
      }
      target = merged == QueueTarget() ? nil : merged
    }
  }

  /// The name of a queue: `projects/P/locations/L/queues/Q`.
  package struct QueueName: Hashable, Comparable, Sendable {
    /// The full name.
    package let text: String
    /// The queue's location.
    package let location: LocationName
    /// The ID: the last part of the name.
    package let id: String

    /// Parses and validates a name.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`; its message distinguishes a wrong form from a wrong ID.
    package init(_ text: String) throws(ServiceFault) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 6, parts[4] == "queues",
        let location = try? LocationName(parts[..<4].joined(separator: "/"))
      else {
        throw Self.invalid(
          "Queue name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>\".",
          "Definition of queue name")
      }
      guard NameAlphabet.queue.allows(parts[5]) else {
        throw Self.invalid(
          "Queue ID \"\(parts[5])\" can contain only letters ([A-Za-z]), numbers ([0-9]), or hyphens (-). "
            + "Queue ID must between 1 and 100 characters.", "Definition of queue ID")
      }
      self.text = text
      self.location = location
      self.id = String(parts[5])
    }

    private static func invalid(_ message: String, _ definition: String) -> ServiceFault {
      ServiceFault(
        .invalidArgument, message,
        details: [
          .help(
            description: definition,
            url: "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#Queue.FIELDS.name")
        ])
    }

    /// Compares the full names.
    package static func == (left: QueueName, right: QueueName) -> Bool { left.text == right.text }

    /// Hashes the full name.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Orders names alphabetically.
    package static func < (left: QueueName, right: QueueName) -> Bool { left.text < right.text }
  }
}

extension CloudTasks.QueueName: CustomStringConvertible {
  /// The full name.
  package var description: String { text }
}

extension CloudTasks.QueueName: Codable {
  /// Decodes a name from text.
  package init(from decoder: any Decoder) throws { try self.init(String(from: decoder)) }

  /// Encodes the full name as text.
  package func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}

extension CloudTasks {
  /// The rate limits of a queue.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RateLimits>.
  package struct RateLimits: Hashable, Sendable, Codable {
    /// The fill rate of the token bucket; at most 500 per second.
    package var maxDispatchesPerSecond: DispatchRate
    /// The size of the token bucket, chosen by the service.
    package var maxBurstSize: Int
    /// Maximum number of attempts in flight; at most 5,000.
    package var maxConcurrentDispatches: Int

    /// Creates limits; nil and zero mean the defaults, 500 per second and 1,000 concurrent attempts.
    ///
    /// The service chooses the burst size. What is published of live queues, 10 at 5/s and 100 at 500/s, fits a fifth
    /// of the rate, at least 10 and at most 100.
    package init(maxDispatchesPerSecond: DispatchRate? = nil, maxConcurrentDispatches: Int? = nil) {
      let rate = maxDispatchesPerSecond ?? .perSecond(0)
      self.maxDispatchesPerSecond = rate.millionthsPerSecond == 0 ? .perSecond(500) : rate
      let concurrent = maxConcurrentDispatches ?? 0
      self.maxConcurrentDispatches = concurrent == 0 ? 1_000 : concurrent
      maxBurstSize = Int(max(10, min(100, self.maxDispatchesPerSecond.millionthsPerSecond / 5_000_000)))
    }

    func validate() throws(ServiceFault) {
      guard maxDispatchesPerSecond.millionthsPerSecond >= 0 else {
        throw .invalidArgument("RateLimits.maxDispatchesPerSecond cannot be negative.")
      }
      guard maxDispatchesPerSecond <= .perSecond(500) else {
        throw .invalidArgument("RateLimits.maxDispatchesPerSecond must be less than or equal to 500.")
      }
      guard maxConcurrentDispatches >= 0 else {
        throw .invalidArgument("RateLimits.maxConcurrentDispatches cannot be negative.")
      }
      guard maxConcurrentDispatches <= 5_000 else {
        throw .invalidArgument("RateLimits.maxConcurrentDispatches must be less than or equal to 5000.")
      }
    }
  }

  /// A delivery rate in millionths per second, exact unlike the floating-point number on the wire.
  package struct DispatchRate: Hashable, Comparable, Sendable, Codable {
    /// Millionths of a delivery per second.
    package let millionthsPerSecond: Int64

    /// Creates a rate from millionths per second.
    package init(millionthsPerSecond: Int64) {
      self.millionthsPerSecond = millionthsPerSecond
    }

    /// Returns a rate of whole deliveries per second.
    package static func perSecond(_ count: Int64) -> DispatchRate {
      DispatchRate(millionthsPerSecond: count * 1_000_000)
    }

    /// Orders rates by speed.
    package static func < (left: DispatchRate, right: DispatchRate) -> Bool {
      left.millionthsPerSecond < right.millionthsPerSecond
    }
  }

  /// The retry settings of a task: delays and limits.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>.
  package struct RetryConfig: Hashable, Sendable, Codable {
    /// Maximum number of attempts, including the first; -1 for no limit.
    package var maxAttempts: Int
    /// Maximum time for retries, from the first attempt; zero for no limit.
    package var maxRetryDuration: Duration
    /// The delays between attempts.
    package var backoff: BackoffPolicy

    /// Creates settings; nil (and zero, except for the duration) means the default.
    ///
    /// The defaults are 100 attempts, 0 s, 0.1 s to 3,600 s and 16 doublings.
    package init(
      maxAttempts: Int? = nil, maxRetryDuration: Duration? = nil, minBackoff: Duration? = nil,
      maxBackoff: Duration? = nil, maxDoublings: Int? = nil
    ) {
      self.maxAttempts = maxAttempts.flatMap { $0 == 0 ? nil : $0 } ?? 100
      self.maxRetryDuration = maxRetryDuration ?? .zero
      backoff = BackoffPolicy(
        minimum: minBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .milliseconds(100),
        maximum: maxBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .seconds(3_600),
        doublings: maxDoublings.flatMap { $0 == 0 ? nil : $0 } ?? 16)
    }

    /// Returns why a failed task is abandoned, or nil if it is retried.
    ///
    /// Both limits must be reached. A disabled limit does not count; without either limit a task is retried until its
    /// retention ends.
    ///
    /// - Parameters:
    ///   - attempts: the number of attempts started.
    ///   - elapsed: the time since the start of the first attempt.
    /// - Returns: a description of the reached limits.
    package func reasonToGiveUp(attempts: Int, elapsed: Duration) -> String? {
      let hasDuration = maxRetryDuration > .zero
      guard maxAttempts != -1 || hasDuration else { return nil }
      guard maxAttempts == -1 || attempts >= maxAttempts else { return nil }
      guard !hasDuration || elapsed >= maxRetryDuration else { return nil }
      var limits: [String] = []
      if maxAttempts != -1 { limits.append("maxAttempts \(maxAttempts)") }
      if hasDuration { limits.append("maxRetryDuration \(maxRetryDuration)") }
      return limits.joined(separator: " and ") + " reached"
    }

    func validate() throws(ServiceFault) {
      guard maxAttempts >= -1 else {
        throw .invalidArgument("RetryConfig.maxAttempts must be greater or equal to -1.")
      }
      guard maxRetryDuration >= .zero else {
        throw .invalidArgument("RetryConfig.maxRetryDuration cannot be negative.")
      }
      guard backoff.minimum >= .zero else { throw .invalidArgument("RetryConfig.minBackoff cannot be negative.") }
      guard backoff.maximum >= .zero else { throw .invalidArgument("RetryConfig.maxBackoff cannot be negative.") }
      guard backoff.doublings >= 0 else { throw .invalidArgument("RetryConfig.maxDoublings cannot be negative.") }
      guard backoff.minimum <= backoff.maximum else {
        throw .invalidArgument("RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.")
      }
    }
  }
}
