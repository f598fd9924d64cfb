#if Server
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The pause before a process exits, in which event loops write their last responses.
enum FinalPause {
  /// Blocks the thread for 50 ms.
  static func wait() { usleep(50_000) }
}
#endif
