/// A job's policy: defaults in code, each of which the job's document may override at run time.
public struct JobPolicy: Hashable, Sendable {
  // One element: an array shares its place among copies, and copies it when one of them changes.
  private var content = [JobPolicyContent()]

  /// Whether the job may run.
  public var enabled: Bool {
    get { content[0].enabled }
    set { content[0].enabled = newValue }
  }
  /// Whether the job is paused, which disables it for a time.
  public var paused: Bool {
    get { content[0].paused }
    set { content[0].paused = newValue }
  }
  /// The earliest time or day on which the job may run.
  public var startAt: CalendarMoment? {
    get { content[0].startAt }
    set { content[0].startAt = newValue }
  }
  /// The last day on which the job may run, inclusive.
  public var endAt: CalendarMoment? {
    get { content[0].endAt }
    set { content[0].endAt = newValue }
  }
  /// Days on which the job does not run.
  public var skipDates: [CalendarMoment] {
    get { content[0].skipDates }
    set { content[0].skipDates = newValue }
  }
  /// Jobs whose last run must have succeeded.
  public var dependencies: [JobID] {
    get { content[0].dependencies }
    set { content[0].dependencies = newValue }
  }
  /// The order among jobs that are due at the same time: higher first.
  public var priority: Int {
    get { content[0].priority }
    set { content[0].priority = newValue }
  }
  /// The retry policy for failed attempts; that of ``defaults`` unless it is set.
  public var retry: RetryPolicy {
    get { content[0].ownRetry ?? defaults.retry }
    set { content[0].ownRetry = newValue }
  }
  /// The time limit of one attempt; that of ``defaults`` unless it is set.
  public var timeout: Duration {
    get { content[0].ownTimeout ?? defaults.timeout }
    set { content[0].ownTimeout = newValue }
  }
  /// The properties that determine where attempts execute; nil means light, fast, and retried by ``retry``.
  public var descriptor: JobDescriptor? {
    get { content[0].descriptor }
    set { content[0].descriptor = newValue }
  }
  /// A label shared by related jobs.
  public var group: String? {
    get { content[0].group }
    set { content[0].group = newValue }
  }
  /// The policy for missed occurrences.
  public var misfire: MisfirePolicy {
    get { content[0].misfire }
    set { content[0].misfire = newValue }
  }
  /// The policy for overlapping runs; nil means `allow` for endpoints and `skip` for all other jobs.
  public var overlap: OverlapPolicy? {
    get { content[0].overlap }
    set { content[0].overlap = newValue }
  }
  /// The circuit breaker; nil means none.
  public var breaker: CircuitBreaker? {
    get { content[0].breaker }
    set { content[0].breaker = newValue }
  }
  /// The maximum number of the job's attempts at once, across all instances; nil or 0 means no limit.
  public var maxConcurrent: Int? {
    get { content[0].maxConcurrent }
    set { content[0].maxConcurrent = newValue }
  }
  /// The maximum number of the job's starts in a period, across all instances; nil means no limit.
  public var rate: RateLimit? {
    get { content[0].rate }
    set { content[0].rate = newValue }
  }
  /// The maximum number of attempts at once of all jobs in ``group``, across all instances; nil or 0 means no limit.
  public var groupMaxConcurrent: Int? {
    get { content[0].groupMaxConcurrent }
    set { content[0].groupMaxConcurrent = newValue }
  }
  /// The trigger of a job of the kind `scheduled`.
  public var trigger: ScheduleTrigger {
    get { content[0].trigger }
    set { content[0].trigger = newValue }
  }
  /// The queue for the job's tasks; that of ``defaults`` unless it is set, and nil means the service's own.
  public var queue: String? {
    get { content[0].queue ?? defaults.queue }
    set { content[0].queue = newValue }
  }
  /// The input of runs that bring none, such as those of a schedule; nil means none.
  public var input: JSONValue? {
    get { content[0].input }
    set { content[0].input = newValue }
  }
  /// Data that goes with each run of the job, for its handler and for those who look at it.
  public var metadata: [String: JSONValue] {
    get { content[0].metadata }
    set { content[0].metadata = newValue }
  }
  /// The time for which a run's record is kept after the run has ended; that of ``defaults`` unless it is set.
  public var retention: Retention {
    get { content[0].ownRetention ?? defaults.retention }
    set { content[0].ownRetention = newValue }
  }
  /// The values that apply unless they are set.
  public var defaults: JobDefaults {
    get { content[0].defaults }
    set { content[0].defaults = newValue }
  }

  /// Whether the job is enabled and not paused.
  public var isActive: Bool { enabled && !paused }

  /// Creates a policy with the default values.
  public init() {}
}

/// The fields of a ``JobPolicy``, whose documentation describes them.
private struct JobPolicyContent: Hashable, Sendable {
  var enabled = true
  var paused = false
  var startAt: CalendarMoment?
  var endAt: CalendarMoment?
  var skipDates: [CalendarMoment] = []
  var dependencies: [JobID] = []
  var priority = 0
  var descriptor: JobDescriptor?
  var group: String?
  var misfire = MisfirePolicy.once
  var overlap: OverlapPolicy?
  var breaker: CircuitBreaker?
  var maxConcurrent: Int?
  var rate: RateLimit?
  var groupMaxConcurrent: Int?
  var trigger = ScheduleTrigger.cloudScheduler
  var queue: String?
  var input: JSONValue?
  var metadata: [String: JSONValue] = [:]
  var defaults = JobDefaults()
  var ownRetry: RetryPolicy?
  var ownTimeout: Duration?
  var ownRetention: Retention?
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
