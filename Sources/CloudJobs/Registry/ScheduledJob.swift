public import CloudJobsCore

/// A job that a scheduler fires by a cron expression: Cloud Scheduler, or the master pass where there is none.
public struct ScheduledJob: ConfigurableJob {
  /// The definition in code.
  public var definition: JobDefinition
  private let body: @Sendable (JobContext) async throws -> JobOutcome<NoOutput>

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
    self.body = body
  }

  /// Executes an attempt.
  public func run(_ input: NoInput, context: JobContext) async throws -> JobOutcome<NoOutput> {
    try await body(context)
  }
}
