#if HTTP
import CloudJobsCore
import Synchronization

/// The service's time as this process has seen it, which is not let back.
final class FirestoreTime: Sendable {
  private let latest = Mutex(Timestamp.distantPast)

  /// The time of an answer, no earlier than those of answers before.
  func advance(to time: Timestamp) -> Timestamp {
    latest.withLock { latest in
      latest = max(latest, time)
      return latest
    }
  }
}
#endif
