#if Server
import CloudJobs
import CloudJobsCore
import Synchronization

/// Computations that a page may take some time for: few at a time in a process, each on a thread of its own.
///
/// The shared pool of threads stays free for deliveries, heartbeats and other pages, however many visitors ask.
enum LongComputation {
  /// The maximum number of computations at once.
  static let limit = 2
  private static let active = Mutex(0)

  /// Computes a value on a thread of its own.
  ///
  /// - Parameter compute: the computation.
  /// - Returns: the value.
  /// - Throws: ``/CloudJobsCore/JobError`` `overloaded` while ``limit`` others are under way, or if there is no thread.
  static func run<Value: Sendable>(_ compute: @escaping @Sendable () -> Value) async throws(JobError) -> Value {
    let mayStart = active.withLock { active in
      guard active < limit else { return false }
      active += 1
      return true
    }
    guard mayStart else {
      throw JobError(.overloaded, "Other forecasts and calendars are being computed. Load the page again in a moment.")
    }
    let value: Value? = await withCheckedContinuation { continuation in
      let isStarted = DedicatedThread.start {
        let value = compute()
        active.withLock { $0 -= 1 }
        continuation.resume(returning: value)
      }
      if !isStarted {
        active.withLock { $0 -= 1 }
        continuation.resume(returning: nil)
      }
    }
    guard let value else { throw JobError(.overloaded, "The system has no thread left. Load the page again later.") }
    return value
  }
}
#endif
