/// The time for which a run's record is kept after the run has ended, by the run's final status, and the number of a
/// job's ended runs that are kept.
public struct Retention: Hashable, Sendable {
  /// The retention of runs that succeeded.
  public var succeeded: Duration
  /// The retention of dead letters.
  public var failed: Duration
  /// The retention of cancelled runs.
  public var cancelled: Duration
  /// The number of ended runs of the job that are kept, the latest by their creation; nil means no limit.
  ///
  /// Older ones are deleted in housekeeping, before their time is over.
  public var latest: Int?

  /// The greatest number for ``latest``.
  public static let maximumLatest = 1_000_000

  /// 90 days for every status.
  public static let standard = Retention(.days(90))

  /// Creates a retention that is the same for every status.
  ///
  /// - Parameters:
  ///   - span: the time for which runs are kept; a negative one counts as zero.
  ///   - latest: the number of ended runs that are kept; nil means no limit.
  public init(_ span: Duration, latest: Int? = nil) {
    self.init(succeeded: span, failed: span, cancelled: span, latest: latest)
  }

  /// Creates a retention; negative durations count as zero.
  ///
  /// - Parameters:
  ///   - succeeded: the retention of runs that succeeded.
  ///   - failed: the retention of dead letters.
  ///   - cancelled: the retention of cancelled runs.
  ///   - latest: the number of ended runs that are kept; nil means no limit.
  public init(succeeded: Duration, failed: Duration, cancelled: Duration, latest: Int? = nil) {
    self.latest = latest.map { min(max(0, $0), Self.maximumLatest) }
    self.succeeded = max(.zero, succeeded)
    self.failed = max(.zero, failed)
    self.cancelled = max(.zero, cancelled)
  }

  /// Returns the retention of a final status; zero for any other.
  func span(for status: RunStatus) -> Duration {
    switch status {
    case .succeeded: succeeded
    case .failed: failed
    case .cancelled: cancelled
    case .scheduled, .pending, .running: .zero
    }
  }
}

/// The retention in a job's document: one span for every status, or one for some of them.
public struct RetentionOverride: Hashable, Sendable {
  /// The retention of runs that succeeded; nil falls back to the definition in code.
  public var succeeded: Duration?
  /// The retention of dead letters; nil falls back to the definition in code.
  public var failed: Duration?
  /// The retention of cancelled runs; nil falls back to the definition in code.
  public var cancelled: Duration?
  /// The number of ended runs of the job that are kept; nil falls back to the definition in code.
  public var latest: Int?

  /// Creates an override.
  public init(
    succeeded: Duration? = nil, failed: Duration? = nil, cancelled: Duration? = nil, latest: Int? = nil
  ) {
    self.latest = latest
    self.succeeded = succeeded
    self.failed = failed
    self.cancelled = cancelled
  }

  private static let seconds = 0...3_162_240_000

  /// Creates an override from its form in a job document: a duration, or an object with a duration for some
  /// statuses and the number of runs.
  init(field: JSONValue, in reader: FieldReader) throws(JobError) {
    guard field.object != nil else {
      let span = try reader.span("retention", seconds: Self.seconds)
      self.init(succeeded: span, failed: span, cancelled: span)
      return
    }
    let statuses = try FieldReader(field, prefix: "retention.", field: "retention")
    try statuses.refuseOthers(than: ["succeeded", "failed", "cancelled", "latest"], of: "a retention")
    self.init(
      succeeded: try statuses.span("succeeded", seconds: Self.seconds),
      failed: try statuses.span("failed", seconds: Self.seconds),
      cancelled: try statuses.span("cancelled", seconds: Self.seconds),
      latest: try statuses.int("latest", 0...Retention.maximumLatest))
  }

  var field: JSONValue {
    var members: [String: JSONValue] = [:]
    members["succeeded"] = succeeded?.field
    members["failed"] = failed?.field
    members["cancelled"] = cancelled?.field
    members["latest"] = latest.map { .integer(Int64($0)) }
    return .object(members)
  }

  /// Returns the retention of a definition with this override.
  func applied(to retention: Retention) -> Retention {
    Retention(
      succeeded: succeeded ?? retention.succeeded, failed: failed ?? retention.failed,
      cancelled: cancelled ?? retention.cancelled, latest: latest ?? retention.latest)
  }
}
