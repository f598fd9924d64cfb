import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("A task's own retry settings")
struct TaskRetryTests {
  @Test(
    "they replace the queue's as a whole: the number of attempts and the delays",
    arguments: [
      (nil, [0, 100_000]),
      (
        CloudTasks.RetryConfig(
          maxAttempts: 4, minBackoff: .seconds(1), maxBackoff: .seconds(100), maxDoublings: 1),
        [0, 1_000, 3_000, 7_000]
      ),
      (CloudTasks.RetryConfig(maxAttempts: 3), [0, 100, 300]), (CloudTasks.RetryConfig(maxAttempts: 1), [0]),
    ] as [(CloudTasks.RetryConfig?, [Int])])
  func attempts(retry: CloudTasks.RetryConfig?, milliseconds: [Int]) async throws {
    let fixture = Fixture { _ in .status(500) }
    try fixture.makeQueue(
      retry: .init(maxAttempts: 2, minBackoff: .seconds(100), maxBackoff: .seconds(1_000), maxDoublings: 3))
    let queue = try Fixture.queue()
    let target = HTTPTarget(url: "http://127.0.0.1/")
    try fixture.emulator.withState { state, now in
      _ = try state.tasks.createTask(.init(target: .http(target), retryConfig: retry), in: queue, at: now)
    }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == milliseconds.map { .milliseconds($0) })
    let last = "given up: maxAttempts \(milliseconds.count) reached"
    #expect(fixture.emulator.trace.last?.hasSuffix(last) == true)
  }

  @Test("they are checked like the queue's")
  func refused() throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    let queue = try Fixture.queue()
    let target = HTTPTarget(url: "http://127.0.0.1/")
    let refusal = fault {
      try fixture.emulator.withState { state, now in
        _ = try state.tasks.createTask(
          .init(target: .http(target), retryConfig: .init(maxAttempts: -2)), in: queue, at: now)
      }
    }
    #expect(refusal == .invalidArgument("RetryConfig.maxAttempts must be greater or equal to -1."))
  }
}
