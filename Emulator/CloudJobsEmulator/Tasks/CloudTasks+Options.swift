public import CloudJobsCore

extension CloudTasks {
  /// What the service leaves to the emulator's user.
  public struct Options: Hashable, Sendable {
    /// How long the name of a task that ended can't be used again.
    ///
    /// The documents disagree (1 h, up to 24 h, 9 days): nothing should rely on it.
    public var taskTombstone: Duration
    /// How long the name of a deleted queue can't be used again; up to 3 days in the documents.
    public var queueTombstone: Duration
    /// How long a task lives, from its creation.
    public var retention: Duration
    /// A token bucket's size in place of the service's choice.
    public var burstSize: Int?
    /// What stands for App Engine, such as `http://127.0.0.1:8080`; without it App Engine tasks are refused.
    public var appEngineOrigin: String?

    /// The largest task, in bytes of body, URL and headers; as recorded, where the documents say 100 KB.
    public static let maximumTaskBytes = 1_048_569

    /// Options with the service's usual values.
    public init(
      taskTombstone: Duration = .hours(1), queueTombstone: Duration = .days(3), retention: Duration = .days(31),
      burstSize: Int? = nil, appEngineOrigin: String? = nil
    ) {
      self.taskTombstone = taskTombstone
      self.queueTombstone = queueTombstone
      self.retention = retention
      self.burstSize = burstSize
      self.appEngineOrigin = appEngineOrigin
    }
  }
}
