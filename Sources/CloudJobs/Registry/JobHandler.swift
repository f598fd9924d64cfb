public import CloudJobsCore

/// A job with its code: what the registry takes.
///
/// Closures are adapters over it.
public protocol JobHandler: Sendable {
  /// What the payload decodes as.
  associatedtype Input: Decodable & Sendable
  /// What a run yields.
  associatedtype Output: Encodable & Sendable

  /// What code says about the job.
  var definition: JobDefinition { get }

  /// Executes one attempt.
  ///
  /// The attempt may be a repetition: effects outside the store are made idempotent by the run id.
  ///
  /// - Parameters:
  ///   - input: the decoded payload.
  ///   - context: the run, the attempt, and what a handler may use.
  /// - Returns: how the attempt ended.
  /// - Throws: any error: the attempt has failed and is retried by the policy; ``JobFailure`` says more.
  func run(_ input: Input, context: JobContext) async throws -> JobOutcome<Output>
}

/// A job whose definition can be changed where it is registered.
public protocol ConfigurableJob: JobHandler {
  /// What code says about the job.
  var definition: JobDefinition { get set }
}

extension ConfigurableJob {
  private func with(_ change: (inout JobPolicy) -> Void) -> Self {
    var job = self
    change(&job.definition.policy)
    return job
  }

  /// Sets when a failed attempt is tried again.
  public func retry(_ policy: RetryPolicy) -> Self { with { $0.retry = policy } }
  /// Sets the longest that one attempt may take.
  public func timeout(_ limit: Duration) -> Self { with { $0.timeout = limit } }
  /// Sets the order among jobs that are due together: higher first.
  public func priority(_ priority: Int) -> Self { with { $0.priority = priority } }
  /// Sets what becomes of missed times.
  public func misfire(_ policy: MisfirePolicy) -> Self { with { $0.misfire = policy } }
  /// Sets what becomes of a run while an earlier one is under way.
  public func overlap(_ policy: OverlapPolicy) -> Self { with { $0.overlap = policy } }
  /// Names jobs whose last run must have succeeded.
  public func depends(on jobs: JobID...) -> Self { with { $0.dependencies += jobs } }
  /// Sets what fires the job, where it is a ``ScheduledJob``.
  public func trigger(_ trigger: ScheduleTrigger) -> Self { with { $0.trigger = trigger } }
  /// Sets the queue that carries the job's tasks.
  public func queue(_ name: String) -> Self { with { $0.queue = name } }
  /// Sets a label that jobs share, by which `GET jobs?group=` lists them.
  public func group(_ name: String) -> Self { with { $0.group = name } }
  /// Sets whether the job may run; its document can change that.
  public func enabled(_ isEnabled: Bool) -> Self { with { $0.enabled = isEnabled } }
  /// Sets the first and the last day or time of the job.
  public func active(from start: CalendarMoment? = nil, through end: CalendarMoment? = nil) -> Self {
    with { ($0.startAt, $0.endAt) = (start, end) }
  }
  /// Sets days on which the job does not run.
  public func skipping(_ days: CalendarMoment...) -> Self { with { $0.skipDates += days } }
  /// Sets how long a run's record is kept after its end.
  public func retention(_ span: Duration) -> Self { with { $0.retention = span } }
}
