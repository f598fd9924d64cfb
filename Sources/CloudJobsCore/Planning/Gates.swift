/// A condition that an occurrence must meet before its job runs.
///
/// The gates stand in a fixed order, ``inOrder``. `plan` and `planPass` act on the first that is closed, and
/// ``reports(for:)`` lists them all with their values.
public struct Gate: Sendable {
  /// The name of a gate: the fields of the job that it depends on.
  public enum Name: String, Hashable, Sendable, CaseIterable {
    /// Closed while the job is disabled or paused.
    case enabled
    /// Closed before the job's first time.
    case startAt
    /// Closed after the job's last day.
    case endAt
    /// Closed on excluded days.
    case skipDates
    /// Closed until every dependency's last run has succeeded.
    case dependencies
    /// Closed while the circuit breaker is open.
    case breaker
    /// Closed while an earlier run is under way, if the overlap policy is `skip`.
    case overlap
  }

  /// The name.
  public let name: Name
  private let check: @Sendable (GateInput) -> Skip?
  private let describe: @Sendable (GateInput) -> String

  /// The gates in their order.
  public static let inOrder = [enabled, startAt, endAt, skipDates, dependencies, breaker, overlap]

  /// The grace after a run's `wakeAt` for which it still counts as under way.
  public static let overlapGrace = Duration.minutes(5)

  /// Returns the first closed gate's skip, or nil if all gates are open.
  ///
  /// - Parameter input: the occurrence. A manual trigger passes every gate but `enabled`.
  /// - Returns: the skip, or nil.
  public static func firstClosed(for input: GateInput) -> Skip? {
    for gate in inOrder {
      if let skip = gate.skip(of: input) { return skip }
    }
    return nil
  }

  /// Returns the value and the verdict of every gate.
  ///
  /// - Parameter input: the occurrence.
  /// - Returns: the reports, in the order of the gates.
  public static func reports(for input: GateInput) -> [GateReport] {
    inOrder.map { GateReport(name: $0.name, value: $0.describe(input), skip: $0.skip(of: input)) }
  }

  /// Returns why the gate is closed for an occurrence, or nil if it is open.
  func skip(of input: GateInput) -> Skip? {
    input.trigger == .manual && name != .enabled ? nil : check(input)
  }

  static let enabled = Gate(name: .enabled) { input in
    if !input.job.policy.enabled { return Skip(.skippedDisabled, "The job is disabled.") }
    return input.job.policy.paused ? Skip(.skippedPaused, "The job is paused.") : nil
  } describe: { input in
    input.job.policy.paused ? "paused" : "\(input.job.policy.enabled)"
  }

  static let startAt = Gate(name: .startAt) { input in
    switch input.job.policy.startAt {
    case .instant(let start)? where input.scheduledFor < start:
      return Skip(.skippedNotStarted, "The time \(input.scheduledFor) is before startAt, \(start).")
    case .day(let start)?:
      let day = input.day
      return day < start ? Skip(.skippedNotStarted, "The day \(day) is before startAt, \(start).") : nil
    default: return nil
    }
  } describe: { input in
    switch input.job.policy.startAt {
    case .instant(let start)?: "\(start)"
    case .day(let start)?: "\(start)"
    case nil: "none"
    }
  }

  static let endAt = Gate(name: .endAt) { input in
    guard let end = input.job.policy.endAt?.day(in: input.job.zone) else { return nil }
    let day = input.day
    return day > end ? Skip(.skippedEnded, "The day \(day) is after endAt, \(end).") : nil
  } describe: { input in
    input.job.policy.endAt.map { "\($0.day(in: input.job.zone))" } ?? "none"
  }

  static let skipDates = Gate(name: .skipDates) { input in
    let dates = input.job.policy.skipDates
    if dates.isEmpty { return nil }
    let day = input.day
    guard dates.contains(where: { $0.day(in: input.job.zone) == day }) else { return nil }
    return Skip(.skippedDateExclusion, "The day \(day) is one of skipDates.")
  } describe: { input in
    let days = input.job.policy.skipDates.map { "\($0.day(in: input.job.zone))" }
    return days.isEmpty ? "none" : days.joined(separator: ", ")
  }

