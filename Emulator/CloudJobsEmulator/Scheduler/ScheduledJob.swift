package import CloudJobsCore

extension CloudScheduler {
  /// A job as clients see it.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs>.
  package struct Job: Hashable, Sendable, Codable {
    /// The state of a job.
    package enum State: Int, Hashable, Sendable, Codable, CaseIterable {
      /// The job runs on its schedule.
      case enabled = 1
      /// The job is paused until it is resumed.
      case paused = 2
      /// Disabled by the service.
      case disabled = 3
      /// An update failed.
      case updateFailed = 4

      /// The name on the wire.
      package var name: String {
        switch self {
        case .enabled: "ENABLED"
        case .paused: "PAUSED"
        case .disabled: "DISABLED"
        case .updateFailed: "UPDATE_FAILED"
        }
      }
    }

    /// The name.
    package var name: JobName
    /// A human-readable description.
    package var description: String
    /// The target.
    package var target: Target
    /// The schedule: five cron fields, or the English-like syntax.
    package var schedule: String
    /// The time zone of the schedule.
    package var timeZone: String
    /// The state; changed only by pause and resume.
    package var state: State
    /// The retry settings; nil for the defaults.
    package var retryConfig: RetryConfig?
    /// The time limit of an attempt; nil for that of an App Engine target's service, and for a Pub/Sub target.
    package var attemptDeadline: Duration?
    /// The result of the latest attempt.
    package var status: RPCStatus?
    /// The time of the last change by a client.
    package var userUpdateTime: Timestamp
    /// The time of the next attempt: a retry or the next run of the schedule.
    package var scheduleTime: Timestamp?
    /// The time at which the latest attempt started.
    package var lastAttemptTime: Timestamp?

    /// The time limit of an attempt that has effect.
    var attemptLimit: Duration { attemptDeadline ?? target.defaultDeadline }
  }

  /// The retry settings of a job: delays and limits.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#RetryConfig>.
  package struct RetryConfig: Hashable, Sendable, Codable {
    /// Maximum number of retries, 0 to 5.
    package var retryCount: Int
    /// Maximum time for retries, from the first attempt; zero for no limit.
    package var maxRetryDuration: Duration
    /// The delays between attempts.
    package var backoff: BackoffPolicy

    /// Creates settings; nil (and zero, except for the first two) means the default.
    ///
    /// The defaults are no retry, 0 s, 5 s to 1 h and 5 doublings.
    package init(
      retryCount: Int? = nil, maxRetryDuration: Duration? = nil, minBackoff: Duration? = nil,
      maxBackoff: Duration? = nil, maxDoublings: Int? = nil
    ) {
      self.retryCount = retryCount ?? 0
      self.maxRetryDuration = maxRetryDuration ?? .zero
      backoff = BackoffPolicy(
        minimum: minBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .seconds(5),
        maximum: maxBackoff.flatMap { $0 == .zero ? nil : $0 } ?? .seconds(3_600),
        doublings: maxDoublings.flatMap { $0 == 0 ? nil : $0 } ?? 5)
    }

    /// Returns why a failed execution is abandoned, or nil if it is retried; both limits must be reached.
    ///
    /// - Parameters:
    ///   - attempts: the number of attempts of the execution.
    ///   - elapsed: the time since the first attempt.
    /// - Returns: a description of the reached limits.
    package func reasonToGiveUp(attempts: Int, elapsed: Duration) -> String? {
      guard attempts > retryCount else { return nil }
      guard maxRetryDuration <= .zero || elapsed >= maxRetryDuration else { return nil }
      let duration = maxRetryDuration > .zero ? " and maxRetryDuration \(maxRetryDuration)" : ""
      return "retryCount \(retryCount)\(duration) reached"
    }

    func validate() throws(ServiceFault) {
      guard (0...5).contains(retryCount) else {
        throw .invalidArgument("RetryConfig.retryCount must be between 0 and 5.")
      }
      guard maxRetryDuration >= .zero else {
        throw .invalidArgument("RetryConfig.maxRetryDuration cannot be negative.")
      }
      guard backoff.minimum >= .zero, backoff.maximum >= .zero else {
        throw .invalidArgument("RetryConfig.minBackoffDuration and maxBackoffDuration cannot be negative.")
      }
      guard backoff.doublings >= 0 else { throw .invalidArgument("RetryConfig.maxDoublings cannot be negative.") }
      guard backoff.minimum <= backoff.maximum else {
        throw .invalidArgument(
          "RetryConfig.minBackoffDuration must be less than or equal to RetryConfig.maxBackoffDuration.")
      }
    }
  }

