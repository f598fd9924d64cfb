#if HTTP
import Synchronization

/// A peer filter that lets one connection be made and no other.
final class OneConnection: Sendable {
  private let isMade = Mutex(false)

  /// True the first time.
  func pass() -> Bool {
    isMade.withLock { isMade in
      defer { isMade = true }
      return !isMade
    }
  }
}
#endif
