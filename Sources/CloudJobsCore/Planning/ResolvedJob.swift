/// A job's effective configuration: its definition in code, overridden by its document.
public struct ResolvedJob: Hashable, Sendable {
  /// The job's id.
  public var id: JobID
  /// The kind of trigger.
  public var kind: JobKind
  /// The schedule; nil if only tasks trigger the job.
  public var schedule: Schedule?
  /// The time zone of the schedule and of calendar days.
  public var zone: Zone
  /// The policy.
  public var policy: JobPolicy
  /// The schedule in Cloud Scheduler's syntax; nil if that has no form for it: seconds, intervals such as `5m`, a
  /// single point in time, and the extensions `L`, `W` and `#`.
  public private(set) var schedulerText: String?

  /// Applies a document's configuration to a definition.
  ///
  /// The grid of an interval begins at `startAt` if that is an instant, and at 1970 otherwise.
  ///
  /// - Parameters:
  ///   - definition: the definition in code.
  ///   - configuration: the configuration in the document; nil if there is none.
  ///   - zones: the source of time zones.
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
    for (count, field) in [(policy.maxConcurrent, "maxConcurrent"), (policy.groupMaxConcurrent, "groupMaxConcurrent")] {
      guard let count, !(0...JobLimit.maximumConcurrent).contains(count) else { continue }
      throw JobError(
        .invalidField, "A limit allows 1 to \(JobLimit.maximumConcurrent) attempts at once; 0 means no limit.",
        field: field)
    }
    if schedule == nil, kind == .periodic {
      throw JobError(.invalidSchedule, "A periodic job needs an interval or a cron expression.", field: "cron")
    }
    schedulerText = kind == .scheduled ? schedule.flatMap { Self.schedulerText($0, in: zone) } : nil
  }

  /// Returns the job with another interval, which Cloud Scheduler can't express.
  ///
  /// - Parameter interval: the interval.
  /// - Returns: the job.
  /// - Throws: ``JobError`` `invalidSchedule` if the job has no schedule, or if the interval is out of range.
  func scheduled(every interval: Duration) throws(JobError) -> ResolvedJob {
    guard kind != .endpoint, schedule != nil else {
      throw JobError(.invalidSchedule, "The job \(id) has no schedule. Give the rate of its runs.", field: "interval")
    }
    var job = self
    job.schedule = try Schedule.every(interval)
    job.schedulerText = nil
    return job
  }

  /// The treatment of a run while an earlier one is under way.
  public var overlap: OverlapPolicy {
    policy.overlap ?? (kind == .endpoint ? .allow : .skip)
  }

  private static func schedulerText(_ schedule: Schedule, in zone: Zone) -> String? {
    let text = CronParser.macros[schedule.text.lowercased()] ?? schedule.text
    return try? Schedule.unixCron(text, in: zone).text
  }

  /// The text of the job's ``PlanKey``; nil without a schedule.
  public var planKey: String? { PlanKey(self)?.description }
}

extension JobPolicy {
  /// Returns the policy with the values that a document sets.
  public func overridden(by configuration: JobConfiguration) -> JobPolicy {
    var policy = self
    policy.enabled = configuration.enabled ?? enabled
    policy.paused = configuration.paused ?? paused
    policy.startAt = configuration.startAt ?? startAt
    policy.endAt = configuration.endAt ?? endAt
    policy.skipDates = configuration.skipDates ?? skipDates
    policy.dependencies = configuration.dependencies ?? dependencies
    policy.priority = configuration.priority ?? priority
    if let timeout = configuration.timeout { policy.timeout = timeout }
    if let weight = configuration.weight {
      policy.descriptor = effectiveDescriptor
      policy.descriptor?.weight = weight
    }
    policy.group = configuration.group ?? group
    policy.misfire = configuration.misfire ?? misfire
    policy.overlap = configuration.overlap ?? overlap
    policy.breaker = configuration.breaker ?? breaker
    policy.maxConcurrent = configuration.maxConcurrent ?? maxConcurrent
    policy.rate = configuration.rate ?? rate
    policy.groupMaxConcurrent = configuration.groupMaxConcurrent ?? groupMaxConcurrent
    policy.trigger = configuration.trigger ?? trigger
    policy.queue = configuration.queue ?? queue
    policy.input = configuration.input ?? input
    policy.metadata = metadata.merging(configuration.metadata ?? [:]) { $1 }
    if let change = configuration.retention { policy.retention = change.applied(to: retention) }
    if let change = configuration.retry { policy.retry = change.applied(to: retry) }
    if let maxRetries = configuration.maxRetries { policy.retry.maxAttempts = max(0, maxRetries).successor }
    // Work that must not be repeated is not repeated by an edit of its document either.
    if descriptor?.isRetryable == false { policy.retry = .never }
    return policy
  }
}
