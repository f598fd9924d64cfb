#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// What a process knows of the runs that are due: the time from which on it searches for them.
///
/// While any transaction of the database holds an old snapshot, PostgreSQL keeps the index entries of all versions of
/// rows that were replaced since, and a search from the earliest time passes every one of them, some for each run that
/// was executed (<https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY>). A search
/// therefore begins at a mark, a few seconds behind the latest one. The due runs before the mark, the strays, are known
/// by their ids: those that stay due, as their job is not registered here, and those that were committed late, which a
/// look at the time before the mark finds.
///
/// It is pure: it decides where to search, and the store searches.
struct DueFront: Sendable {
  /// A due run before the mark.
  struct Stray: Hashable, Comparable, Sendable {
    var wakeAt: Timestamp
    var id: RunID

    static func < (left: Stray, right: Stray) -> Bool { (left.wakeAt, left.id) < (right.wakeAt, right.id) }
  }

  /// The time by which the mark stays behind what was searched, for commits that are late.
  static let margin = Duration.seconds(5)
  /// The time for which a run that a claim leaves alone keeps the mark behind it, before it becomes a stray.
  static let patience = Duration.seconds(30)
  /// The maximum number of strays.
  static let strayLimit = 256

  /// The time from which on due runs are searched for.
  private(set) var mark = Timestamp.distantPast
  /// The due runs before it, in their order.
  private(set) var strays: [Stray] = []
  private var look: Look?
  private var lookCost = 0
  private var nextLook = Int64.min

  // MARK: Claims

  /// What a claim asks the database for.
  struct Search: Hashable, Sendable {
    /// The runs before ``start`` to look at, in their order.
    var strays: [Stray]
    /// The time from which on further runs are searched for.
    var start: Timestamp
    /// The maximum number of further runs.
    var limit: Int
    /// Whether the search begins at the mark.
    fileprivate var isFromMark: Bool

    /// Returns the end of the page; nil if it is the last one.
    ///
    /// - Parameter found: the further runs that were found.
    /// - Returns: its last run.
    func end(after found: [Stray]) -> Stray? {
      if limit == 0 { return strays.last }
      return found.count == limit ? found.last : nil
    }
  }

  /// Returns the search for a page of due runs.
  ///
  /// - Parameters:
  ///   - cursor: the end of the page before; nil for the first one.
  ///   - limit: the maximum number of runs.
  /// - Returns: the search.
  func search(after cursor: Stray?, limit: Int) -> Search {
    let page = strays.drop { stray in cursor.map { stray <= $0 } ?? false }.prefix(limit)
    let isFromMark = cursor.map { $0.wakeAt < mark } ?? true
    return Search(
      strays: Array(page), start: isFromMark ? mark : cursor?.wakeAt ?? mark, limit: limit - page.count,
      isFromMark: isFromMark)
  }

  /// Notes the result of a search.
  ///
  /// - Parameters:
  ///   - search: the search.
  ///   - found: the further runs that were due, in their order.
  ///   - claimed: the runs that were claimed.
  ///   - time: the time of the search.
  mutating func note(_ search: Search, found: [Stray], claimed: Set<RunID>, at time: Timestamp) {
    strays.removeAll { claimed.contains($0.id) }
    // Of a later page, the runs before it are not known.
    guard search.limit > 0, search.isFromMark, search.start == mark else { return }
    let isComplete = found.count < search.limit
    let seen = isComplete ? time : found.last?.wakeAt ?? time
    raiseMark(to: seen, leaving: found.filter { !claimed.contains($0.id) }, time)
  }

  /// Notes that nothing was due from the mark on.
  ///
  /// - Parameters:
  ///   - mark: the mark of the search.
  ///   - time: the time of the search.
  mutating func noteNothingDue(from mark: Timestamp, at time: Timestamp) {
    if mark == self.mark { raiseMark(to: time, leaving: [], time) }
  }

  private mutating func raiseMark(to seen: Timestamp, leaving left: [Stray], _ time: Timestamp) {
    var mark = seen - Self.margin
    for run in left where run.wakeAt < mark {
      guard run.wakeAt + Self.patience < time, strays.count < Self.strayLimit else {
        mark = run.wakeAt
        break
      }
      strays.append(run)
    }
    self.mark = max(self.mark, mark)
    tidyStrays()
  }

  /// Notes that this process has written a run.
  mutating func noteWrite(wakeAt: Timestamp) {
    guard wakeAt < mark else { return }
    mark = wakeAt
    tidyStrays()
  }

  private mutating func tidyStrays() {
    strays = Set(strays.filter { $0.wakeAt < mark }).sorted()
  }

  // MARK: Looks at the time before the mark

  /// A part of the time before the mark.
  struct Slice: Hashable, Sendable {
    /// Its first moment.
    var start: Timestamp
    /// The moment after its last.
    var end: Timestamp
  }

  private struct Look {
    /// The mark when it began.
    var mark: Timestamp
    var span = Duration.seconds(10)
    var found: [Stray] = []
    var cost = 0
  }

  /// The interval between looks, in milliseconds.
  static let lookInterval: Int64 = 5_000
  /// The interval between looks that others' notifications cause, in milliseconds.
  static let noticeInterval: Int64 = 100
  /// The cost of a look up to which it may be repeated as often as others notify, in milliseconds.
  static let cheapLook = 10

  /// Whether a look costs little, so that one may wait for it.
  var isLookCheap: Bool { lookCost <= Self.cheapLook }

  /// Begins a look, from the mark back to the beginning of time, in slices that take a few milliseconds each.
  ///
  /// - Parameter now: the time of a monotonic clock, in milliseconds.
  /// - Returns: the first slice; nil if no look is due.
  mutating func beginLook(at now: Int64) -> Slice? {
    guard look == nil, mark > .distantPast, now >= nextLook else { return nil }
    let look = Look(mark: mark)
    self.look = look
    return Slice(start: mark - look.span, end: mark)
  }

  /// Notes the runs of a slice.
  ///
  /// - Parameters:
  ///   - slice: the slice.
  ///   - found: its earliest runs, one more than ``strayLimit`` at most.
  ///   - cost: the time that it took, in milliseconds.
  ///   - now: the time of the monotonic clock, in milliseconds.
  /// - Returns: the next slice; nil at the end.
  mutating func note(_ slice: Slice, found: [Stray], cost: Int, at now: Int64) -> Slice? {
    guard var look else { return nil }
    look.found += found
    look.cost += cost
    if cost <= 3 { look.span = look.span * 8 } else if cost > 8 { look.span = look.span / 2 }
    let isFull = look.found.count > Self.strayLimit
    if slice.start > .distantPast, !isFull {
      self.look = look
      return Slice(start: slice.start - look.span, end: slice.start)
    }
    endLook(cost: look.cost, at: now)
    if isFull {
      // Too many to know them all: the searches find them.
      mark = .distantPast
    } else {
      strays = look.found + strays.filter { $0.wakeAt >= look.mark }
    }
    tidyStrays()
    return nil
  }

  /// Ends a look that failed.
  mutating func abandonLook(at now: Int64) { endLook(cost: lookCost, at: now) }

  private mutating func endLook(cost: Int, at now: Int64) {
    look = nil
    lookCost = cost
    // At most a hundredth of the time is spent on looks.
    nextLook = now + max(Self.lookInterval, Int64(cost) * 100)
  }

  /// Notes that another process has made work due.
  mutating func noteNotification(at now: Int64) {
    if isLookCheap { nextLook = min(nextLook, now + Self.noticeInterval) }
  }
}
#endif
