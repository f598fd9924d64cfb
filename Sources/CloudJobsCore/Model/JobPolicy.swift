/// How a job behaves: the defaults in code, each of which its document may override at run time.
public struct JobPolicy: Hashable, Sendable {
  /// Whether the job may run at all.
  public var enabled = true
  /// The first time at which it may run.
  public var startAt: CalendarMoment?
  /// The last day on which it may run, that day included.
  public var endAt: CalendarMoment?
  /// Days on which it does not run.
  public var skipDates: [CalendarMoment] = []
  /// Jobs whose last run must have succeeded.
  public var dependencies: [JobID] = []
  /// The order among jobs that are due together: higher first.
  public var priority = 0
  /// When a failed attempt is tried again.
  public var retry = RetryPolicy.standard
  /// The longest that one attempt may take.
  public var timeout = Duration.minutes(5)
  /// A label that jobs share.
  public var group: String?
  /// What becomes of missed times.
  public var misfire = MisfirePolicy.once
  /// What becomes of a run while an earlier one is under way; nil means `allow` for endpoints and `skip` for the rest.
  public var overlap: OverlapPolicy?
  /// What fires the job, where its kind is `scheduled`.
  public var trigger = ScheduleTrigger.cloudScheduler
  /// The queue that carries the job's tasks; nil means the runtime's default.
  public var queue: String?
  /// How long a run's record is kept after it has ended.
  public var retention = Duration.days(90)

  /// The defaults.
  public init() {}
}
