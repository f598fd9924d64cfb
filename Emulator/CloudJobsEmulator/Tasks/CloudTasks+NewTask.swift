public import CloudJobsCore

extension CloudTasks {
  /// What a client says about a task that it creates.
  public struct NewTask: Hashable, Sendable {
    /// The whole name, or nil where the service is to choose one.
    public var name: String?
    /// The request to make.
    public var httpRequest: HTTPTarget
    /// When to attempt it first; nil or a past time means now.
    public var scheduleTime: Timestamp?
    /// How long an attempt may take, 15 s to 30 min; nil or zero means 10 min.
    public var dispatchDeadline: Duration?
    /// Retry rules of its own.
    public var retryConfig: RetryConfig?
    /// The request to App Engine, which goes before the other one.
    public var appEngine: CloudScheduler.AppEngineTarget?

    /// A task that makes a request.
    public init(
      name: String? = nil, httpRequest: HTTPTarget, scheduleTime: Timestamp? = nil,
      dispatchDeadline: Duration? = nil, retryConfig: RetryConfig? = nil,
      appEngine: CloudScheduler.AppEngineTarget? = nil
    ) {
      self.name = name
      self.httpRequest = httpRequest
      self.scheduleTime = scheduleTime
      self.dispatchDeadline = dispatchDeadline
      self.retryConfig = retryConfig
      self.appEngine = appEngine
    }

    /// Checks everything but the name.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`.
    func validate(at now: Timestamp) throws(ServiceFault) {
      try appEngine?.validate()
      try httpRequest.validate(field: "HttpRequest.url")
      if let dispatchDeadline, dispatchDeadline != .zero {
        let longest: Duration = appEngine == nil ? .minutes(30) : .hours(24) + .seconds(15)
        guard (.seconds(15)...longest).contains(dispatchDeadline) else {
          throw .invalidArgument(
            "Task.dispatchDeadline must be between [15s, \(appEngine == nil ? "30m" : "24h15s")].")
        }
      }
      if let scheduleTime, scheduleTime > now + .hours(720) {
        throw .invalidArgument(
          "The Task.scheduleTime, \(scheduleTime), is too far in the future. "
            + "Schedule time must be no more than 720h in the future.")
      }
      try retryConfig?.validate()
      let size =
        httpRequest.body.count + httpRequest.url.utf8.count
        + httpRequest.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
      guard size <= Options.maximumTaskBytes else { throw .invalidArgument("Task size too large") }
    }
  }
}
