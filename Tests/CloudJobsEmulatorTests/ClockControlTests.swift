import CloudJobsCore
import CloudJobsEmulator
import Synchronization
import Testing

@Suite("The emulator's clock")
struct ClockControlTests {
  /// An emulator in "real" time whose machine's clock a test moves, with the times of its deliveries.
  private final class Bench: Sendable {
    let machine = VirtualClock(start: Fixture.start)
    let emulator: LiveEmulator
    private let log: Log

    private final class Log: Sendable {
      let entries = Mutex<[String]>([])
    }

    init(_ answer: @escaping @Sendable (DeliveryRequest) -> DeliveryOutcome = { _ in .ok }) {
      let log = Log()
      self.log = log
      emulator = LiveEmulator(state: EmulatorState(), clock: machine) { delivery in
        log.entries.withLock { $0.append("\(delivery.shortID) \(delivery.attempt)") }
        return answer(delivery)
      }
    }

    var received: [String] { log.entries.withLock { $0 } }
    var offset: Duration { emulator.now - Fixture.start }

    /// Runs the emulator, with a queue, while a test goes on.
    func run(
      _ config: CloudTasks.RetryConfig = .init(), rate: CloudTasks.RateLimits = .init(),
      _ body: () async throws -> Void
    ) async throws {
      let queue = try Fixture.queue()
      _ = try emulator.withServices { state, now in
        try state.tasks.createQueue(.init(name: queue, rateLimits: rate, retryConfig: config), at: now)
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await self.emulator.run() }
        try await body()
        group.cancelAll()
      }
    }

    func task(_ id: String, in span: Duration = .zero) throws {
      let queue = try Fixture.queue()
      _ = try emulator.withServices { state, now in
        try state.tasks.createTask(
          .init(name: "\(queue)/tasks/\(id)", target: .http(.init(url: "http://h")), scheduleTime: now + span),
          in: queue, at: now)
      }
    }

