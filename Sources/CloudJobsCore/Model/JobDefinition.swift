/// A job's definition in code; the job's document overrides everything except the name.
public struct JobDefinition: Hashable, Sendable {
  /// The job's name.
  public var id: JobID
  /// The kind of trigger.
  public var kind: JobKind
  /// The schedule; nil for endpoints.
  public var schedule: ScheduleSource?
  /// The IANA name of the time zone for the schedule and all calendar days.
  public var timeZone: String
  /// The job's policy.
  public var policy: JobPolicy

  /// Creates a definition, which is validated when it is registered.
  public init(
    id: JobID, kind: JobKind, schedule: ScheduleSource? = nil, timeZone: String = "Etc/UTC",
    policy: JobPolicy = JobPolicy()
  ) {
    self.id = id
    self.kind = kind
    self.schedule = schedule
    self.timeZone = timeZone
    self.policy = policy
  }
}

/// An unparsed schedule.
public enum ScheduleSource: Hashable, Sendable {
  /// Text in any form that ``Schedule/init(parsing:in:anchor:)`` accepts.
  case text(String)
  /// A fixed interval.
  case every(Duration)
}

/// The way a job is triggered.
public enum JobKind: String, Hashable, Sendable, CaseIterable {
  /// By an enqueued task.
  case endpoint
  /// By a scheduler, according to the job's own cron expression.
  case scheduled
  /// By the master pass, when the interval or cron expression is due.
  case periodic
}
