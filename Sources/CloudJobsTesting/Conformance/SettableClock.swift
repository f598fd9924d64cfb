public import CloudJobsCore
import Synchronization

/// A clock that stands still until it is set, forwards or backwards.
public final class SettableClock: JobClock {
  private let time: Mutex<Timestamp>

  /// A clock that stands at a time.
  public init(_ time: Timestamp) {
    self.time = Mutex(time)
  }

  /// The time it stands at.
  public func now() -> Timestamp {
    time.withLock { $0 }
  }

  /// Sets it, forwards or backwards.
  public func set(_ time: Timestamp) {
    self.time.withLock { $0 = time }
  }

  /// Moves it.
  public func advance(by span: Duration) {
    time.withLock { $0 = $0 + span }
  }

  /// Moves to the deadline where that lies ahead, and returns at once.
  public func sleep(until deadline: Timestamp) async throws {
    try Task.checkCancellation()
    time.withLock { $0 = max($0, deadline) }
  }
}
