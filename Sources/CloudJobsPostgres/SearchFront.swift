#if PostgreSQL
import CloudJobsCore

/// The time from which on a process searches for rows that expire, or for jobs that come due, for the reason that
/// ``DueFront`` gives.
///
/// What others skipped or wrote late, before that time, is found by a search from the beginning of time, at intervals.
struct SearchFront: Sendable {
  private let interval: Int64
  private var mark = Timestamp.distantPast
  private var nextFullSearch = Int64.min

  /// Creates the front of a process that has not searched yet.
  ///
  /// - Parameter interval: the interval between searches from the beginning of time, in milliseconds.
  init(interval: Int64) {
    self.interval = interval
  }

  /// The front of a table's expired rows.
  static var ofPurge: SearchFront { SearchFront(interval: 3_600_000) }
  /// The front of due jobs.
  static var ofJobs: SearchFront { SearchFront(interval: 5_000) }

  /// Returns the time from which on to search.
  ///
  /// - Parameter now: the time of a monotonic clock, in milliseconds.
  /// - Returns: the time.
  mutating func start(at now: Int64) -> Timestamp {
    if now >= nextFullSearch {
      mark = .distantPast
      nextFullSearch = now + interval
    }
    return mark
  }

  /// Notes that this process has written a row.
  mutating func noteWrite(at time: Timestamp) { mark = min(mark, time) }

  /// Notes that this process may have written a row of any time.
  mutating func noteWrite() { nextFullSearch = .min }

  /// Notes the end of a search.
  ///
  /// - Parameter last: a time before which no row is left, as far as this process knows; nil if it knows none.
  mutating func note(last: Timestamp?) {
    if let last { mark = max(mark, last) }
  }
}
#endif
