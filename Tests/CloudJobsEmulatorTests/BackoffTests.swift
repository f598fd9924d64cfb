import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Backoff and retry limits")
struct BackoffTests {
  @Test(
    "doubles, then grows linearly, up to the maximum",
    arguments: [
      (10, 300, 3, [10, 20, 40, 80, 160, 240, 300, 300]), (1, 1_000, 0, [1, 2, 3, 4, 5]),
      (5, 3_600, 5, [5, 10, 20, 40, 80, 160, 320, 480, 640]), (7, 7, 16, [7, 7, 7]), (0, 10, 3, [0, 0, 0]),
      (1, 3_600, 16, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600]),
    ] as [(Int, Int, Int, [Int])])
  func table(minimum: Int, maximum: Int, doublings: Int, expected: [Int]) {
    let policy = BackoffPolicy(minimum: .seconds(minimum), maximum: .seconds(maximum), doublings: doublings)
    #expect((1...expected.count).map { policy.delay(beforeRetry: $0) } == expected.map { .seconds($0) })
  }

  @Test("never overflows", arguments: [1, 62, 63, 64, 1_000, Int.max])
  func extremes(retry: Int) {
    let policy = BackoffPolicy(minimum: .seconds(3_600), maximum: .seconds(86_400), doublings: 1_000)
    #expect((.seconds(3_600) ... .seconds(86_400)).contains(policy.delay(beforeRetry: retry)))
  }

  /// maxAttempts, maxRetryDuration in seconds, attempts made, seconds elapsed, whether it is abandoned.
  @Test(
    "abandons a task only when attempts and duration are both exhausted",
    arguments: [
      (3, 0, 2, 1_000, false), (3, 0, 3, 0, true), (3, 60, 3, 59, false), (3, 60, 3, 60, true), (3, 60, 9, 59, false),
      (3, 60, 2, 3_600, false), (-1, 0, 1_000, 1_000_000, false), (-1, 60, 1, 59, false), (-1, 60, 1, 60, true),
      (1, 0, 1, 0, true),
    ] as [(Int, Int, Int, Int, Bool)])
  func taskRule(maxAttempts: Int, duration: Int, attempts: Int, elapsed: Int, isGivenUp: Bool) {
    let retry = CloudTasks.RetryConfig(maxAttempts: maxAttempts, maxRetryDuration: .seconds(duration))
    #expect((retry.reasonToGiveUp(attempts: attempts, elapsed: .seconds(elapsed)) != nil) == isGivenUp)
  }

  /// retryCount, maxRetryDuration in seconds, attempts made, seconds elapsed, whether it is abandoned.
  @Test(
    "abandons an execution by the same rule, counting retries",
    arguments: [
      (0, 0, 1, 0, true), (1, 0, 1, 0, false), (1, 0, 2, 0, true), (5, 0, 5, 99, false), (5, 0, 6, 0, true),
      (0, 60, 1, 59, false), (0, 60, 9, 60, true), (2, 60, 3, 59, false), (2, 60, 2, 60, false),
    ] as [(Int, Int, Int, Int, Bool)])
  func schedulerRule(retryCount: Int, duration: Int, attempts: Int, elapsed: Int, isGivenUp: Bool) {
    let retry = CloudScheduler.RetryConfig(retryCount: retryCount, maxRetryDuration: .seconds(duration))
    #expect((retry.reasonToGiveUp(attempts: attempts, elapsed: .seconds(elapsed)) != nil) == isGivenUp)
  }
}
