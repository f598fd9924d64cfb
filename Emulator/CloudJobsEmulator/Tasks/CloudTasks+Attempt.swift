public import CloudJobsCore

extension CloudTasks {
  /// One attempt of a task.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Attempt>.
  public struct Attempt: Hashable, Sendable, Codable {
    /// When it was due; the first attempt's record does not keep it.
    public var scheduleTime: Timestamp?
    /// When it was dispatched.
    public var dispatchTime: Timestamp
    /// When it ended, or nil while it runs.
    public var responseTime: Timestamp?
    /// How it ended, or nil while it runs.
    public var responseStatus: RPCStatus?
  }
}
