public import CloudJobsCore

/// A job that a scheduler fires by a cron expression: Cloud Scheduler, or the master pass where there is none.
///
/// ```swift
/// ScheduledJob("report", cron: "0 6 * * *", in: "Europe/Berlin", input: Report(region: "eu")) { report, context in
///   try await mailer.send(report)
/// }
/// ```
public struct ScheduledJob<Input: Decodable & Sendable>: ConfigurableJob {
  /// The definition in code.
  public var definition: JobDefinition
  private let body: @Sendable (Input, JobContext) async throws -> JobOutcome<NoOutput>

  /// Executes an attempt.
  public func run(_ input: Input, context: JobContext) async throws -> JobOutcome<NoOutput> {
    try await body(input, context)
  }
}

extension ScheduledJob where Input == NoInput {
  /// Creates a job that fires by a schedule.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - cron: a cron expression, or Cloud Scheduler's English form.
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
    definition = JobDefinition(id: id, kind: .scheduled, schedule: .text(cron), timeZone: timeZone)
    self.body = { _, context in try await body(context) }
  }
}

// MARK: - With an input

extension ScheduledJob where Input: Encodable {
  /// Creates a job that fires by a schedule, with an input for each of its runs.
  ///
  /// The job's document may set another input; a run that somebody requests may bring its own.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - cron: a cron expression, or Cloud Scheduler's English form.
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
    definition = JobDefinition(id: id, kind: .scheduled, schedule: .text(cron), timeZone: timeZone)
    definition.policy.input = PayloadCoding.definedInput(input)
    self.body = body
  }
}
