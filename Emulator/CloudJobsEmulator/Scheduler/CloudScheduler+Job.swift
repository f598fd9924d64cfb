public import CloudJobsCore

extension CloudScheduler {
  /// A job as its clients see it.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs>.
  public struct Job: Hashable, Sendable, Codable {
    /// Whether a job fires.
    public enum State: Int, Hashable, Sendable, Codable, CaseIterable {
      /// It fires on its schedule.
      case enabled = 1
      /// It waits to be resumed.
      case paused = 2
      /// Switched off by the service.
      case disabled = 3
      /// An update went wrong.
      case updateFailed = 4

      /// The name on the wire.
      public var name: String {
        switch self {
        case .enabled: "ENABLED"
        case .paused: "PAUSED"
        case .disabled: "DISABLED"
        case .updateFailed: "UPDATE_FAILED"
        }
      }
    }

    /// The name.
    public var name: JobName
    /// Words for a person.
    public var description: String
    /// What it does.
    public var target: Target
    /// When: five cron fields, or English.
    public var schedule: String
    /// The zone whose clock the schedule speaks of.
    public var timeZone: String
    /// Whether it fires; set by pause and resume only.
    public var state: State
    /// How a failed execution is retried.
    public var retryConfig: RetryConfig
    /// How long an attempt may take.
    public var attemptDeadline: Duration
    /// How the latest attempt ended.
    public var status: RPCStatus?
    /// When a client last changed it.
    public var userUpdateTime: Timestamp
    /// When it is attempted next: a retry, or the next firing of the schedule.
    public var scheduleTime: Timestamp?
    /// When the latest attempt began.
    public var lastAttemptTime: Timestamp?
  }
}
