public import CloudJobsCore

/// A job as its operator sees it: its effective configuration, its state and its health.
public struct JobReport: Hashable, Sendable {
  /// The health of a job.
  public enum Health: String, Hashable, Sendable, CaseIterable {
    /// Its latest run succeeded, or it has not run yet.
    case healthy
    /// It needs attention: an attempt failed, it is late, or its document is invalid.
    case degraded
    /// Its latest runs failed, or its circuit breaker is open.
    case failing
  }

  /// The state of a circuit breaker.
  public enum Breaker: Hashable, Sendable {
    /// The job has none.
    case none
    /// Runs are executed.
    case closed
    /// Occurrences are skipped and runs wait until this time.
    case open(until: Timestamp)
    /// The next run is a probe.
    case halfOpen
  }

  /// The id of the job.
  public var id: JobID
  /// The kind of trigger.
  public var kind: JobKind
  /// Whether the job may run.
  public var isEnabled: Bool
  /// The schedule, as text; nil without one.
  public var schedule: String?
  /// The IANA name of the time zone.
  public var timeZone: String
  /// The state that the runtime keeps.
  public var state: JobState
  /// The state of the circuit breaker.
  public var breaker: Breaker
  /// The health.
  public var health: Health
  /// The reasons for a health other than `healthy`, in words.
  public var reasons: [String]

  /// The number of consecutive failed runs from which a job without a circuit breaker counts as failing.
  static let failingAfter = 3
  /// The lateness of the next run from which a job counts as late.
  static let lateAfter = Duration.minutes(2)

  /// Creates the report of a job.
  ///
  /// - Parameters:
  ///   - job: the job: its definition under its document.
  ///   - state: its state.
  ///   - now: the store's time.
  init(_ job: ResolvedJob, state: JobState, at now: Timestamp) {
    id = job.id
    kind = job.kind
    isEnabled = job.policy.isActive
    schedule = job.schedule?.text
    timeZone = job.zone.name
    self.state = state
    breaker = Self.breaker(job.policy.breaker, state, at: now)
    var failing: [String] = []
    var degraded: [String] = []
    if case .open(let until) = breaker { failing.append("The circuit breaker is open until \(until).") }
    if breaker == .halfOpen { failing.append("The circuit breaker waits for a probe.") }
    let failures = state.consecutiveFailures ?? 0
    if failures >= Self.failingAfter {
      failing.append("The latest \(failures) runs failed.")
    } else if failures > 0 || state.status == .failure {
      degraded.append("The latest run or attempt failed.")
    }
    if state.status == .skippedDependencyFailed { degraded.append("A job that it depends on has not succeeded.") }
    if let next = state.nextRun, isEnabled, next + Self.lateAfter < now { degraded.append("It was due at \(next).") }
    health = failing.isEmpty ? (degraded.isEmpty ? .healthy : .degraded) : .failing
    reasons = failing + degraded
  }

  /// Creates the report of a job whose document is invalid.
  init(_ definition: JobDefinition, fault: JobError) {
    id = definition.id
    kind = definition.kind
    isEnabled = false
    timeZone = definition.timeZone
    state = JobState()
    breaker = .none
    health = .degraded
    reasons = ["Its document is invalid: \(fault)"]
  }

  private static func breaker(_ breaker: CircuitBreaker?, _ state: JobState, at now: Timestamp) -> Breaker {
    guard let breaker, breaker.threshold > 0 else { return .none }
    guard let until = state.breakerOpenUntil else { return .closed }
    return now < until ? .open(until: until) : .halfOpen
  }
}
