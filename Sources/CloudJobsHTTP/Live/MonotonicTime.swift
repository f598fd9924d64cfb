#if HTTP
/// A point of the machine's monotonic clock: what deadlines of transfers are measured by.
struct MonotonicTime: Comparable, Hashable, Sendable {
  /// The time since an arbitrary start.
  var sinceStart: Duration

  private static let start = ContinuousClock.now

  /// The present.
  static func now() -> MonotonicTime {
    MonotonicTime(sinceStart: start.duration(to: ContinuousClock.now))
  }

  /// The point that lies a span later.
  func advanced(by span: Duration) -> MonotonicTime {
    MonotonicTime(sinceStart: sinceStart + span)
  }

  /// Whole milliseconds until another point, rounded up, between 0 and `Int32.max`.
  func milliseconds(until other: MonotonicTime) -> Int {
    let (seconds, attoseconds) = (other.sinceStart - sinceStart).components
    if seconds < 0 || attoseconds < 0 { return 0 }
    if seconds >= Int64(Int32.max) / 1000 { return Int(Int32.max) }
    return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  /// Whether one point lies before another.
  static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.sinceStart < right.sinceStart }
}
#endif
