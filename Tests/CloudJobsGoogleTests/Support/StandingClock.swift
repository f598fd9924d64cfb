#if HTTP
import CloudJobsCore
import CloudJobsTesting

/// A clock that stands still until it is set: short delays pass at once, long ones not before they are cancelled.
struct StandingClock: JobClock {
  let time: SettableClock

  func now() -> Timestamp { time.now() }

  func sleep(until deadline: Timestamp) async throws {
    if deadline - now() <= .seconds(5) { return }
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    // A stream that nobody feeds ends when the task is cancelled.
    for await _ in stream {}
    continuation.finish()
    throw CancellationError()
  }
}
#endif