  /// The input for creating or updating a job.
  package struct JobDraft: Hashable, Sendable {
    /// The full name; empty for a generated one.
    package var name: String
    /// A human-readable description of at most 500 characters.
    package var description: String
    /// The target; nil only in an update that does not change it.
    package var target: Target?
    /// The schedule: five cron fields, or the English-like syntax.
    package var schedule: String
    /// The IANA name of the time zone; empty means UTC.
    package var timeZone: String
    /// The retry settings; nil for the defaults.
    package var retryConfig: RetryConfig?
    /// The time limit of an attempt, 15 s to 30 min, for App Engine to 24 h 15 s; nil or zero for the
    /// target's default.
    package var attemptDeadline: Duration?

    /// Returns a job.
    package init(
      name: String = "", description: String = "", target: Target? = nil, schedule: String = "",
      timeZone: String = "", retryConfig: RetryConfig? = nil, attemptDeadline: Duration? = nil
    ) {
      self.name = name
      self.description = description
      self.target = target
      self.schedule = schedule
      self.timeZone = timeZone
      self.retryConfig = retryConfig
      self.attemptDeadline = attemptDeadline
    }

    /// Creates the draft that describes an existing job.
    init(_ job: Job) {
      self.init(
        name: job.name.text, description: job.description, target: job.target, schedule: job.schedule,
        timeZone: job.timeZone, retryConfig: job.retryConfig, attemptDeadline: job.attemptDeadline)
    }

    /// Validates everything except the name, the target and the schedule.
    func validate() throws(ServiceFault) {
      guard description.count <= 500 else {
        throw .invalidArgument("Job.description must not contain more than 500 characters.")
      }
      try retryConfig?.validate()
      if let attemptDeadline, attemptDeadline != .zero, let longest = target?.longestDeadline {
        guard (.seconds(15)...longest).contains(attemptDeadline) else {
          throw .invalidArgument(
            "Job.attemptDeadline must be between [15s, \(longest == .minutes(30) ? "30m" : "24h15s")].")
        }
      }
    }

    /// The time limit of an attempt that the job shows.
    var shownDeadline: Duration? {
      let given = attemptDeadline.flatMap { $0 == .zero ? nil : $0 }
      switch target {
      case .http(_)?: return given ?? target?.defaultDeadline
      case .appEngine(_)?: return given
      case .pubsub(_)?, nil: return nil
      }
    }

    /// Parses the schedule in its time zone.
    func parsedSchedule(zones: ZoneCatalog, at now: Timestamp) throws(ServiceFault) -> Schedule {
      let name = timeZone.isEmpty || timeZone.lowercased() == "utc" ? "UTC" : timeZone
      guard let zone = try? zones.zone(named: name),
        let schedule = try? Schedule.unixCron(schedule, in: zone, anchor: Timestamp(seconds: now.seconds))
      else { throw .invalidArgument("Schedule or time zone is invalid.") }
      return schedule
    }
  }
}

extension CloudScheduler.JobDraft {
  /// Copies the fields named by a mask from another draft; without a mask, all fields.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for an unknown field, or one that does not fit the target.
  mutating func merge(_ other: CloudScheduler.JobDraft, mask: FieldMask?) throws(ServiceFault) {
    let everything = ["description", "target", "schedule", "timeZone", "retryConfig", "attemptDeadline"]
    for path in mask?.paths ?? everything {
      switch path {
      case "*": try merge(other, mask: nil)
      case "description": description = other.description
      case "schedule": schedule = other.schedule
      case "timeZone": timeZone = other.timeZone
      case "attemptDeadline": attemptDeadline = other.attemptDeadline
      case "target": target = other.target ?? target
      case "httpTarget", "pubsubTarget", "appEngineHttpTarget": target = other.target
      case "retryConfig": retryConfig = other.retryConfig
      case _ where path.hasPrefix("retryConfig."): retryConfig = try mergedRetryConfig(with: other, path: path)
      case "name", "state", "status", "userUpdateTime", "scheduleTime", "lastAttemptTime": break
      default: target = try mergedTarget(with: other.target, path: path)
      }
    }
  }

