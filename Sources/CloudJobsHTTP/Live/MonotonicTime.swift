#if HTTP
/// A point in time on the machine's monotonic clock, for the deadlines of transfers.
struct MonotonicTime: Comparable, Hashable, Sendable {
  /// The time since an arbitrary start.
  var sinceStart: Duration

  private static let start = ContinuousClock.now

  /// Returns the current time.
  static func now() -> MonotonicTime {
    MonotonicTime(sinceStart: start.duration(to: ContinuousClock.now))
  }

  /// Returns the point in time after a span.
  func advanced(by span: Duration) -> MonotonicTime {
    MonotonicTime(sinceStart: sinceStart + span)
  }

  /// Returns the whole milliseconds until another point, rounded up, between 0 and `Int32.max`.
  func milliseconds(until other: MonotonicTime) -> Int {
    let (seconds, attoseconds) = (other.sinceStart - sinceStart).components
    if seconds < 0 || attoseconds < 0 { return 0 }
    if seconds >= Int64(Int32.max) / 1000 { return Int(Int32.max) }
    return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  /// Returns whether one point is before another.
  static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.sinceStart < right.sinceStart }
}
#endif
