public import CloudJobsCore

/// A job with its handler, as a registry takes it.
///
/// ``EndpointJob``, ``ScheduledJob`` and ``PeriodicJob`` adapt closures to it.
public protocol JobHandler: Sendable {
  /// The type of the input.
  associatedtype Input: Decodable & Sendable
  /// The type of the result.
  associatedtype Output: Encodable & Sendable

  /// The definition in code.
  var definition: JobDefinition { get }

  /// Executes an attempt.
  ///
  /// An attempt may be a repetition: use the run id as the idempotency key of effects outside the store.
  ///
  /// - Parameters:
  ///   - input: the decoded payload.
  ///   - context: the context of the attempt.
  /// - Returns: the outcome of the attempt.
  /// - Throws: any error: the attempt has failed, and the retry policy applies. ``JobFailure`` overrides the policy.
  func run(_ input: Input, context: JobContext) async throws -> JobOutcome<Output>
}

/// A job whose policy can be set where it is registered.
public protocol ConfigurableJob: JobHandler {
  /// The definition in code.
  var definition: JobDefinition { get set }
}

extension ConfigurableJob {
  private func with(_ change: (inout JobPolicy) -> Void) -> Self {
    var job = self
    change(&job.definition.policy)
    return job
  }

  /// Sets the retry policy.
  public func retry(_ policy: RetryPolicy) -> Self { with { $0.retry = policy } }
  /// Sets the time limit of an attempt.
  public func timeout(_ limit: Duration) -> Self { with { $0.timeout = limit } }
  /// Sets the descriptor, which determines where attempts execute and whether a failed one is repeated.
  public func descriptor(_ descriptor: JobDescriptor) -> Self { with { $0.descriptor = descriptor } }
  /// Sets the priority among jobs that are due together: higher first.
  public func priority(_ priority: Int) -> Self { with { $0.priority = priority } }
  /// Sets the treatment of missed times.
  public func misfire(_ policy: MisfirePolicy) -> Self { with { $0.misfire = policy } }
  /// Sets the circuit breaker.
  public func breaker(_ breaker: CircuitBreaker?) -> Self { with { $0.breaker = breaker } }
  /// Sets the maximum number of the job's attempts at once, across all instances, 1 to 1,000; nil means no limit.
  ///
  /// A run that exceeds it waits, and uses up no attempt.
  public func maxConcurrent(_ count: Int?) -> Self { with { $0.maxConcurrent = count } }
  /// Sets the maximum number of the job's starts in a period, across all instances; nil means no limit.
  ///
  /// A run that exceeds it waits, and uses up no attempt.
  public func rate(_ limit: RateLimit?) -> Self { with { $0.rate = limit } }
  /// Sets the treatment of a run while an earlier one is under way.
  public func overlap(_ policy: OverlapPolicy) -> Self { with { $0.overlap = policy } }
  /// Adds jobs whose last run must have succeeded.
  public func depends(on jobs: JobID...) -> Self { with { $0.dependencies += jobs } }
  /// Sets the trigger of a ``ScheduledJob``.
  public func trigger(_ trigger: ScheduleTrigger) -> Self { with { $0.trigger = trigger } }
  /// Sets the queue that carries the job's tasks.
  public func queue(_ name: String) -> Self { with { $0.queue = name } }
  /// Sets the group, by which `GET jobs?group=` lists jobs.
  public func group(_ name: String) -> Self { with { $0.group = name } }
  /// Sets the group, and the maximum number of attempts of all its jobs at once, across all instances.
  ///
  /// Each job of the group counts; set the same number for all that must obey it.
  public func group(_ name: String, maxConcurrent count: Int) -> Self {
    with { ($0.group, $0.groupMaxConcurrent) = (name, count) }
  }
  /// Adds data that goes with each run of the job.
  public func metadata(_ values: [String: JSONValue]) -> Self { with { $0.metadata.merge(values) { $1 } } }
  /// Sets whether the job is enabled.
  public func enabled(_ isEnabled: Bool) -> Self { with { $0.enabled = isEnabled } }
  /// Sets the first time or day of the job, and its last day.
  public func active(from start: CalendarMoment? = nil, through end: CalendarMoment? = nil) -> Self {
    with { ($0.startAt, $0.endAt) = (start, end) }
  }
  /// Adds days on which the job does not run.
  public func skipping(_ days: CalendarMoment...) -> Self { with { $0.skipDates += days } }
  /// Sets the retention of a run's record after its end.
  public func retention(_ span: Duration) -> Self { with { $0.retention = Retention(span) } }
  /// Sets the retention of a run's record after its end, by its final status.
  public func retention(_ retention: Retention) -> Self { with { $0.retention = retention } }
}

/// The outcome of an attempt that did not fail; failures are thrown.
public enum JobOutcome<Output: Sendable>: Sendable {
  /// The work is done, with this result.
  case done(Output)
  /// Another attempt is needed after a delay; this counts as no failure.
  case snooze(Duration)
  /// There is nothing to do, or the run must not continue.
  case cancel(reason: String)
  /// Another attempt continues after a delay from a checkpoint, or from the latest one that the context has stored;
  /// this counts as no failure and costs no retry.
  case `continue`(from: (any Encodable & Sendable)? = nil, after: Duration = .zero)
}

/// The result type of a job without a result.
public struct NoOutput: Codable, Hashable, Sendable {
  /// Creates the value.
  public init() {}
}

/// The input type of a job without input.
public struct NoInput: Codable, Hashable, Sendable {
  /// Creates the value.
  public init() {}

  /// Decodes any payload, and ignores it.
  public init(from decoder: any Decoder) throws {}
}

extension JobOutcome where Output == NoOutput {
  /// The work is done.
  public static var done: JobOutcome<NoOutput> { .done(NoOutput()) }
}

/// A failure that determines its own treatment; the retry policy applies to any other error that a handler throws.
public struct JobFailure: Error, Hashable, Sendable {
  /// The description of the failure.
  public var message: String
  /// The kind of failure, for statistics and filters.
  public var kind: String
  /// Whether a retry is useless.
  public var isPermanent: Bool
  /// The delay before the next attempt, in place of the policy's.
  public var retryAfter: Duration?

  private init(_ message: String, kind: String, isPermanent: Bool, retryAfter: Duration?) {
    self.message = message
    self.kind = kind
    self.isPermanent = isPermanent
    self.retryAfter = retryAfter
  }

  /// A failure that no retry can fix: the run becomes a dead letter at once.
  public static func permanent(_ message: String, kind: String = "permanent") -> JobFailure {
    JobFailure(message, kind: kind, isPermanent: true, retryAfter: nil)
  }

  /// A failure after which the next attempt, if the policy allows one, waits for a given delay.
  public static func retry(after delay: Duration, _ message: String, kind: String = "retry") -> JobFailure {
    JobFailure(message, kind: kind, isPermanent: false, retryAfter: delay)
  }

  /// A failure to which the policy applies.
  public static func failed(_ message: String, kind: String = "failure") -> JobFailure {
    JobFailure(message, kind: kind, isPermanent: false, retryAfter: nil)
  }
}
