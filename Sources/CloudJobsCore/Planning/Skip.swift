/// Why an occasion passes without a run.
public struct Skip: Hashable, Sendable {
  /// Which gate is closed.
  public var status: JobStatus
  /// The gate's value and the occasion's, in words.
  public var reason: String

  /// A closed gate.
  public init(_ status: JobStatus, _ reason: String) {
    self.status = status
    self.reason = reason
  }
}

/// The gates that an occasion passes in their order: the first that is closed decides.
public enum Gates {
  /// How long a run that nobody has touched since its `wakeAt` still counts as under way.
  public static let overlapGrace = Duration.minutes(5)

  /// The first closed gate of a job, or nil where all are open.
  ///
  /// A manual trigger passes every gate but `enabled`.
  ///
  /// - Parameters:
  ///   - job: the job as it stands.
  ///   - occasion: the moment that the run is for.
  ///   - trigger: why it should run.
  ///   - dependencies: how the last occasion of each dependency went; absent where it never had one.
  ///   - previous: the job's latest other run, where that matters.
  ///   - now: the store's time.
  /// - Returns: the gate and why it is closed, or nil.
  public static func closed(
    _ job: ResolvedJob, occasion: Timestamp, trigger: Trigger, dependencies: [JobID: JobStatus], previous: Run?,
    now: Timestamp
  ) -> Skip? {
    if let skip = enabled(job) { return skip }
    if trigger == .manual { return nil }
    return calendar(job, occasion: occasion) ?? dependency(job, dependencies)
      ?? (job.overlap == .skip ? overlap(previous, now: now) : nil)
  }

  /// Whether the job is disabled.
  static func enabled(_ job: ResolvedJob) -> Skip? {
    job.policy.enabled ? nil : Skip(.skippedDisabled, "The job is disabled.")
  }

  /// Whether the occasion lies before `startAt`, after `endAt` or on one of `skipDates`.
  static func calendar(_ job: ResolvedJob, occasion: Timestamp) -> Skip? {
    let day = job.zone.date(at: occasion)
    switch job.policy.startAt {
    case .instant(let start)? where occasion < start:
      return Skip(.skippedNotStarted, "The time \(occasion) is before startAt, \(start).")
    case .day(let start)? where day < start:
      return Skip(.skippedNotStarted, "The day \(day) is before startAt, \(start).")
    default: break
    }
    if let end = job.policy.endAt?.day(in: job.zone), day > end {
      return Skip(.skippedEnded, "The day \(day) is after endAt, \(end).")
    }
    if job.policy.skipDates.contains(where: { $0.day(in: job.zone) == day }) {
      return Skip(.skippedDateExclusion, "The day \(day) is one of skipDates.")
    }
    return nil
  }

  /// Whether a dependency has not succeeded.
  static func dependency(_ job: ResolvedJob, _ statuses: [JobID: JobStatus]) -> Skip? {
    guard let failed = job.policy.dependencies.first(where: { statuses[$0] != .success }) else { return nil }
    let status = statuses[failed].map { "stands at \($0.rawValue)" } ?? "has not run yet"
    return Skip(.skippedDependencyFailed, "It depends on \(failed), which \(status).")
  }

  /// Whether an earlier run is under way.
  static func overlap(_ previous: Run?, now: Timestamp) -> Skip? {
    guard let previous, !previous.status.isTerminal, let wakeAt = previous.wakeAt, now < wakeAt + overlapGrace else {
      return nil
    }
    return Skip(.skippedOverlap, "The run \(previous.id) is still \(previous.status.rawValue).")
  }
}
