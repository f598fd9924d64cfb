import CloudJobsCore
import CloudJobsEmulator
import Synchronization
import Testing

@Suite("The simulated emulator")
struct SimulatedEmulatorTests {
  /// A simulation of several days with failures, sleeps, follow-up tasks and two services.
  private func traceOfDays(_ days: Int, seed: UInt64) async throws -> [String] {
    let fixture = Fixture(seed: seed, taking: .milliseconds(1_700)) { delivery in
      let digit = (delivery.shortID.utf8.last ?? 0) &+ UInt8(truncatingIfNeeded: delivery.attempt)
      return digit % 3 == 0 ? .status(503) : digit % 3 == 1 ? .ok : .status(404)
    }
    try fixture.makeQueue(
      rate: .init(maxDispatchesPerSecond: .perSecond(2), maxConcurrentDispatches: 3), retry: .init(maxAttempts: 4))
    for index in 0..<50 { try fixture.makeTask(index.isMultiple(of: 2) ? nil : "named\(index)") }
    try fixture.makeJob("j1", schedule: "*/10 * * * *", retry: .init(retryCount: 3))
    try fixture.makeJob("j2", schedule: "every 7 minutes")
    try await fixture.emulator.advance(by: .days(days))
    return fixture.emulator.trace
  }

  @Test("gives equal traces for equal seeds, and different ones for different seeds")
  func determinism() async throws {
    let first = try await traceOfDays(1, seed: 5)
    #expect(first.count > 500)
    #expect(try await traceOfDays(1, seed: 5) == first)
    #expect(try await traceOfDays(1, seed: 6) != first)
  }

  @Test("resumes sleepers in the order of their deadlines and at those times")
  func sleepers() async throws {
    let clock = VirtualClock(start: .epoch)
    let emulator = SimulatedEmulator(state: EmulatorState(), clock: clock) { _ in .ok }
    let order = try await emulator.perform {
      await withTaskGroup(of: (Int, Timestamp).self) { group in
        for seconds in [30, 10, 20] {
          group.addTask {
            try? await clock.sleep(until: .epoch + .seconds(seconds))
            return (seconds, clock.now())
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
    }
    #expect(order.map(\.0) == [10, 20, 30])
    #expect(order.map(\.1) == [10, 20, 30].map { Timestamp.epoch + .seconds($0) })
    #expect(clock.now() == .epoch + .seconds(30))
  }

  @Test("an operation that never ends fails")
  func stuck() async throws {
    let emulator = SimulatedEmulator(state: EmulatorState(), clock: VirtualClock(start: .epoch)) { _ in .ok }
    await #expect(throws: JobError.self) {
      try await emulator.perform(limit: .hours(1)) { try await emulator.clock.sleep(until: .epoch + .hours(2)) }
    }
  }

  @Test("a cancelled sleeper is resumed with an error")
  func cancellation() async throws {
    let clock = VirtualClock(start: .epoch)
    let emulator = SimulatedEmulator(state: EmulatorState(), clock: clock) { _ in .ok }
    let wasCancelled = try await emulator.perform {
      await withTaskGroup(of: Bool.self) { group in
        group.addTask {
          do {
            try await clock.sleep(until: .epoch + .hours(1))
            return false
          } catch { return error is CancellationError }
        }
        group.cancelAll()
        return await group.next() ?? false
      }
    }
    #expect(wasCancelled)
    #expect(clock.sleeperCount == 0)
  }

  @Test("a handler may create tasks, which are delivered too")
  func followUps() async throws {
    let clock = VirtualClock(start: Fixture.start)
    let box = Mutex<SimulatedEmulator?>(nil)
    let count = Mutex(0)
    let queue = try Fixture.queue()
    let emulator = SimulatedEmulator(state: EmulatorState(), clock: clock) { _ in
      let number = count.withLock { count in
        count += 1
        return count
      }
      let emulator = box.withLock { $0 }
      if number < 10 {
        _ = try? emulator?.withState { state, now in
          try state.tasks.createTask(
            .init(target: .http(.init(url: "http://h")), scheduleTime: now + .minutes(1)), in: queue, at: now)
        }
      }
      return .ok
    }
    box.withLock { $0 = emulator }
    try emulator.withState { state, now in
      _ = try state.tasks.createQueue(.init(name: queue), at: now)
      _ = try state.tasks.createTask(.init(target: .http(.init(url: "http://h"))), in: queue, at: now)
    }
    try await emulator.advance(by: .minutes(9) - .microseconds(1))
    #expect(count.withLock { $0 } == 9)
    try await emulator.advance(by: .microseconds(1))
    #expect(count.withLock { $0 } == 10)
    box.withLock { $0 = nil }
  }

  @Test("a job every minute runs 10,080 times in seven days", .timeLimit(.minutes(1)))
  func week() async throws {
    let fixture = Fixture()
    try fixture.makeJob()
    try await fixture.emulator.advance(by: .days(7))
    #expect(fixture.received.count == 10_080)
  }

  @Test("delivers a hundred thousand tasks", .timeLimit(.minutes(5)))
  func manyTasks() async throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    let queue = try Fixture.queue()
    try fixture.emulator.withState { state, now in
      for index in 0..<100_000 {
        _ = try state.tasks.createTask(
          .init(target: .http(.init(url: "http://h")), scheduleTime: now + .milliseconds(index % 1_000)), in: queue,
          at: now)
      }
    }
    try await fixture.emulator.advance(by: .seconds(300))
    #expect(fixture.received.count == 100_000)
  }
}
