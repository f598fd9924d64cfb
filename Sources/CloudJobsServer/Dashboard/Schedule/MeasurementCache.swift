#if Server
import CloudJobs
import CloudJobsCore
import Synchronization

/// What was measured for a forecast, which other forecasts use for a while: pure.
///
/// A measurement reads the recent runs of each job, which takes most of the time of a forecast's page.
struct MeasurementCache: Sendable {
  /// What was measured, and when.
  struct Entry: Equatable, Sendable {
    /// The measurement of each job.
    var jobs: [JobID: JobMeasurement]
    /// The time of the measurement.
    var measuredAt: Timestamp
  }

  /// The time for which a measurement is used.
  static let lifetime = Duration.minutes(1)

  private var latest: Entry?

  /// Returns what may be used at a time; nil if nothing was measured, or if it is too old.
  ///
  /// - Parameter now: the time; before that of the measurement, as after a clock was set back, it may not be used.
  /// - Returns: the latest measurement, or nil.
  func entry(at now: Timestamp) -> Entry? {
    latest.flatMap { $0.measuredAt <= now && now - $0.measuredAt < Self.lifetime ? $0 : nil }
  }

  /// Keeps what was measured, in place of what was measured before.
  mutating func keep(_ entry: Entry) {
    latest = entry
  }
}

/// The measurements that the forecasts of one dashboard share.
final class SharedMeasurements: Sendable {
  private let cache = Mutex(MeasurementCache())

  /// Returns what may be used at a time; nil for nothing.
  func entry(at now: Timestamp) -> MeasurementCache.Entry? { cache.withLock { $0.entry(at: now) } }

  /// Keeps what was measured for other forecasts.
  func keep(_ entry: MeasurementCache.Entry) { cache.withLock { $0.keep(entry) } }
}
#endif
