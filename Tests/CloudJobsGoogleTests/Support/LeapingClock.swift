#if HTTP && Server
import CloudJobsCore
import Synchronization

/// A clock that stands still, save that a sleep leaps to its end.
final class LeapingClock: JobClock {
  private let time: Mutex<Timestamp>

  init(_ start: Timestamp = Timestamp(seconds: 1_795_000_000)) { time = Mutex(start) }

  func now() -> Timestamp { time.withLock { $0 } }

  func sleep(until deadline: Timestamp) async throws { time.withLock { $0 = max($0, deadline) } }
}
#endif
