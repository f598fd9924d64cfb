import CloudJobsCore

extension CloudScheduler {
  /// What a client says about a job that it creates or changes.
  public struct JobDraft: Hashable, Sendable {
    /// The whole name; empty where the service is to choose one.
    public var name: String
    /// Words for a person, at most 500 characters.
    public var description: String
    /// What to do; nil only in a change that does not concern it.
    public var target: Target?
    /// When: five cron fields, or English.
    public var schedule: String
    /// The zone's IANA name; empty means UTC.
    public var timeZone: String
    /// How a failed execution is retried.
    public var retryConfig: RetryConfig
    /// How long an attempt may take, 15 s to 30 min; nil or zero means 3 min.
    public var attemptDeadline: Duration?

    /// A job.
    public init(
      name: String = "", description: String = "", target: Target? = nil, schedule: String = "",
      timeZone: String = "", retryConfig: RetryConfig = .init(), attemptDeadline: Duration? = nil
    ) {
      self.name = name
      self.description = description
      self.target = target
      self.schedule = schedule
      self.timeZone = timeZone
      self.retryConfig = retryConfig
      self.attemptDeadline = attemptDeadline
    }

    /// The draft that would make a job as it is.
    init(_ job: Job) {
      self.init(
        name: job.name.text, description: job.description, target: job.target, schedule: job.schedule,
        timeZone: job.timeZone, retryConfig: job.retryConfig, attemptDeadline: job.attemptDeadline)
    }

    /// Checks everything but the name and the schedule.
    func validate() throws(ServiceFault) {
      guard description.count <= 500 else {
        throw .invalidArgument("Job.description must not contain more than 500 characters.")
      }
      guard let target else {
        throw .invalidArgument("One of httpTarget, pubsubTarget and appEngineHttpTarget is required.")
      }
      try target.validate()
      try retryConfig.validate()
      if let attemptDeadline, attemptDeadline != .zero {
        guard (.seconds(15) ... .minutes(30)).contains(attemptDeadline) else {
          throw .invalidArgument("Job.attemptDeadline must be between [15s, 30m].")
        }
      }
    }

    /// Parses the schedule in its zone.
    func parsedSchedule(zones: ZoneCatalog, at now: Timestamp) throws(ServiceFault) -> Schedule {
      let name = timeZone.isEmpty || timeZone.lowercased() == "utc" ? "UTC" : timeZone
      guard let zone = try? zones.zone(named: name),
        let schedule = try? Schedule.unixCron(schedule, in: zone, anchor: Timestamp(seconds: now.seconds))
      else { throw .invalidArgument("Schedule or time zone is invalid.") }
      return schedule
    }
  }
}
