#if HTTP
import CloudJobs
import CloudJobsCore
@testable import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Synchronization

extension GoogleCloud {
  /// Returns Google's endpoints without credentials, through a test's own exchange.
  static func at(_ client: any HTTPExchange, _ clock: any JobClock = AutoAdvancingClock()) -> GoogleCloud {
    GoogleCloud(project: "test", credentials: FixedHeaders.none, client: client, clock: clock)
  }
}

/// Credentials made by a closure.
struct ClosureCredentials: AccessTokenProvider {
  let make: @Sendable () async throws(JobError) -> HTTPFields

  func headers() async throws(JobError) -> HTTPFields { try await make() }
}

/// A clock that only advances when a sleep jumps to its end.
final class AutoAdvancingClock: JobClock {
  private let time: Mutex<Timestamp>

  init(_ start: Timestamp = Timestamp(seconds: 1_795_000_000)) { time = Mutex(start) }

  func now() -> Timestamp { time.withLock { $0 } }

  func sleep(until deadline: Timestamp) async throws { time.withLock { $0 = max($0, deadline) } }
}

/// A manually set clock: short sleeps return at once, long ones only when cancelled.
struct ShortSleepClock: JobClock {
  let time: SettableClock

  func now() -> Timestamp { time.now() }

  func sleep(until deadline: Timestamp) async throws {
    if deadline - now() <= .seconds(5) { return }
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    // A stream without elements ends when the task is cancelled.
    for await _ in stream {}
    continuation.finish()
    throw CancellationError()
  }
}

/// A seeded random number generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
#endif
