/// A maximum number of starts in any period of a length.
///
/// Each attempt counts as a start, at the time at which its claim is committed by the store's clock.
public struct RateLimit: Hashable, Sendable {
  /// The maximum number of starts in a period; 0 means no limit.
  public var count: Int
  /// The length of the period.
  public var period: Duration

  /// The largest number of starts in a period.
  public static let maximumCount = 1_000_000
  /// The longest period.
  static let longestPeriod = Duration.days(31)
  /// The number of buckets in which the starts of a period are counted.
  static let bucketCount: Int64 = 64

  /// Creates a rate limit.
  ///
  /// - Parameters:
  ///   - count: the maximum number of starts in a period, at most ``maximumCount``; 0 means no limit.
  ///   - period: the length of the period, one millisecond to 31 days.
  public init(_ count: Int, per period: Duration) {
    self.count = min(max(0, count), Self.maximumCount)
    self.period = min(max(.milliseconds(1), period), Self.longestPeriod)
  }

  /// The width of a bucket of starts.
  var bucketWidth: Int64 { max(1, period.microseconds / Self.bucketCount) }

  /// The time between two starts at which each finds room.
  var spacing: Duration { .microseconds(max(1, (period.microseconds + bucketWidth) / Int64(max(1, count)))) }
}

/// A limit that a job's runs share with each other, or with those of a group, across all instances.
public struct JobLimit: Hashable, Sendable {
  /// The ledger that keeps account of the limit.
  public var ledger: LedgerID
  /// The maximum number of attempts at once; nil means no limit.
  public var maxConcurrent: Int?
  /// The maximum number of starts in a period; nil means no limit.
  public var rate: RateLimit?

  /// The largest number of attempts at once that a limit may allow.
  public static let maximumConcurrent = 1_000

  /// Creates a limit.
  public init(_ ledger: LedgerID, maxConcurrent: Int? = nil, rate: RateLimit? = nil) {
    self.ledger = ledger
    self.maxConcurrent = maxConcurrent
    self.rate = rate
  }
}

extension JobPolicy {
  /// Returns the limits that an attempt of a job must meet: at most one of the job itself and one of its group.
  ///
  /// - Parameter job: the id of the job.
  /// - Returns: the limits; none if the policy sets none.
  package func limits(of job: JobID) -> [JobLimit] {
    var limits = [JobLimit]()
    let own = JobLimit(
      .job(job), maxConcurrent: maxConcurrent.flatMap { $0 > 0 ? $0 : nil },
      rate: rate.flatMap { $0.count > 0 ? $0 : nil })
    if own.maxConcurrent != nil || own.rate != nil { limits.append(own) }
    if let group, let count = groupMaxConcurrent, count > 0 {
      limits.append(JobLimit(.group(group), maxConcurrent: count))
    }
    return limits
  }
}

extension ResolvedJob {
  /// The limits that an attempt must meet.
  package var limits: [JobLimit] { policy.limits(of: id) }
}

extension RateLimit {
  /// Creates a rate limit from its form in a job document: an object with `count` and `period`.
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "rate.", field: "rate")
    let longest = Int(Self.longestPeriod.microseconds / 1_000_000)
    self.init(
      try reader.required("count", reader.int("count", 0...Self.maximumCount)),
      per: try reader.required("period", reader.span("period", seconds: 1...longest)))
    let known: Set<String> = ["count", "period"]
    if let unknown = (fields.object ?? [:]).keys.filter({ !known.contains($0) }).min() {
      throw JobError(
        .invalidField, "A rate has no field of this name. Its fields are count and period.", field: "rate.\(unknown)")
    }
  }

  /// The form in a job document.
  var field: JSONValue { ["count": .integer(Int64(count)), "period": period.field] }
}