    func job(_ schedule: String) throws {
      let location = try LocationName(Fixture.location)
      _ = try emulator.withServices { state, now in
        try state.scheduler.createJob(
          .init(name: "\(location)/jobs/j", target: .http(.init(url: "http://h")), schedule: schedule), in: location,
          at: now)
      }
    }
  }

  @Test("the next event is the next attempt, at its own time", .timeLimit(.minutes(1)))
  func next() async throws {
    let bench = Bench { $0.shortID == "flaky" && $0.attempt < 3 ? .status(500) : .ok }
    try await bench.run(.init(minBackoff: .seconds(20))) {
      try bench.task("later", in: .hours(2))
      try bench.task("flaky", in: .seconds(10))
      var steps: [Duration] = []
      for _ in 0..<4 {
        let report = try await bench.emulator.advanceToNextEvent()
        #expect(report.end == .reached && report.deliveries.started == 1)
        steps.append(bench.offset)
      }
      #expect(steps == [.seconds(10), .seconds(30), .seconds(70), .hours(2)])
      #expect(bench.received == ["flaky 1", "flaky 2", "flaky 3", "later 1"])
      let last = try await bench.emulator.advanceToNextEvent()
      #expect(last.end == .idle && last.deliveries.started == 0 && bench.offset == .hours(2))
    }
  }

  @Test("the next event of a queue without tokens is its next token", .timeLimit(.minutes(1)))
  func nextToken() async throws {
    let bench = Bench()
    try await bench.run(rate: .init(maxDispatchesPerSecond: .init(millionthsPerSecond: 250_000))) {
      for number in 0..<11 { try bench.task("t\(number)") }
      try await bench.emulator.waitUntilQuietForTest(deliveries: 10)
      let reason = bench.emulator.withServices { state, now in
        state.tasks.nextTasks(limit: 5, at: now).map(\.reason)
      }
      #expect(reason == [.rateLimit(until: Fixture.start + .seconds(4))])
      #expect(try await bench.emulator.advanceToNextEvent().deliveries.started == 1)
      #expect(bench.offset == .seconds(4) && bench.received.count == 11)
    }
  }

  @Test("a paused queue has no next event, and keeps its tasks", .timeLimit(.minutes(1)))
  func paused() async throws {
    let bench = Bench()
    try await bench.run {
      _ = try bench.emulator.withServices { state, now in try state.tasks.pauseQueue(Fixture.queue(), at: now) }
      try bench.task("a")
      #expect(bench.emulator.clockStatus.nextEvent == nil)
      #expect(try await bench.emulator.advanceToNextEvent().end == .idle)
      #expect(try await bench.emulator.runUntilIdle(limit: 10, within: .days(1)).end == .idle)
      #expect(bench.offset == .zero && bench.received.isEmpty)
    }
  }

  @Test("time that stands starts nothing but by an advance, and goes on from there", .timeLimit(.minutes(1)))
  func frozen() async throws {
    let bench = Bench()
    try await bench.run {
      bench.emulator.freeze()
      bench.machine.advance(by: .hours(5))
      #expect(bench.offset == .zero)
      try bench.task("now")
      try bench.task("soon", in: .seconds(5))
      _ = try bench.emulator.withServices { state, now in try state.tasks.runTask(Fixture.task("soon"), at: now) }
      #expect(bench.received.isEmpty)
      #expect(bench.emulator.clockStatus.isFrozen)
      let due = try await bench.emulator.advanceToNextEvent()
      #expect(due.deliveries.started == 2 && bench.offset == .zero)
      try bench.task("last", in: .seconds(30))
      let report = try await bench.emulator.advance(by: .minutes(1))
      #expect(report.deliveries.started == 1 && report.end == .reached && bench.offset == .minutes(1))
      bench.machine.advance(by: .hours(1))
      #expect(bench.offset == .minutes(1))
      bench.emulator.unfreeze()
      bench.machine.advance(by: .seconds(7))
      #expect(bench.offset == .seconds(67))
      #expect(bench.emulator.clockStatus.ahead == .zero - .hours(6) + .minutes(1))
    }
  }

  @Test("a delivery that ends while time stands starts no other", .timeLimit(.minutes(1)))
  func completionWhileFrozen() throws {
    var state = EmulatorState()
    let queue = try Fixture.queue()
    let emulator = LiveEmulator(state: state, clock: VirtualClock(start: Fixture.start)) { _ in .ok }
    emulator.freeze()
    state = emulator.withServices { state, _ in state }
    #expect(state.isHeld)
    let now = Fixture.start
    _ = try state.tasks.createQueue(
      .init(name: queue, rateLimits: .init(maxConcurrentDispatches: 1)), at: now)
    for id in ["a", "b"] {
      _ = try state.tasks.createTask(
        .init(name: "\(queue)/tasks/\(id)", target: .http(.init(url: "http://h"))), in: queue, at: now)
    }
    func started(_ actions: [ServiceAction]) -> [DeliveryRequest] {
      actions.compactMap { if case .deliver(let delivery) = $0 { delivery } else { nil } }
    }
    let first = try #require(started(state.handle(.wake, at: now)).first)
    #expect(started(state.handle(.completed(first.id, .ok), at: now)).isEmpty)
    #expect(started(state.handle(.wake, at: now)).map(\.shortID) == ["b"])
  }

  @Test(
    "running until idle makes all retries and scheduled tasks, and schedules along the way", .timeLimit(.minutes(1)))
  func untilIdle() async throws {
    let bench = Bench { $0.shortID == "flaky" && $0.attempt < 3 ? .status(500) : .ok }
    try await bench.run(.init(minBackoff: .minutes(10))) {
      try bench.job("every 15 minutes")
      try bench.task("flaky")
      try bench.task("later", in: .hours(1))
      let report = try await bench.emulator.runUntilIdle(limit: 1_000, within: .days(1))
      #expect(report.end == .idle && bench.offset == .hours(1))
      #expect(bench.received.filter { $0 == "j 1" }.count >= 3)
      #expect(bench.received.filter { $0 != "j 1" } == ["flaky 1", "flaky 2", "flaky 3", "later 1"])
      #expect(report.deliveries.failed == 2)
      #expect(try await bench.emulator.runUntilIdle(limit: 1_000, within: .days(1)).events == 0)
    }
  }

  @Test("running until idle ends at its limits", .timeLimit(.minutes(1)))
  func limits() async throws {
    let bench = Bench { _ in .status(500) }
    try await bench.run(.init(maxAttempts: -1, minBackoff: .seconds(1), maxBackoff: .seconds(1))) {
      try bench.task("hopeless", in: .seconds(1))
      let report = try await bench.emulator.runUntilIdle(limit: 5, within: .days(1))
      #expect(report.end == .limit && report.events == 5 && report.deliveries.failed == 5)
      let later = try await bench.emulator.runUntilIdle(limit: 1_000, within: .seconds(3))
      #expect(later.end == .later && bench.offset <= .seconds(8))
    }
  }
}

extension LiveEmulator {
  /// Suspends until a number of deliveries was made, which the emulator signals with each change.
  fileprivate func waitUntilQuietForTest(deliveries: Int) async throws {
    while clockStatus.counts.succeeded < deliveries { await Swift.Task.yield() }
  }
}
