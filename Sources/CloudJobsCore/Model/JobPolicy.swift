/// A job's policy: defaults in code, each of which the job's document may override at run time.
public struct JobPolicy: Hashable, Sendable {
  /// Whether the job may run.
  public var enabled = true
  /// Whether the job is paused, which disables it for a time.
  public var paused = false
  /// The earliest time or day on which the job may run.
  public var startAt: CalendarMoment?
  /// The last day on which the job may run, inclusive.
  public var endAt: CalendarMoment?
  /// Days on which the job does not run.
  public var skipDates: [CalendarMoment] = []
  /// Jobs whose last run must have succeeded.
  public var dependencies: [JobID] = []
  /// The order among jobs that are due at the same time: higher first.
  public var priority = 0
  /// The retry policy for failed attempts; that of ``defaults`` unless it is set.
  public var retry: RetryPolicy {
    get { ownRetry ?? defaults.retry }
    set { ownRetry = newValue }
  }
  /// The time limit of one attempt; that of ``defaults`` unless it is set.
  public var timeout: Duration {
    get { ownTimeout ?? defaults.timeout }
    set { ownTimeout = newValue }
  }
  /// The properties that determine where attempts execute; nil means light, fast, and retried by ``retry``.
  public var descriptor: JobDescriptor?
  /// A label shared by related jobs.
  public var group: String?
  /// The policy for missed occurrences.
  public var misfire = MisfirePolicy.once
  /// The policy for overlapping runs; nil means `allow` for endpoints and `skip` for all other jobs.
  public var overlap: OverlapPolicy?
  /// The circuit breaker; nil means none.
  public var breaker: CircuitBreaker?
  /// The maximum number of the job's attempts at once, across all instances; nil or 0 means no limit.
  public var maxConcurrent: Int?
  /// The maximum number of the job's starts in a period, across all instances; nil means no limit.
  public var rate: RateLimit?
  /// The maximum number of attempts at once of all jobs in ``group``, across all instances; nil or 0 means no limit.
  public var groupMaxConcurrent: Int?
  /// The trigger of a job of the kind `scheduled`.
  public var trigger = ScheduleTrigger.cloudScheduler
  /// The queue for the job's tasks; nil means the runtime's default queue.
  public var queue: String?
  /// The input of runs that bring none, such as those of a schedule; nil means none.
  public var input: JSONValue?
  /// Data that goes with each run of the job, for its handler and for those who look at it.
  public var metadata: [String: JSONValue] = [:]
  /// The time for which a run's record is kept after the run has ended; that of ``defaults`` unless it is set.
  public var retention: Retention {
    get { ownRetention ?? defaults.retention }
    set { ownRetention = newValue }
  }
  /// The values that apply unless they are set.
  public var defaults = JobDefaults()

  private var ownRetry: RetryPolicy?
  private var ownTimeout: Duration?
  private var ownRetention: Retention?

  /// Whether the job is enabled and not paused.
  public var isActive: Bool { enabled && !paused }

  /// Creates a policy with the default values.
  public init() {}
}

/// The policy for occurrences that were missed while no instance was running.
public enum MisfirePolicy: Hashable, Sendable {
  /// Missed occurrences are dropped, except one within the grace period.
  case skip
  /// Missed occurrences collapse into one run, for the latest of them.
  case once
  /// The latest k missed occurrences run, oldest first.
  case catchUp(Int)

  /// The maximum count for `catchUp`.
  public static let maximumCatchUp = 1_000

  /// Creates a policy from its text in a job document: `skip`, `once` or `catchUp(3)`.
  public init?(_ text: String) {
    switch text {
    case "skip": self = .skip
    case "once": self = .once
    default:
      guard text.hasPrefix("catchUp("), text.hasSuffix(")"), let count = Int(text.dropFirst(8).dropLast()),
        (1...Self.maximumCatchUp).contains(count)
      else { return nil }
      self = .catchUp(count)
    }
  }

  /// The policy's text in a job document.
  public var text: String {
    switch self {
    case .skip: "skip"
    case .once: "once"
    case .catchUp(let count): "catchUp(\(count))"
    }
  }
}

/// The policy for a run whose job has an earlier run in progress.
public enum OverlapPolicy: String, Hashable, Sendable, CaseIterable {
  /// The new run is skipped.
  case skip
  /// The new run waits until the earlier run has ended.
  case queue
  /// Both runs execute.
  case allow

  /// Returns n if a document's overlap is `allow(n)`: both runs execute, at most n at once.
  static func allowedCount(members: [String: JSONValue]) -> Int? {
    guard let text = members["overlap"]?.string, text.hasPrefix("allow("), text.hasSuffix(")"),
      let count = Int(text.dropFirst(6).dropLast()), (1...JobLimit.maximumConcurrent).contains(count)
    else { return nil }
    return count
  }
}
