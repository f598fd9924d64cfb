public import CloudJobsCore

/// A store that counts runs by one cheap query, without reading them, for metrics and overviews.
///
/// On a store without it, those who ask can only list runs.
public protocol RunCountingStore: JobStore {
  /// Counts the runs that have not ended, whenever they were created.
  ///
  /// - Parameter queues: the names of queues to tell apart, at most ``StoreLimits/countedQueues``; all other runs are
  ///   counted under nil, such as those of the default queue.
  /// - Returns: the counts that are not zero, in no order, all as of one time or, on Firestore, of a few seconds.
  /// - Throws: ``StoreError`` `unavailable`, or `invalid` for too many queues.
  func waitingRunCounts(tellingApart queues: Set<String>) async throws(StoreError) -> [WaitingRunCount]

  /// Counts the runs that have failed for good, whenever they were created, as far as they are still stored.
  ///
  /// - Returns: the number.
  /// - Throws: ``StoreError`` `unavailable`.
  func failedRunCount() async throws(StoreError) -> Int

  /// Counts the runs that were created in a span of time, by status and by equal buckets of the span.
  ///
  /// - Parameters:
  ///   - start: the earliest time of creation, at which the first bucket begins.
  ///   - end: the time before which the runs were created.
  ///   - bucket: the length of a bucket; the last one may be shorter. The span has at most
  ///     ``StoreLimits/countBuckets``.
  /// - Returns: the counts that are not zero, in no order, all as of one time or, on Firestore, of a few seconds.
  /// - Throws: ``StoreError`` `unavailable`, or `invalid` for too many buckets or an empty one.
  func runCounts(
    createdFrom start: Timestamp, before end: Timestamp, bucket: Duration
  ) async throws(StoreError) -> [RunCount]
}

/// The number of runs in a queue that have not ended.
public struct WaitingRunCount: Hashable, Sendable {
  /// The status, which is not final.
  public var status: RunStatus
  /// The queue; nil for all queues that were not to be told apart.
  public var queue: String?
  /// The number of runs.
  public var count: Int

  /// Creates a count.
  public init(status: RunStatus, queue: String?, count: Int) {
    self.status = status
    self.queue = queue
    self.count = count
  }
}

/// The number of runs that were created within a time and have a status now.
public struct RunCount: Hashable, Sendable {
  /// The status.
  public var status: RunStatus
  /// The begin of the bucket.
  public var start: Timestamp
  /// The number of runs.
  public var count: Int

  /// Creates a count.
  public init(status: RunStatus, start: Timestamp, count: Int) {
    self.status = status
    self.start = start
    self.count = count
  }
}

extension RunStatus {
  /// The statuses that are not final.
  package static let waiting: [RunStatus] = allCases.filter { !$0.isTerminal }
}

extension StoreLimits {
  /// The maximum number of queues that a count tells apart.
  public static let countedQueues = 100
  /// The maximum number of buckets of a count.
  public static let countBuckets = 1_000

  /// Validates the buckets of a count.
  ///
  /// - Returns: the number of buckets; 0 for an empty span.
  /// - Throws: ``StoreError`` `invalid` for more than ``countBuckets``, or for one shorter than a second.
  public static func buckets(
    from start: Timestamp, before end: Timestamp, bucket: Duration
  ) throws(StoreError) -> Int {
    guard bucket >= .seconds(1), bucket <= .days(366) else {
      throw StoreError(.invalid, "A bucket of a count lasts from a second to a year. Choose another length.")
    }
    guard start < end else { return 0 }
    let (span, length) = (end.microseconds.subtractingReportingOverflow(start.microseconds), bucket.microseconds)
    let count = span.overflow ? Int64.max : (span.partialValue - 1) / length + 1
    if count > Int64(countBuckets) {
      throw StoreError(
        .invalid, "A count has at most \(countBuckets) buckets. Choose longer buckets, or a shorter span.")
    }
    return Int(count)
  }
}

/// The counts of waiting runs, from those of single runs or queues.
package struct WaitingRunCounter {
  private let queues: [DocumentName: String]
  private var counts: [WaitingRunCount: Int] = [:]

  /// Creates counts of zero.
  ///
  /// - Parameter queues: the queues to tell apart, by the bytes of their names.
  /// - Throws: ``StoreError`` `invalid` for more than ``StoreLimits/countedQueues``.
  package init(tellingApart queues: Set<String>) throws(StoreError) {
    if queues.count > StoreLimits.countedQueues {
      throw StoreError(.invalid, "A count tells at most \(StoreLimits.countedQueues) queues apart. Name fewer.")
    }
    self.queues = Dictionary(queues.map { (DocumentName($0), $0) }) { first, _ in first }
  }

  /// Adds runs, unless they have ended.
  ///
  /// - Parameters:
  ///   - count: the number of runs.
  ///   - status: their status.
  ///   - queue: their queue.
  package mutating func add(_ count: Int, _ status: RunStatus, in queue: String?) {
    if status.isTerminal { return }
    let name = queue.flatMap { queues[DocumentName($0)] }
    counts[WaitingRunCount(status: status, queue: name, count: 0), default: 0] += count
  }

  /// The counts that are greater than zero.
  package var results: [WaitingRunCount] {
    counts.compactMap { $1 > 0 ? WaitingRunCount(status: $0.status, queue: $0.queue, count: $1) : nil }
  }
}

/// The counts of a span, from those of single runs or buckets.
package struct RunCounter {
  private let start: Timestamp
  private let end: Timestamp
  private let bucket: Duration
  private var counts: [Slot: Int] = [:]

  private struct Slot: Hashable {
    var status: RunStatus
    var number: Int64
  }

  /// Creates counts of zero.
  package init(from start: Timestamp, before end: Timestamp, bucket: Duration) {
    self.start = start
    self.end = end
    self.bucket = bucket
  }

  /// Counts a run if it was created within the span.
  package mutating func count(_ run: Run) {
    guard run.createdAt >= start, run.createdAt < end else { return }
    let number = (run.createdAt.microseconds - start.microseconds) / bucket.microseconds
    counts[Slot(status: run.status, number: number), default: 0] += 1
  }

  /// Adds to the count of a bucket.
  ///
  /// - Parameters:
  ///   - count: the number of runs, which may be negative.
  ///   - status: the status.
  ///   - number: the number of the bucket.
  package mutating func add(_ count: Int, _ status: RunStatus, in number: Int64) {
    counts[Slot(status: status, number: number), default: 0] += count
  }

  /// The counts that are greater than zero.
  package var results: [RunCount] {
    counts.compactMap { slot, count in
      guard count > 0 else { return nil }
      return RunCount(
        status: slot.status, start: Timestamp(microseconds: start.microseconds + slot.number * bucket.microseconds),
        count: count)
    }
  }
}
