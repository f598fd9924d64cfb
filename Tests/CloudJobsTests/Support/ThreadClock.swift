#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The time that this thread has computed: unlike a clock on the wall, it does not count what other processes take.
enum ThreadClock {
  static func now() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
