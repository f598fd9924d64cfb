/// What code says about a job; its document overrides all but the name.
public struct JobDefinition: Hashable, Sendable {
  /// The name.
  public var id: JobID
  /// How it is triggered.
  public var kind: JobKind
  /// When it fires; nil for endpoints.
  public var schedule: ScheduleSource?
  /// The IANA name of the zone in which the schedule and all calendar days are read.
  public var timeZone: String
  /// How it behaves.
  public var policy: JobPolicy

  /// A definition; nothing is checked before it is registered.
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

/// A schedule as it is written down, before it is parsed in a zone.
public enum ScheduleSource: Hashable, Sendable {
  /// Any form that ``Schedule/init(parsing:in:anchor:)`` takes.
  case text(String)
  /// A fixed interval.
  case every(Duration)
}
