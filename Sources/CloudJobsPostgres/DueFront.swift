#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// What a process knows of the runs that are due: the time from which on it searches for them.
///
/// While any transaction of the database holds an old snapshot, PostgreSQL keeps the index entries of all versions of
/// rows that were replaced since, and a search from the earliest time passes every one of them, some for each run that
/// was executed (<https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY>). A search
/// therefore begins at a mark, a few seconds behind the earliest run that is due. Some due runs are known by their ids
/// instead, and do not hold up the mark: the strays. They are those that stay due, as their job is not registered here,
/// and those that were committed late, which a look at the time before the mark finds.
///
/// It is pure: it decides where to search, and the store searches.
struct DueFront: Sendable {
  /// A due run that is known by its id.
  struct Stray: Hashable, Comparable, Sendable {
    var wakeAt: Timestamp
    var id: RunID

    static func < (left: Stray, right: Stray) -> Bool { (left.wakeAt, left.id) < (right.wakeAt, right.id) }
  }

  /// The time by which the mark stays behind what was searched, for commits that are late.
  static let margin = Duration.seconds(5)
  /// The time for which a run that a claim leaves alone holds up the mark, before it becomes a stray.
  static let patience = Duration.seconds(30)
  /// The maximum number of strays; further ones hold up the mark.
  static let strayLimit = 256

  /// The time from which on due runs are searched for: each due run that is no stray is at or after it, but for those
  /// that a look has yet to find.
  private(set) var mark = Timestamp.distantPast
  private var known: Set<Stray> = []
  /// The strays that became known since the look under way began; nil if there is none.
  private var news: Set<Stray>?
  private var nextLook = Int64.min
  private var lookEnd = Int64.min
  /// The cost of the last look, in milliseconds; nil if there was none.
  private var lookCost: Int64?
  private var isNoticed = false

  /// The strays, in their order.
  var strays: [Stray] { known.sorted() }

  // MARK: Claims

  /// What a claim asks the database for.
  struct Search: Hashable, Sendable {
    /// The strays to look at, in their order: all are before ``mark``.
    var strays: [Stray]
    /// The time from which on further runs are searched for.
    var mark: Timestamp
    /// The maximum number of further runs.
    var limit: Int
  }

  /// Returns the search for a page of due runs.
  ///
  /// - Parameters:
  ///   - cursor: the end of the page before; nil for the first one.
  ///   - limit: the maximum number of runs.
  /// - Returns: the search; the further runs are those behind the cursor too.
  func search(after cursor: Stray?, limit: Int) -> Search {
    let page = strays.filter { stray in stray.wakeAt < mark && (cursor.map { $0 < stray } ?? true) }.prefix(limit)
    return Search(strays: Array(page), mark: mark, limit: limit - page.count)
  }

  /// Notes the result of a search.
  ///
  /// - Parameters:
  ///   - search: the search.
  ///   - found: all runs that were returned.
  ///   - claimed: those that were claimed.
  ///   - time: the time of the search.
  mutating func note(_ search: Search, found: [Stray], claimed: Set<RunID>, at time: Timestamp) {
    // Those that are gone were taken by others, or are held by them at this moment: a look finds these again.
    let left = Set(found.filter { !claimed.contains($0.id) })
    known.subtract(search.strays.filter { !left.contains($0) })
    known = known.filter { !claimed.contains($0.id) }
    for run in left.sorted() where run.wakeAt + Self.patience < time { add(run) }
  }

  private mutating func add(_ run: Stray) {
    guard known.count < Self.strayLimit || known.contains(run) else { return }
    known.insert(run)
    news?.insert(run)
  }

  // MARK: The mark

  /// Notes a reading of the due runs without locks.
  ///
  /// - Parameters:
  ///   - first: the time of the earliest due run from the mark on that is no stray; nil if there is none.
  ///   - mark: the mark at which the reading began.
  ///   - time: the time of the reading, before it began.
  mutating func note(first: Timestamp?, from mark: Timestamp, at time: Timestamp) {
    guard mark == self.mark else { return }
    self.mark = max(mark, min(first ?? time, time) - Self.margin)
  }

  /// Notes that this process has written a run.
  ///
  /// A reading under way may not have seen it: one that lies behind the mark, or may soon, becomes a stray.
  mutating func noteWrite(_ run: Stray) {
    guard run.wakeAt < mark + Self.margin else { return }
    add(run)
    if !known.contains(run) { mark = min(mark, run.wakeAt) }
  }

  // MARK: Looks at the time before the mark

  /// The interval between looks, in milliseconds.
  static let lookInterval: Int64 = 5_000
  /// The longest interval between looks that cost much or fail, in milliseconds.
  static let longestLookInterval: Int64 = 30_000
  /// The interval between looks that others' notifications cause, in milliseconds.
  static let noticeInterval: Int64 = 100
  /// The cost of a look up to which it may be repeated as often as others notify, in milliseconds.
  static let cheapLook: Int64 = 10

  /// Whether a look costs so little that one may wait for it.
  var isLookCheap: Bool { lookCost.map { $0 <= Self.cheapLook } ?? false }

  /// Begins a look at all due runs before the mark.
  ///
  /// - Parameter now: the time of a monotonic clock, in milliseconds.
  /// - Returns: the mark; nil if no look is due.
  mutating func beginLook(at now: Int64) -> Timestamp? {
    let isDue = now >= nextLook || (isNoticed && isLookCheap && now >= lookEnd + Self.noticeInterval)
    guard news == nil, mark > .distantPast, isDue else { return nil }
    (news, isNoticed) = ([], false)
    return mark
  }

  /// Ends a look.
  ///
  /// - Parameters:
  ///   - found: the earliest runs that it has found, one more than ``strayLimit`` at most; nil if it failed.
  ///   - begin: the time of its begin by the monotonic clock, in milliseconds.
  ///   - now: the time of its end.
  mutating func endLook(_ found: [Stray]?, begin: Int64, at now: Int64) {
    let cost = max(0, now - begin)
    // A hundredth of the time is spent on looks, unless they cost more than 300 ms.
    let pause = min(max(Self.lookInterval, cost * 100), Self.longestLookInterval)
    (lookCost, lookEnd, nextLook) = (cost, now, now + pause)
    let added = news ?? []
    news = nil
    guard let found else {
      // A look that fails is not waited for again.
      lookCost = nil
      return
    }
    if found.count > Self.strayLimit, let first = found.first {
      // Too many to know them all: the searches find them.
      mark = min(mark, first.wakeAt)
    }
    known = []
    for run in found.prefix(Self.strayLimit) { known.insert(run) }
    for run in added.sorted() { add(run) }
  }

  /// Notes that another process has made work due.
  mutating func noteNotification() { isNoticed = true }
}
#endif