  private func mergedRetryConfig(
    with other: CloudScheduler.JobDraft, path: String
  ) throws(ServiceFault) -> CloudScheduler.RetryConfig {
    var merged = retryConfig ?? .init()
    let other = other.retryConfig ?? .init()
    switch path.dropFirst("retryConfig.".count) {
    case "retryCount": merged.retryCount = other.retryCount
    case "maxRetryDuration": merged.maxRetryDuration = other.maxRetryDuration
    case "minBackoffDuration": merged.backoff.minimum = other.backoff.minimum
    case "maxBackoffDuration": merged.backoff.maximum = other.backoff.maximum
    case "maxDoublings": merged.backoff.doublings = other.backoff.doublings
    default: throw Self.unknown(path)
    }
    return merged
  }

  /// Returns the target with one of its fields copied from another target of its kind.
  private func mergedTarget(
    with other: CloudScheduler.Target?, path: String
  ) throws(ServiceFault) -> CloudScheduler.Target {
    let kind = path.prefix { $0 != "." }
    let field = String(path.dropFirst(kind.count + 1))
    guard ["httpTarget", "pubsubTarget", "appEngineHttpTarget"].contains(kind) else { throw Self.unknown(path) }
    switch (target, other) {
    case (.http(var target), .http(let other)) where kind == "httpTarget":
      switch field {
      case "uri": target.url = other.url
      case "httpMethod": target.method = other.method
      case "headers": target.headers = other.headers
      case "body": target.body = other.body
      case "oidcToken", "oauthToken": target.authorization = other.authorization
      default: throw Self.unknown(path)
      }
      return .http(target)
    case (.pubsub(var target), .pubsub(let other)) where kind == "pubsubTarget":
      switch field {
      case "topicName": target.topicName = other.topicName
      case "data": target.data = other.data
      case "attributes": target.attributes = other.attributes
      default: throw Self.unknown(path)
      }
      return .pubsub(target)
    case (.appEngine(var target), .appEngine(let other)) where kind == "appEngineHttpTarget":
      switch field {
      case "relativeUri": target.relativeURI = other.relativeURI
      case "httpMethod": target.method = other.method
      case "headers": target.headers = other.headers
      case "body": target.body = other.body
      case "appEngineRouting": target.routing = other.routing
      default: throw Self.unknown(path)
      }
      return .appEngine(target)
    default: throw .invalidArgument("The update mask names \"\(path)\", but the job has no \(kind).")
    }
  }

  private static func unknown(_ path: String) -> ServiceFault {
    .invalidArgument("The update mask names \"\(path)\", which is not a field of a job.")
  }
}

extension CloudScheduler {
  /// The name of a job: `projects/P/locations/L/jobs/J`.
  package struct JobName: Hashable, Comparable, Sendable {
    /// The full name.
    package let text: String
    /// The job's location.
    package let location: LocationName
    /// The ID: the last part of the name.
    package let id: String

    /// Parses and validates a name.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`.
    package init(_ text: String) throws(ServiceFault) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 6, parts[4] == "jobs", NameAlphabet.task.allows(parts[5]),
        let location = try? LocationName(parts[..<4].joined(separator: "/"))
      else {
        throw .invalidArgument(
          "Job name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/jobs/<JOB_ID>\".")
      }
      self.init(location: location, uncheckedID: String(parts[5]))
    }

    init(location: LocationName, uncheckedID id: String) {
      self.location = location
      self.id = id
      text = "\(location.text)/jobs/\(id)"
    }

    /// Compares the full names.
    package static func == (left: JobName, right: JobName) -> Bool { left.text == right.text }

    /// Hashes the full name.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Orders names alphabetically.
    package static func < (left: JobName, right: JobName) -> Bool { left.text < right.text }
  }
}

extension CloudScheduler.JobName: CustomStringConvertible {
  /// The full name.
  package var description: String { text }
}

extension CloudScheduler.JobName: Codable {
  /// Decodes a name from text.
  package init(from decoder: any Decoder) throws { try self.init(String(from: decoder)) }

  /// Encodes the full name as text.
  package func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
