public import CloudJobsCore

/// A job that the master pass runs when it is due; its schedule can be changed in its document at run time.
public struct PeriodicJob: ConfigurableJob {
  /// What code says about the job.
  public var definition: JobDefinition
  private let body: @Sendable (JobContext) async throws -> JobOutcome<NoOutput>

  /// A job that runs at an interval, on a grid that does not drift.
  ///
  /// - Parameters:
  ///   - id: the job's name.
  ///   - interval: the grid's width.
  ///   - timeZone: the IANA name of the zone of its calendar days.
  ///   - body: the code.
  public init(
    _ id: JobID, every interval: Duration, in timeZone: String = "Etc/UTC",
    _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .periodic, schedule: .every(interval), timeZone: timeZone)
    self.body = body
  }

  /// A job that runs by a cron expression.
  ///
  /// - Parameters:
  ///   - id: the job's name.
  ///   - cron: a cron expression with all extensions, an interval (`1h30m`), or the English form.
  ///   - timeZone: the IANA name of the zone in which it is read.
  ///   - body: the code.
  public init(
    _ id: JobID, cron: String, in timeZone: String = "Etc/UTC",
    _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .periodic, schedule: .text(cron), timeZone: timeZone)
    self.body = body
  }

  /// Executes one attempt.
  public func run(_ input: NoInput, context: JobContext) async throws -> JobOutcome<NoOutput> {
    try await body(context)
  }
}
