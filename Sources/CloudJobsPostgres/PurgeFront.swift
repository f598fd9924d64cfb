#if PostgreSQL
import CloudJobsCore

/// The time from which on a process searches for expired rows of a table, for the reason that ``DueFront`` gives.
///
/// What others skipped, and what expired late, is found by a search from the beginning of time once an hour.
struct PurgeFront: Sendable {
  /// The interval between searches from the beginning of time, in milliseconds.
  static let interval: Int64 = 3_600_000

  private var mark = Timestamp.distantPast
  private var nextFullSearch = Int64.min

  /// Returns the time from which on to search.
  ///
  /// - Parameter now: the time of a monotonic clock, in milliseconds.
  /// - Returns: the time.
  mutating func start(at now: Int64) -> Timestamp {
    if now >= nextFullSearch {
      mark = .distantPast
      nextFullSearch = now + Self.interval
    }
    return mark
  }

  /// Notes that this process has written a row.
  mutating func noteWrite(expireAt: Timestamp) { mark = min(mark, expireAt) }

  /// Notes the end of a search.
  ///
  /// - Parameter last: the latest time among the rows that were deleted; nil if there were none.
  mutating func note(last: Timestamp?) {
    if let last { mark = max(mark, last) }
  }
}
#endif