  static let dependencies = Gate(name: .dependencies) { input in
    guard let failed = input.job.policy.dependencies.first(where: { input.dependencies[$0] != .success }) else {
      return nil
    }
    let status = input.dependencies[failed].map { "stands at \($0.rawValue)" } ?? "has not run yet"
    return Skip(.skippedDependencyFailed, "It depends on \(failed), which \(status).")
  } describe: { input in
    let states = input.job.policy.dependencies.map { "\($0) \(input.dependencies[$0]?.rawValue ?? "has not run yet")" }
    return states.isEmpty ? "none" : states.joined(separator: ", ")
  }

  static let breaker = Gate(name: .breaker) { input in
    guard let breaker = input.job.policy.breaker, breaker.threshold > 0, let until = input.breakerOpenUntil,
      input.now < until
    else { return nil }
    return Skip(.skippedBreakerOpen, "The circuit breaker is open until \(until): the latest runs failed.")
  } describe: { input in
    guard let breaker = input.job.policy.breaker, breaker.threshold > 0 else { return "none" }
    guard let until = input.breakerOpenUntil else { return "closed" }
    return input.now < until ? "open until \(until)" : "half-open since \(until)"
  }

  static let overlap = Gate(name: .overlap) { input in
    input.job.overlap == .skip ? overlapSkip(input.previous, now: input.now) : nil
  } describe: { input in
    input.previous.map { "\(input.job.overlap.rawValue), the latest run is \($0.status.rawValue)" }
      ?? input.job.overlap.rawValue
  }

  /// Returns the skip because of an earlier run that is under way, or nil.
  static func overlapSkip(_ previous: Run?, now: Timestamp) -> Skip? {
    guard let previous, !previous.status.isTerminal, let wakeAt = previous.wakeAt, now < wakeAt + overlapGrace else {
      return nil
    }
    return Skip(.skippedOverlap, "The run \(previous.id) is still \(previous.status.rawValue).")
  }

  private init(
    name: Name, check: @escaping @Sendable (GateInput) -> Skip?, describe: @escaping @Sendable (GateInput) -> String
  ) {
    self.name = name
    self.check = check
    self.describe = describe
  }
}

/// Everything that the gates depend on.
public struct GateInput: Sendable {
  /// The job: its definition under its document.
  public var job: ResolvedJob
  /// The time that the occurrence is for.
  public var scheduledFor: Timestamp
  /// The trigger of the run.
  public var trigger: Trigger
  /// The status of each dependency's last occurrence; absent if it never had one.
  public var dependencies: [JobID: JobStatus]
  /// The job's latest other run, if overlap matters.
  public var previous: Run?
  /// The time until which the job's circuit breaker is open; nil if it is closed.
  public var breakerOpenUntil: Timestamp?
  /// The store's time.
  public var now: Timestamp

  /// Creates an input.
  public init(
    job: ResolvedJob, scheduledFor: Timestamp, trigger: Trigger, dependencies: [JobID: JobStatus] = [:],
    previous: Run? = nil, breakerOpenUntil: Timestamp? = nil, now: Timestamp
  ) {
    self.job = job
    self.breakerOpenUntil = breakerOpenUntil
    self.scheduledFor = scheduledFor
    self.trigger = trigger
    self.dependencies = dependencies
    self.previous = previous
    self.now = now
  }

  /// The calendar day of the occurrence in the job's zone.
  fileprivate var day: CivilDate { job.zone.date(at: scheduledFor) }
}

/// The value and the verdict of a gate for one occurrence.
public struct GateReport: Hashable, Sendable {
  /// The gate.
  public var name: Gate.Name
  /// The value of the job's field, or the state that the gate compares.
  public var value: String
  /// The reason why the gate is closed; nil if it is open.
  public var skip: Skip?
}

/// The reason why an occurrence passes without a run.
public struct Skip: Hashable, Sendable {
  /// The status that the job gets.
  public var status: JobStatus
  /// The gate's value and that of the occurrence, in words.
  public var reason: String

  /// Creates a skip.
  public init(_ status: JobStatus, _ reason: String) {
    self.status = status
    self.reason = reason
  }
}
