import CloudJobsCore
import CloudJobsEmulator
import Synchronization
import Testing

@Suite("The emulator in real time")
struct LiveEmulatorTests {
  @Test("delivers each task once while it runs, and retries failures", .timeLimit(.minutes(1)))
  func delivers() async throws {
    let seen = Mutex<[String: Int]>([:])
    let emulator = LiveEmulator(state: EmulatorState()) { delivery in
      seen.withLock { $0[String(delivery.shortID), default: 0] += 1 }
      return delivery.shortID == "flaky" && delivery.attempt == 1 ? .status(500) : .ok
    }
    let queue = try Fixture.queue()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await emulator.run() }
      try emulator.withState { state, now in
        _ = try state.tasks.createQueue(.init(name: queue, retryConfig: .init(minBackoff: .milliseconds(5))), at: now)
        for id in ["a", "b", "flaky"] {
          _ = try state.tasks.createTask(
            .init(name: "\(queue)/tasks/\(id)", target: .http(.init(url: "http://h"))), in: queue, at: now)
        }
        _ = try state.tasks.createTask(
          .init(name: "\(queue)/tasks/later", target: .http(.init(url: "http://h")), scheduleTime: now + .hours(1)),
          in: queue, at: now)
      }
      try await emulator.waitUntilIdle()
      group.cancelAll()
    }
    #expect(seen.withLock { $0 } == ["a": 1, "b": 1, "flaky": 2])
  }

  @Test("a response from before a reset has no effect after it", .timeLimit(.minutes(1)))
  func reset() async throws {
    let queue = try Fixture.queue()
    let name = try Fixture.task("a")
    let gate = AsyncStream<Void>.makeStream()
    let entered = AsyncStream<Void>.makeStream()
    let emulator = LiveEmulator(state: EmulatorState()) { delivery in
      entered.continuation.yield()
      if delivery.url == "http://old" {
        for await _ in gate.stream { break }
        return .ok
      }
      return .status(500)
    }
    let make: @Sendable (String) throws -> Void = { url in
      try emulator.withState { state, now in
        _ = try state.tasks.createQueue(.init(name: queue, retryConfig: .init(minBackoff: .hours(1))), at: now)
        _ = try state.tasks.createTask(
          .init(name: name.description, target: .http(.init(url: url))), in: queue, at: now)
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await emulator.run() }
      var entries = entered.stream.makeAsyncIterator()
      try make("http://old")
      await entries.next()
      emulator.reset(to: EmulatorState())
      try make("http://new")
      await entries.next()
      gate.continuation.yield()
      group.cancelAll()
    }
    let task = try emulator.withState { state, now in try state.tasks.getTask(name, at: now) }
    #expect(task.dispatchCount == 1)
  }
}
