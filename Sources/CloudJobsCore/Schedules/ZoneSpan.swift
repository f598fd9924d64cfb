/// A stretch of time over which a zone's offset from UTC does not change.
struct ZoneSpan: Hashable, Sendable {
  /// The first second of the stretch, since 1970 in UTC.
  var start: Int64
  /// The first second after the stretch.
  var end: Int64
  /// Seconds to add to UTC within the stretch.
  var offset: Int64
  /// The offset before ``start``.
  var previousOffset: Int64

  /// The ends of time in seconds: far beyond years 1 to 9999, and far from where adding an offset would overflow.
  static let edge: Int64 = 1 << 60

  /// How far clocks move at ``start``: positive where local times are skipped, negative where they repeat.
  var shift: Int64 { offset - previousOffset }
}
