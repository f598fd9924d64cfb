#if Google
import CloudJobsCore

/// A clock that stands still.
struct FixedClock: JobClock {
  let time: Timestamp

  func now() -> Timestamp { time }

  func sleep(until deadline: Timestamp) async throws {}
}
#endif
