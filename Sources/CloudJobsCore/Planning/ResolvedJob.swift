/// A job as it stands now: the definition in code under what its document says.
public struct ResolvedJob: Hashable, Sendable {
  /// The name.
  public var id: JobID
  /// How it is triggered.
  public var kind: JobKind
  /// When it fires; nil where nothing but a task triggers it.
  public var schedule: Schedule?
  /// The zone of its calendar days.
  public var zone: Zone
  /// How it behaves.
  public var policy: JobPolicy
  /// The schedule as Cloud Scheduler takes it; nil where it has no words for it: seconds, intervals such as `5m`, one
  /// point in time, and the extensions `L`, `W` and `#`.
  public private(set) var schedulerText: String?

  /// Puts a document's configuration over a definition.
  ///
  /// An interval's grid begins at `startAt` where that is an instant, and at 1970 otherwise.
  ///
  /// - Parameters:
  ///   - definition: what code says.
  ///   - configuration: what the document says; nil where there is none.
  ///   - zones: where zone data come from.
  /// - Throws: ``JobError`` `invalidSchedule`, `invalidTimeZone` or `invalidField`, with the field's name.
  public init(_ definition: JobDefinition, configuration: JobConfiguration?, zones: ZoneCatalog) throws(JobError) {
    let configuration = configuration ?? JobConfiguration()
    id = definition.id
    kind = configuration.type ?? definition.kind
    zone = try zones.zone(named: configuration.timeZone ?? definition.timeZone)
    policy = definition.policy.overridden(by: configuration)
    let source =
      configuration.cron.map { ScheduleSource.text($0) } ?? configuration.interval.map { .every($0) }
      ?? definition.schedule
    let anchor: Timestamp = if case .instant(let time) = policy.startAt { time } else { .epoch }
    switch source {
    case .text(let text)?: schedule = try Schedule(parsing: text, in: zone, anchor: anchor)
    case .every(let interval)?: schedule = try Schedule.every(interval, anchor: anchor)
    case nil: schedule = nil
    }
    if schedule == nil, kind == .periodic {
      throw JobError(.invalidSchedule, "A periodic job needs an interval or a cron expression.", field: "cron")
    }
    schedulerText = kind == .scheduled ? schedule.flatMap { Self.schedulerText($0, in: zone) } : nil
  }

  /// What becomes of a run while an earlier one is under way.
  public var overlap: OverlapPolicy {
    policy.overlap ?? (kind == .endpoint ? .allow : .skip)
  }

  private static func schedulerText(_ schedule: Schedule, in zone: Zone) -> String? {
    let text = CronParser.macros[schedule.text.lowercased()] ?? schedule.text
    return try? Schedule.unixCron(text, in: zone).text
  }

  /// Schedule, zone and start as one text: when it changes, `nextRun` must be computed anew.
  public var planKey: String? {
    let start =
      switch policy.startAt {
      case .day(let date)?: " from \(date)"
      case .instant(let time)?: " from \(time)"
      case nil: ""
      }
    return schedule.map { "\($0.text) @ \(zone.name)\(start)" }
  }

  /// The longest time for which an attempt may hold its lease.
  public func leaseSpan(margin: Duration) -> Duration { policy.timeout + margin }
}

extension JobPolicy {
  /// The policy with the values that a document sets.
  public func overridden(by configuration: JobConfiguration) -> JobPolicy {
    var policy = self
    policy.enabled = configuration.enabled ?? enabled
    policy.startAt = configuration.startAt ?? startAt
    policy.endAt = configuration.endAt ?? endAt
    policy.skipDates = configuration.skipDates ?? skipDates
    policy.dependencies = configuration.dependencies ?? dependencies
    policy.priority = configuration.priority ?? priority
    policy.timeout = configuration.timeout ?? timeout
    policy.group = configuration.group ?? group
    policy.misfire = configuration.misfire ?? misfire
    policy.overlap = configuration.overlap ?? overlap
    policy.trigger = configuration.trigger ?? trigger
    policy.queue = configuration.queue ?? queue
    if let maxRetries = configuration.maxRetries { policy.retry.maxAttempts = max(0, maxRetries).successor }
    return policy
  }
}
