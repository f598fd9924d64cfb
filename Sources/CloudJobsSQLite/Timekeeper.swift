#if SQLite
import CloudJobsCore
import Synchronization

/// The store's time as this process has seen it: a clock that is not let back.
final class Timekeeper: Sendable {
  private let clock: any JobClock
  private let latest = Mutex(Timestamp.distantPast)

  init(clock: any JobClock) {
    self.clock = clock
  }

  /// The time now, no earlier than what this process has answered and what the file says.
  func advance(past stored: Timestamp) -> Timestamp {
    let now = clock.now()
    return latest.withLock { latest in
      latest = max(latest, now, stored)
      return latest
    }
  }
}
#endif
