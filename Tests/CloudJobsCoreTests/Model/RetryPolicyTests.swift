import CloudJobsCore
import TestSupport
import Testing

@Suite("Retry policy")
struct RetryPolicyTests {
  @Test(
    "The delay grows by its rule",
    arguments: [
      (RetryPolicy.Backoff.fixed(.seconds(7)), [7, 7, 7, 7, 7]),
      (.linear(.seconds(7)), [7, 14, 21, 28, 35]),
      (.exponential(.seconds(10)), [10, 20, 40, 80, 100]),
      (.exponential(.seconds(8), multiplier: 1.5), [8, 12, 18, 27, 40.5]),
      (.exponential(.seconds(10), multiplier: 3), [10, 30, 90, 100, 100]),
      (.exponential(.seconds(10), multiplier: 0.5), [10, 10, 10, 10, 10]),
      (.delays([.seconds(1), .seconds(60), .seconds(5)]), [1, 60, 5, 5, 5]),
      (.delays([]), [0, 0, 0, 0, 0]), (.delays([.seconds(-3), .seconds(300)]), [0, 100, 100, 100, 100]),
      (.cloudTasks(.seconds(10), maxDoublings: 0), [10, 20, 30, 40, 50]),
      (.cloudTasks(.seconds(10), maxDoublings: 1), [10, 20, 40, 60, 80]),
    ] as [(RetryPolicy.Backoff, [Double])])
  func delays(backoff: RetryPolicy.Backoff, expected: [Double]) {
    let policy = RetryPolicy(maxAttempts: 9, backoff: backoff, jitter: .none, maxDelay: .seconds(100))
    #expect((1...5).map { policy.delay(afterFailures: $0) } == expected.map { .milliseconds(Int64($0 * 1_000)) })
  }

  @Test("Cloud Tasks' own example comes out: 10 s, 300 s, 3 doublings")
  func cloudTasks() {
    let policy = RetryPolicy.cloudTasks(minBackoff: .seconds(10), maxBackoff: .seconds(300), maxDoublings: 3)
    #expect(
      (1...9).map { policy.delay(afterFailures: $0) }
        == [10, 20, 40, 80, 160, 240, 300, 300, 300].map { .seconds($0) })
  }

  @Test("Jitter stays in its bounds and reaches both halves", arguments: RetryPolicy.Jitter.allCases)
  func jitter(_ jitter: RetryPolicy.Jitter) {
    let policy = RetryPolicy(maxAttempts: 9, backoff: .fixed(.seconds(100)), jitter: jitter)
    var random = SeededGenerator(seed: 3)
    let delays = (0..<2_000).map { _ in policy.delay(afterFailures: 1, random: &random) }
    let lowest: Duration =
      [.automatic: .seconds(100), .none: .seconds(100), .half: .seconds(50), .full: .zero][jitter] ?? .zero
    #expect(delays.allSatisfy { (lowest...Duration.seconds(100)).contains($0) })
    let middle = (lowest + .seconds(100)) / 2
    let isDrawn = jitter == .half || jitter == .full
    #expect(delays.contains { $0 < middle } == isDrawn)
    #expect(delays.contains { $0 > middle } == isDrawn)
  }

  @Test(
    "Without a word about jitter a fixed delay is fixed, and one that grows is spread by half",
    arguments: [
      (RetryPolicy.Backoff.fixed(.seconds(8)), true), (.linear(.seconds(8)), false),
      (.exponential(.seconds(8)), false), (.delays([.seconds(8)]), true),
      (.cloudTasks(.seconds(8), maxDoublings: 3), false),
    ])
  func automaticJitter(backoff: RetryPolicy.Backoff, isFixed: Bool) {
    let policy = RetryPolicy(maxAttempts: 9, backoff: backoff)
    var random = SeededGenerator(seed: 5)
    let delays = Set((0..<200).map { _ in policy.delay(afterFailures: 1, random: &random) })
    #expect(delays.allSatisfy { (Duration.seconds(4)...Duration.seconds(8)).contains($0) })
    #expect((delays == [.seconds(8)]) == isFixed)
  }

  @Test(
    "No count and no duration traps",
    arguments: [
      RetryPolicy.Backoff.fixed(.seconds(Int64.max)), .linear(.seconds(Int64.max)), .exponential(.seconds(Int64.max)),
      .exponential(.microseconds(1), multiplier: 1.000_001), .exponential(.seconds(1), multiplier: .nan),
      .exponential(.seconds(1), multiplier: .infinity), .delays([.seconds(Int64.max), .seconds(-9)]),
      .exponential(.microseconds(1)), .exponential(.seconds(-9)), .linear(.seconds(-9)),
      .cloudTasks(.seconds(Int64.max), maxDoublings: .max), .cloudTasks(.microseconds(1), maxDoublings: .max),
      .cloudTasks(.seconds(1), maxDoublings: .min),
    ])
  func saturates(_ backoff: RetryPolicy.Backoff) {
    var random = SeededGenerator(seed: 4)
    for jitter in RetryPolicy.Jitter.allCases {
      var policy = RetryPolicy(maxAttempts: .max, backoff: backoff, jitter: jitter, maxDelay: .seconds(Int64.max))
      for failures in [Int.min, -1, 0, 1, 2, 61, 62, 63, 64, 65, 1_000_000, .max] {
        #expect(policy.delay(afterFailures: failures, random: &random) >= .zero)
        #expect(policy.delay(afterFailures: failures) <= policy.maxDelay)
      }
      policy.maxDelay = .seconds(-1)
      #expect(policy.delay(afterFailures: 3, random: &random) == .zero)
    }
  }

  @Test("Values below their range count as the least")
  func bounds() {
    let policy = RetryPolicy(maxAttempts: -3, maxDelay: .seconds(-1), minimumDuration: .seconds(-1))
    #expect(policy.maxAttempts == 1)
    #expect(policy.maxDelay == .zero)
    #expect(policy.minimumDuration == .zero)
  }
}
