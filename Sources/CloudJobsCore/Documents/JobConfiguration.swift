/// What an operator may set in a job's document; what is nil falls back to the definition in code.
public struct JobConfiguration: Hashable, Sendable {
  /// How the job is triggered.
  public var type: JobKind?
  /// Whether it may run.
  public var enabled: Bool?
  /// A cron expression or another form of schedule.
  public var cron: String?
  /// The interval of a periodic job.
  public var interval: Duration?
  /// The IANA name of the zone.
  public var timeZone: String?
  /// The first time at which the job may run.
  public var startAt: CalendarMoment?
  /// The last day on which the job may run.
  public var endAt: CalendarMoment?
  /// Days on which the job does not run.
  public var skipDates: [CalendarMoment]?
  /// Jobs whose last run must have succeeded.
  public var dependencies: [JobID]?
  /// The order among the due: higher first.
  public var priority: Int?
  /// The attempts after the first.
  public var maxRetries: Int?
  /// The longest that one attempt may take.
  public var timeout: Duration?
  /// A label that jobs share.
  public var group: String?
  /// What becomes of missed times.
  public var misfire: MisfirePolicy?
  /// What becomes of a run while an earlier one is under way.
  public var overlap: OverlapPolicy?
  /// What fires the job, where its kind is `scheduled`.
  public var trigger: ScheduleTrigger?
  /// The queue that carries the job's tasks.
  public var queue: String?
  /// Whatever the operator likes to keep with the job.
  public var metadata: [String: JSONValue]?

  /// A configuration that overrides nothing.
  public init() {}
}
