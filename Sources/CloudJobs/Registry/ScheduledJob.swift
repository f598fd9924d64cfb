public import CloudJobsCore

/// A job that a scheduler outside fires by a cron expression.
public struct ScheduledJob: ConfigurableJob {
  /// What code says about the job.
  public var definition: JobDefinition
  private let body: @Sendable (JobContext) async throws -> JobOutcome<NoOutput>

  /// A job that fires by a schedule.
  ///
  /// - Parameters:
  ///   - id: the job's name.
  ///   - cron: a cron expression, or Cloud Scheduler's English form.
  ///   - timeZone: the IANA name of the zone in which it is read.
  ///   - body: the code.
  public init(
    _ id: JobID, cron: String, in timeZone: String = "Etc/UTC",
    _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .scheduled, schedule: .text(cron), timeZone: timeZone)
    self.body = body
  }

  /// Executes one attempt.
  public func run(_ input: NoInput, context: JobContext) async throws -> JobOutcome<NoOutput> {
    try await body(context)
  }
}
