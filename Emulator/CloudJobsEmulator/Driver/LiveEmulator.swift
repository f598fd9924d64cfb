package import CloudJobsCore
import Synchronization

/// A driver that runs the emulator in real time.
///
/// Requests go through ``withState(recording:_:)``. While ``run()`` is active it makes the deliveries, as many
/// concurrently as the queues' limits allow.
package final class LiveEmulator: Sendable {
  struct Shared {
    var state: EmulatorState
    var trace: EmulatorTrace
    var outbox: [DeliveryRequest] = []
    /// The number of deliveries being made.
    var underway = 0
    /// The deliveries in the outbox and those being made.
    var open = OpenDeliveries()
    var lastTime: Timestamp
    /// The amount by which the emulator's time is ahead of the clock.
    var offset: Duration = .zero
    var log: (any WriteAheadLog)?
    /// A counter that distinguishes deliveries of an earlier state, whose IDs may be reused.
    var generation = 0

    /// The emulator's current state.
    var snapshot: EmulatorSnapshot {
      EmulatorSnapshot(state: state, time: lastTime, offset: offset, deliveries: open)
    }
  }

  /// The clock.
  package let clock: any JobClock
  private let deliver: @Sendable (DeliveryRequest) async -> DeliveryOutcome
  let shared: Mutex<Shared>
  let changes = ChangeSignal()
  /// Commits to Firestore, for listeners.
  private let commits = ChangeSignal()

  /// Creates an emulator that has not been started.
  ///
  /// - Parameters:
  ///   - state: the services.
  ///   - clock: the clock.
  ///   - traceLimit: the maximum number of trace entries.
  ///   - deliver: makes a delivery within its deadline and returns its outcome.
  package init(
    state: EmulatorState, clock: any JobClock = SystemClock(), traceLimit: Int = 10_000,
    deliver: @escaping @Sendable (DeliveryRequest) async -> DeliveryOutcome
  ) {
    self.clock = clock
    self.deliver = deliver
    shared = Mutex(Shared(state: state, trace: EmulatorTrace(limit: traceLimit), lastTime: clock.now()))
  }

  /// Runs requests against the services at the current time and starts the work that follows from them.
  ///
  /// - Parameters:
  ///   - request: the request to append to the write-ahead log, if there is one, for replay after a restart; nil if the
  ///     closure changes nothing. Changes that are not recorded do not survive the process.
  ///   - body: receives the services and the current time.
  /// - Returns: the closure's result.
  /// - Throws: the closure's error.
  package func withState<Result: Sendable, Failure: Error>(
    recording request: JSONValue? = nil, _ body: (inout EmulatorState, Timestamp) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var commitCount: (before: UInt64, after: UInt64) = (0, 0)
    defer {
      changes.notify()
      if commitCount.before != commitCount.after { commits.notify() }
    }
    return try shared.withLock { (shared) throws(Failure) -> Result in
      let now = time(&shared)
      if let request { shared.log?.append(WriteAheadLogRecord(time: now, change: .request(request))) }
      commitCount.before = shared.state.firestore.commitCount
      defer { commitCount.after = shared.state.firestore.commitCount }
      return try body(&shared.state, now)
    }
  }

  /// The number of times that listeners to Firestore were signalled.
  package var commitGeneration: UInt64 { commits.generation }

  /// Suspends until there are new commits to Firestore.
  ///
  /// - Parameter generation: the ``commitGeneration`` that the caller has seen.
  /// - Throws: `CancellationError`.
  package func waitForCommit(after generation: UInt64) async throws { try await commits.wait(after: generation) }

  /// The latest events, oldest first.
  package var traceEntries: [TraceEntry] { shared.withLock { $0.trace }.entries }

  /// Replaces the state of all services and resets the time to the clock's.
  ///
  /// Attempts in flight end without effect.
  ///
  /// - Parameter state: the initial state; with a write-ahead log, the state that its recovery starts from.
  package func reset(to state: EmulatorState) {
    shared.withLock { shared in
      let resetCount = shared.state.resetCount + 1
      shared.state = state
      shared.state.resetCount = resetCount
      shared.generation += 1
      shared.outbox.removeAll()
      shared.underway = 0
      shared.open = OpenDeliveries()
      shared.trace = EmulatorTrace(limit: shared.trace.limit)
      shared.offset = .zero
      shared.lastTime = clock.now()
      shared.log?.append(WriteAheadLogRecord(time: shared.lastTime, change: .reset))
    }
    changes.notify()
    commits.notify()
  }

  /// Suspends until no delivery is in flight, due or waiting for a retry.
  ///
  /// - Throws: `CancellationError`.
  package func waitUntilIdle() async throws {
    while true {
      let seen = changes.generation
      let isIdle = shared.withLock { shared in
        let now = time(&shared)
        return shared.outbox.isEmpty && shared.state.isIdle(at: now)
      }
      if isIdle { return }
      try await changes.wait(after: seen)
    }
  }

  /// Makes deliveries until the task is cancelled, which is the regular end.
  ///
  /// - Throws: ``JobError`` if the write-ahead log cannot be written.
  package func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      while !Task.isCancelled {
        let seen = changes.generation
        let (deliveries, generation, next) = collect()
        // An attempt is durable before it is made, so that it counts after a crash.
        try await makeDurable()
        if let log = rotateLogIfDue() {
          group.addTask {
            try await log.saveSnapshot()
            // Records appended meanwhile may have made another snapshot due.
            self.changes.notify()
          }
        }
        for delivery in deliveries {
          group.addTask {
            let outcome = await self.deliver(delivery)
            self.complete(delivery.id, outcome, generation: generation)
          }
        }
        guard deliveries.isEmpty else { continue }
        do { try await wait(after: seen, until: next) } catch { break }
      }
      group.cancelAll()
    }
  }

  private func collect() -> ([DeliveryRequest], Int, Timestamp?) {
    shared.withLock { shared in
      let now = time(&shared)
      // Waking services that have nothing due changes nothing and needs no record.
      if let due = shared.state.nextWake, due <= now {
        perform(.wake, at: now, &shared)
        changes.notify()
      }
      defer { shared.outbox.removeAll() }
      shared.underway += shared.outbox.count
      return (shared.outbox, shared.generation, shared.state.nextWake.map { $0 - shared.offset })
    }
  }

  private func complete(_ id: DeliveryID, _ outcome: DeliveryOutcome, generation: Int) {
    shared.withLock { shared in
      guard generation == shared.generation else { return }
      let now = time(&shared)
      shared.underway -= 1
      perform(.completed(id, outcome), at: now, &shared)
    }
    changes.notify()
  }

  func perform(_ event: ServiceEvent, at now: Timestamp, _ shared: inout Shared) {
    shared.log?.append(WriteAheadLogRecord(time: now, change: .event(event)))
    let actions = shared.state.handle(event, at: now)
    shared.open.note(actions)
    shared.trace.append(actions, at: now)
    for case .deliver(let delivery) in actions { shared.outbox.append(delivery) }
  }

  /// Returns the current time, which never goes back even if the machine's clock does.
  func time(_ shared: inout Shared) -> Timestamp {
    shared.lastTime = max(shared.lastTime, clock.now() + shared.offset)
    return shared.lastTime
  }

  /// Suspends until a change occurs or a time is reached.
  private func wait(after generation: UInt64, until time: Timestamp?) async throws {
    guard let time else { return try await changes.wait(after: generation) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.clock.sleep(until: time) }
      group.addTask { try await self.changes.wait(after: generation) }
      try await group.next()
      group.cancelAll()
    }
  }

  /// Whether changes are recorded in a write-ahead log.
  package var hasWriteAheadLog: Bool { shared.withLock { $0.log != nil } }

  /// Continues from the end of a write-ahead log and appends to it from now on.
  ///
  /// Deliveries that were in flight are made again.
  ///
  /// - Parameters:
  ///   - recovery: the log's snapshot with all later records applied.
  ///   - log: the write-ahead log.
  package func resume(_ recovery: EmulatorRecovery, log: any WriteAheadLog) {
    shared.withLock { shared in
      var recovery = recovery
      shared.log = log
      shared.offset = recovery.snapshot.offset
      shared.lastTime = max(shared.lastTime, recovery.snapshot.time)
      let now = time(&shared)
      if !recovery.isFresh {
        log.append(WriteAheadLogRecord(time: now, change: .event(.resumed)))
        recovery.resume(at: now)
      }
      shared.state = recovery.snapshot.state
      shared.open = recovery.snapshot.deliveries
      shared.outbox = shared.open.all
      shared.generation += 1
      for delivery in shared.outbox {
        shared.trace.append([.deliver(delivery)], at: now)
      }
    }
    changes.notify()
  }

  /// Suspends until all changes so far are durable; returns at once without a write-ahead log.
  ///
  /// - Throws: ``JobError`` if the write-ahead log cannot be written.
  package func makeDurable() async throws(JobError) {
    try await shared.withLock { $0.log }?.flush()
  }

  /// Rotates the write-ahead log if a snapshot is due.
  ///
  /// - Returns: the log, which then has a snapshot to save, or nil if none is due.
  func rotateLogIfDue() -> (any WriteAheadLog)? {
    shared.withLock { shared in
      guard let log = shared.log, log.isSnapshotDue else { return nil }
      log.rotate(after: shared.snapshot)
      return log
    }
  }

  /// The emulator's time: the clock's time plus the amount by which it was advanced.
  package var now: Timestamp { shared.withLock { time(&$0) } }

  /// Advances the emulator's time from one due event to the next and waits for the deliveries of each.
  ///
  /// Retries and repeated schedules along the way happen at their own times. The emulator must be running. Deliveries
  /// themselves are made in real time.
  ///
  /// - Parameter span: the duration to advance by.
  /// - Returns: the emulator's time afterwards.
  /// - Throws: `CancellationError`.
  package func advance(by span: Duration) async throws -> Timestamp {
    let target = now + span
    while true {
      try await waitUntilQuiet()
      let reached = shared.withLock { shared -> Timestamp? in
        let now = time(&shared)
        guard now < target else { return now }
        let next = min(max(shared.state.nextWake ?? target, now), target)
        shared.offset += next - now
        shared.log?.append(WriteAheadLogRecord(time: now, change: .moved(shared.offset)))
        return nil
      }
      if let reached { return reached }
      changes.notify()
    }
  }

  /// Suspends until nothing is due and no delivery is in progress.
  private func waitUntilQuiet() async throws {
    while true {
      let seen = changes.generation
      let isQuiet = shared.withLock { shared in
        let now = time(&shared)
        return shared.outbox.isEmpty && shared.underway == 0 && (shared.state.nextWake.map { $0 > now } ?? true)
      }
      if isQuiet { return }
      try await changes.wait(after: seen)
    }
  }
}

/// The deliveries that have started and not ended.
struct OpenDeliveries: Sendable {
  private var deliveries: [DeliveryID: DeliveryRequest] = [:]

  /// The deliveries, sorted by ID.
  var all: [DeliveryRequest] { deliveries.values.sorted { $0.id < $1.id } }

  /// Applies the actions of the services.
  mutating func note(_ actions: [ServiceAction]) {
    for action in actions {
      switch action {
      case .deliver(let delivery): deliveries[delivery.id] = delivery
      case .settled(let settlement):
        if let id = settlement.id { deliveries[id] = nil }
      }
    }
  }
}
