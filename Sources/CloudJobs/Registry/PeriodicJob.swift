public import CloudJobsCore

/// A job that the master pass or a worker runs when it is due; its schedule can be changed in its document at run time.
public struct PeriodicJob<Input: Decodable & Sendable>: ConfigurableJob {
  /// The definition in code.
  public var definition: JobDefinition
  private let body: @Sendable (Input, JobContext) async throws -> JobOutcome<NoOutput>

  /// Executes an attempt.
  public func run(_ input: Input, context: JobContext) async throws -> JobOutcome<NoOutput> {
    try await body(input, context)
  }
}

extension PeriodicJob where Input == NoInput {
  /// Creates a job that runs at an interval, on a grid that does not drift.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - interval: the interval.
  ///   - timeZone: the IANA name of the time zone of its calendar days.
  ///   - body: the handler.
  public init(
    _ id: JobID, every interval: Duration, in timeZone: String = "Etc/UTC",
    _ body: @escaping @Sendable (JobContext) async throws -> Void
  ) {
    self.init(id, every: interval, in: timeZone) { context -> JobOutcome<NoOutput> in
      try await body(context)
      return .done
    }
  }

  /// Creates a job whose handler may also snooze or cancel; otherwise like ``init(_:every:in:_:)``.
  @_disfavoredOverload
  public init(
    _ id: JobID, every interval: Duration, in timeZone: String = "Etc/UTC",
    _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .periodic, schedule: .every(interval), timeZone: timeZone)
    self.body = { _, context in try await body(context) }
  }

  /// Creates a job that runs by a cron expression.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - cron: a cron expression with all extensions, an interval (`1h30m`), or the English form.
  ///   - timeZone: the IANA name of the schedule's time zone.
  ///   - body: the handler.
  public init(
    _ id: JobID, cron: String, in timeZone: String = "Etc/UTC",
    _ body: @escaping @Sendable (JobContext) async throws -> Void
  ) {
    self.init(id, cron: cron, in: timeZone) { context -> JobOutcome<NoOutput> in
      try await body(context)
      return .done
    }
  }

  /// Creates a job whose handler may also snooze or cancel; otherwise like ``init(_:cron:in:_:)``.
  @_disfavoredOverload
  public init(
    _ id: JobID, cron: String, in timeZone: String = "Etc/UTC",
    _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .periodic, schedule: .text(cron), timeZone: timeZone)
    self.body = { _, context in try await body(context) }
  }
}

// MARK: - With an input

extension PeriodicJob where Input: Encodable {
  /// Creates a job that runs at an interval, on a grid that does not drift, with an input for each of its runs.
  ///
  /// The job's document may set another input; a run that somebody requests may bring its own.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - interval: the interval.
  ///   - timeZone: the IANA name of the time zone of its calendar days.
  ///   - input: the input.
  ///   - body: the handler.
  public init(
    _ id: JobID, every interval: Duration, in timeZone: String = "Etc/UTC", input: Input,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> Void
  ) {
    self.init(id, every: interval, in: timeZone, input: input) { (input, context) -> JobOutcome<NoOutput> in
      try await body(input, context)
      return .done
    }
  }

  /// Creates a job with an input whose handler may also snooze or cancel; otherwise like
  /// ``init(_:every:in:input:_:)``.
  @_disfavoredOverload
  public init(
    _ id: JobID, every interval: Duration, in timeZone: String = "Etc/UTC", input: Input,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .periodic, schedule: .every(interval), timeZone: timeZone)
    definition.policy.input = PayloadCoding.definedInput(input)
    self.body = body
  }

  /// Creates a job that runs by a cron expression, with an input for each of its runs.
  ///
  /// The job's document may set another input; a run that somebody requests may bring its own.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - cron: a cron expression with all extensions, an interval (`1h30m`), or the English form.
  ///   - timeZone: the IANA name of the schedule's time zone.
  ///   - input: the input.
  ///   - body: the handler.
  public init(
    _ id: JobID, cron: String, in timeZone: String = "Etc/UTC", input: Input,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> Void
  ) {
    self.init(id, cron: cron, in: timeZone, input: input) { (input, context) -> JobOutcome<NoOutput> in
      try await body(input, context)
      return .done
    }
  }

  /// Creates a job with an input whose handler may also snooze or cancel; otherwise like
  /// ``init(_:cron:in:input:_:)``.
  @_disfavoredOverload
  public init(
    _ id: JobID, cron: String, in timeZone: String = "Etc/UTC", input: Input,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .periodic, schedule: .text(cron), timeZone: timeZone)
    definition.policy.input = PayloadCoding.definedInput(input)
    self.body = body
  }
}
