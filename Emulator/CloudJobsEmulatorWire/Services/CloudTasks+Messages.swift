import CloudJobsCore
import CloudJobsEmulator

// The messages of google.cloud.tasks.v2, and the types of the service that they stand for.

extension CloudTasks.Queue {
  /// A queue as clients send it.
  ///
  /// - Parameters:
  ///   - message: the message.
  ///   - mask: the fields that an update names; nil for a new queue.
  /// - Throws: ``ServiceFault`` `invalidArgument` for an invalid name, rate or target.
  init(_ message: Message, mask: FieldMask? = nil) throws(ServiceFault) {
    var rateLimits = CloudTasks.RateLimits()
    if let limits = message.message("rate_limits") {
      rateLimits = CloudTasks.RateLimits(
        maxDispatchesPerSecond: try CloudTasks.DispatchRate(limits.double("max_dispatches_per_second")),
        maxConcurrentDispatches: limits.int("max_concurrent_dispatches"))
    }
    self.init(
      name: try CloudTasks.QueueName(message.string("name")), rateLimits: rateLimits,
      retryConfig: message.message("retry_config").map { CloudTasks.RetryConfig($0, mask: mask) } ?? .init())
    target = try message.message("http_target").map { target throws(ServiceFault) in
      try CloudTasks.QueueTarget(target)
    }
    appEngineRouting = message.message("app_engine_routing_override").map { AppEngineRouting($0) }
    loggingRatio = message.message("stackdriver_logging_config")?.double("sampling_ratio")
  }
}

extension CloudTasks.DispatchRate {
  /// A rate as clients send it.
  init(_ number: Double) throws(ServiceFault) {
    guard abs(number) <= 1e12 else {
      throw .invalidArgument("RateLimits.maxDispatchesPerSecond must be less than or equal to 500.")
    }
    self.init(millionthsPerSecond: Int64((number * 1_000_000).rounded()))
  }
}

extension CloudTasks.RetryConfig {
  /// Retry rules as clients send them.
  ///
  /// A zero means the default, except in a field that a mask names: there it was meant.
  init(_ message: Message, mask: FieldMask? = nil) {
    let (minimum, maximum) = (message.duration("min_backoff"), message.duration("max_backoff"))
    let doublings = message.int("max_doublings")
    self.init(
      maxAttempts: message.int("max_attempts"), maxRetryDuration: message.duration("max_retry_duration"),
      minBackoff: minimum, maxBackoff: maximum, maxDoublings: doublings)
    let masked = Set(mask?.paths ?? [])
    if masked.contains("retryConfig.minBackoff"), (minimum ?? .zero) == .zero { backoff.minimum = .zero }
    if masked.contains("retryConfig.maxBackoff"), (maximum ?? .zero) == .zero { backoff.maximum = .zero }
    if masked.contains("retryConfig.maxDoublings"), doublings == 0 { backoff.doublings = 0 }
  }
}

extension CloudTasks.QueueTarget {
  /// The `HttpTarget` of a queue.
  fileprivate init(_ message: Message) throws(ServiceFault) {
    self.init(
      uri: try message.message("uri_override").map { uri throws(ServiceFault) in try CloudTasks.URIOverride(uri) },
      method: try message.known("http_method"),
      headers: message.messages("header_overrides").compactMap { override in
        override.message("header").map { HeaderField($0.string("key"), $0.string("value")) }
      },
      authorization: TargetAuthorization(message))
  }
}

extension CloudTasks.URIOverride {
  fileprivate init(_ message: Message) throws(ServiceFault) {
    self.init(
      scheme: try message.known("scheme"), host: message["host"].map { _ in message.string("host") },
      port: message["port"].map { _ in Int64(message.int("port")) },
      path: message.message("path_override")?.string("path"),
      query: message.message("query_override")?.string("query_params"),
      mode: try message.known("uri_override_enforce_mode"))
  }
}

