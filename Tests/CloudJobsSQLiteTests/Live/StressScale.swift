#if SQLite
import Foundation

/// The size of stress tests: small, unless `CLOUD_JOBS_STRESS=full` is set.
enum StressScale {
  static let isFull = ProcessInfo.processInfo.environment["CLOUD_JOBS_STRESS"] == "full"
}
#endif
