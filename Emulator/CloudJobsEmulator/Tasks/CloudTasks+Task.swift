public import CloudJobsCore

extension CloudTasks {
  /// A task as its clients see it.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks>.
  public struct Task: Hashable, Sendable, Codable {
    /// The name.
    public var name: TaskName
    /// The request it makes.
    public var httpRequest: HTTPTarget
    /// When it is attempted next.
    public var scheduleTime: Timestamp
    /// When it was created, in whole seconds.
    public var createTime: Timestamp
    /// How long an attempt may take.
    public var dispatchDeadline: Duration
    /// Its own retry rules, which go before the queue's.
    public var retryConfig: RetryConfig?
    /// The request to App Engine that it was created with, where it was.
    public var appEngine: CloudScheduler.AppEngineTarget?
    /// How many attempts were dispatched.
    public var dispatchCount = 0
    /// How many attempts were answered.
    public var responseCount = 0
    /// The first attempt, its dispatch time only.
    public var firstAttempt: Attempt?
    /// The latest attempt.
    public var lastAttempt: Attempt?

    /// The task as a view shows it.
    func shown(in view: View) -> Task {
      guard view == .basic else { return self }
      var copy = self
      copy.httpRequest.body = []
      copy.appEngine?.body = []
      return copy
    }
  }
}