extension CloudTasks.NewTask {
  /// The task of a `CreateTaskRequest`.
  init(_ request: Message) throws(ServiceFault) {
    guard let task = request.message("task") else { throw .invalidArgument("CreateTaskRequest.task is required.") }
    self.init(
      name: task.text("name"), target: try CloudTasks.Target(task), scheduleTime: task.timestamp("schedule_time"),
      dispatchDeadline: task.duration("dispatch_deadline"),
      retryConfig: task.message("retry_config").map { CloudTasks.RetryConfig($0) })
  }
}

extension CloudTasks.Target {
  /// The target of a task; nil for none.
  fileprivate init?(_ task: Message) throws(ServiceFault) {
    if let request = task.message("http_request") {
      self = .http(try HTTPTarget(request, urlName: "url"))
    } else if let request = task.message("app_engine_http_request") {
      self = .appEngine(try AppEngineTarget(request))
    } else {
      return nil
    }
  }
}

extension Message {
  /// Fills a queue.
  mutating func fill(_ queue: CloudTasks.Queue) {
    set("name", queue.name.text)
    set("state", queue.state)
    set("purge_time", queue.purgeTime)
    set("rate_limits") {
      $0.set("max_dispatches_per_second", Double(queue.rateLimits.maxDispatchesPerSecond.millionthsPerSecond) / 1e6)
      $0.set("max_burst_size", queue.rateLimits.maxBurstSize)
      $0.set("max_concurrent_dispatches", queue.rateLimits.maxConcurrentDispatches)
    }
    set("retry_config") { $0.fill(queue.retryConfig) }
    if let target = queue.target { set("http_target") { $0.fill(target) } }
    if let routing = queue.appEngineRouting { set("app_engine_routing_override") { $0.fill(routing) } }
    if let ratio = queue.loggingRatio { set("stackdriver_logging_config") { $0.set("sampling_ratio", ratio) } }
  }

  private mutating func fill(_ retry: CloudTasks.RetryConfig) {
    set("max_attempts", retry.maxAttempts)
    if retry.maxRetryDuration != .zero { set("max_retry_duration", retry.maxRetryDuration) }
    set("min_backoff", retry.backoff.minimum)
    set("max_backoff", retry.backoff.maximum)
    set("max_doublings", retry.backoff.doublings)
  }

  private mutating func fill(_ target: CloudTasks.QueueTarget) {
    if let uri = target.uri { set("uri_override") { $0.fill(uri) } }
    set("http_method", target.method)
    set("header_overrides", forEach: target.headers) { override, field in
      override.set("header") {
        $0.set("key", field.name)
        $0.set("value", field.value)
      }
    }
    fill(target.authorization, url: nil)
  }

  private mutating func fill(_ uri: CloudTasks.URIOverride) {
    set("scheme", uri.scheme)
    set("host", uri.host)
    set("port", uri.port.map { Int($0) })
    if let path = uri.path { set("path_override") { $0.set("path", path) } }
    if let query = uri.query { set("query_override") { $0.set("query_params", query) } }
    set("uri_override_enforce_mode", uri.mode ?? .always)
  }

  /// Fills a task.
  mutating func fill(_ task: CloudTasks.Task, in view: CloudTasks.View) {
    set("name", task.name.description)
    switch task.target {
    case .http(let request): set("http_request") { $0.fill(request, urlName: "url") }
    case .appEngine(let request): set("app_engine_http_request") { $0.fill(request) }
    }
    set("schedule_time", task.scheduleTime)
    set("create_time", task.createTime)
    set("dispatch_deadline", task.dispatchDeadline)
    set("dispatch_count", task.dispatchCount)
    set("response_count", task.responseCount)
    if let attempt = task.firstAttempt { set("first_attempt") { $0.fill(attempt) } }
    if let attempt = task.lastAttempt { set("last_attempt") { $0.fill(attempt) } }
    if let retry = task.retryConfig { set("retry_config") { $0.fill(retry) } }
    set("view", view)
  }

  private mutating func fill(_ attempt: CloudTasks.Attempt) {
    set("schedule_time", attempt.scheduleTime)
    set("dispatch_time", attempt.dispatchTime)
    set("response_time", attempt.responseTime)
    set("response_status", status: attempt.responseStatus)
  }
}
