package import CloudJobsCore
import Synchronization

/// A driver that runs the emulator in real time.
///
/// Requests go through ``withServices(recording:_:)``, those to Firestore through ``withFirestore(recording:_:)``: each
/// has its lock, so that a long query does not hold up deliveries. While ``run()`` is active it makes the deliveries,
/// as many concurrently as the queues' limits allow.
package final class LiveEmulator: Sendable {
  struct Shared {
    /// The services without Firestore, whose place here is empty.
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
    /// The time at which the emulator's clock stands; nil while it runs.
    var frozenAt: Timestamp?
    /// The number of advances under way, which start what is due even while the clock stands.
    var advanceCount = 0
    /// The deliveries since the start or the latest reset.
    var counts = DeliveryCounts()
    var log: (any WriteAheadLog)?
    /// A counter that distinguishes deliveries of an earlier state, whose IDs may be reused.
    var generation = 0
    /// Whether a snapshot was begun and its state is still to be taken.
    var isRotating = false

    /// Returns the emulator's current state.
    func snapshot(_ firestore: FirestoreService) -> EmulatorSnapshot {
      var state = state
      state.firestore = firestore
      return EmulatorSnapshot(
        state: state, time: lastTime, offset: offset, frozenAt: frozenAt, deliveries: open)
    }
  }

  /// The clock.
  package let clock: any JobClock
  private let deliver: @Sendable (DeliveryRequest) async -> DeliveryOutcome
  /// Whoever needs both locks takes this one first.
  let firestore: Mutex<FirestoreService>
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
    firestore = Mutex(state.firestore)
    var state = state
    state.firestore = FirestoreService()
    shared = Mutex(Shared(state: state, trace: EmulatorTrace(limit: traceLimit), lastTime: clock.now()))
  }

  /// Runs requests against Cloud Tasks and Cloud Scheduler at the current time, and starts the work that follows.
  ///
  /// - Parameters:
  ///   - request: the request to append to the write-ahead log, if there is one, for replay after a restart; nil if the
  ///     closure changes nothing. Changes that are not recorded do not survive the process.
  ///   - body: receives the services, of which Firestore is empty, and the current time.
  /// - Returns: the closure's result.
  /// - Throws: the closure's error.
  package func withServices<Result: Sendable, Failure: Error>(
    recording request: JSONValue? = nil, _ body: (inout EmulatorState, Timestamp) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { changes.notify() }
    return try shared.withLock { (shared) throws(Failure) -> Result in
      let now = record(request, &shared)
      return try body(&shared.state, now)
    }
  }

  /// Runs requests against Firestore at the current time, and signals its listeners.
  ///
  /// - Parameters:
  ///   - request: the request to append to the write-ahead log, as for ``withServices(recording:_:)``.
  ///   - body: receives the service and the current time.
  /// - Returns: the closure's result.
  /// - Throws: the closure's error.
  package func withFirestore<Result: Sendable, Failure: Error>(
    recording request: JSONValue? = nil, _ body: (inout FirestoreService, Timestamp) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var hasCommitted = false
    defer {
      if hasCommitted { commits.notify() }
      if isSnapshotDue { changes.notify() }
    }
    return try firestore.withLock { (firestore) throws(Failure) -> Result in
      // Under this lock, so that the requests have the same order in the log and in the service.
      let now = shared.withLock { record(request, &$0) }
      let before = firestore.commitCount
      defer { hasCommitted = firestore.commitCount != before }
      return try body(&firestore, now)
    }
  }

  /// Runs requests against all services at once.
  ///
  /// - Parameters:
  ///   - request: the request to append to the write-ahead log, as for ``withServices(recording:_:)``.
  ///   - body: receives the services and the current time.
  /// - Returns: the closure's result.
  /// - Throws: the closure's error.
  package func withState<Result: Sendable, Failure: Error>(
    recording request: JSONValue? = nil, _ body: (inout EmulatorState, Timestamp) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer {
      changes.notify()
      commits.notify()
    }
    return try firestore.withLock { (firestore) throws(Failure) -> Result in
      try shared.withLock { (shared) throws(Failure) -> Result in
        let now = record(request, &shared)
        swap(&shared.state.firestore, &firestore)
        defer { swap(&shared.state.firestore, &firestore) }
        return try body(&shared.state, now)
      }
    }
  }

  /// Returns the time of a request, and appends it to the log.
  private func record(_ request: JSONValue?, _ shared: inout Shared) -> Timestamp {
    let now = time(&shared)
    if let request { shared.log?.append(WriteAheadLogRecord(time: now, change: .request(request))) }
    return now
  }

  /// The number of times that listeners to Firestore were signalled.
  package var commitGeneration: UInt64 { commits.generation }

  /// Suspends until there are new commits to Firestore.
  ///
  /// - Parameter generation: the ``commitGeneration`` that the caller has seen.
  /// - Throws: `CancellationError`.
  package func waitForCommit(after generation: UInt64) async throws { try await commits.wait(after: generation) }

  /// The record of the latest events.
  package var trace: EmulatorTrace { shared.withLock { $0.trace } }

  /// The latest events, oldest first.
  package var traceEntries: [TraceEntry] { shared.withLock { $0.trace }.entries }

  /// Replaces the state of all services and resets the time to the clock's.
  ///
  /// Attempts in flight end without effect.
  ///
  /// - Parameter state: the initial state; with a write-ahead log, the state that its recovery starts from.
  package func reset(to state: EmulatorState) {
    firestore.withLock { firestore in
      let resetCount = firestore.resetCount + 1
      firestore = state.firestore
      firestore.resetCount = resetCount
      shared.withLock { shared in
        set(state, &shared)
        shared.generation += 1
        shared.outbox.removeAll()
        shared.underway = 0
        shared.open = OpenDeliveries()
        shared.trace = EmulatorTrace(limit: shared.trace.limit)
        shared.counts = DeliveryCounts()
        shared.offset = .zero
        shared.frozenAt = nil
        shared.lastTime = clock.now()
        shared.log?.append(WriteAheadLogRecord(time: shared.lastTime, change: .reset))
      }
    }
    changes.notify()
    commits.notify()
  }

  private func set(_ state: EmulatorState, _ shared: inout Shared) {
    shared.state = state
    shared.state.firestore = FirestoreService()
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
        if beginsSnapshot() {
          group.addTask {
            // Waits for Firestore's lock, which deliveries don't.
            try await self.rotateLog()?.saveSnapshot()
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
      if shared.frozenAt == nil || shared.advanceCount > 0, let due = shared.state.nextWake, due <= now {
        perform(.wake, at: now, &shared)
        changes.notify()
      }
      defer { shared.outbox.removeAll() }
      shared.underway += shared.outbox.count
      let next = shared.frozenAt == nil ? shared.state.nextWake.map { $0 - shared.offset } : nil
      return (shared.outbox, shared.generation, next)
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
    shared.counts.note(actions)
    for case .deliver(let delivery) in actions { shared.outbox.append(delivery) }
  }

  /// Returns the current time, which never goes back even if the machine's clock does.
  func time(_ shared: inout Shared) -> Timestamp {
    shared.lastTime = max(shared.lastTime, shared.frozenAt ?? clock.now() + shared.offset)
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
    var recovery = recovery
    firestore.withLock { firestore in
      shared.withLock { shared in
        shared.log = log
        shared.offset = recovery.snapshot.offset
        shared.frozenAt = recovery.snapshot.frozenAt
        // The emulator's time may be behind the clock's.
        if !recovery.isFresh { shared.lastTime = recovery.snapshot.time }
        let now = time(&shared)
        if !recovery.isFresh {
          log.append(WriteAheadLogRecord(time: now, change: .event(.resumed)))
          recovery.resume(at: now)
        }
        firestore = recovery.snapshot.state.firestore
        set(recovery.snapshot.state, &shared)
        shared.open = recovery.snapshot.deliveries
        shared.outbox = shared.open.all
        shared.generation += 1
        for delivery in shared.outbox {
          shared.trace.append([.deliver(delivery)], at: now)
        }
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

  private var isSnapshotDue: Bool { shared.withLock { $0.log?.isSnapshotDue ?? false } }

  /// Returns whether a snapshot is due that nobody else has begun.
  private func beginsSnapshot() -> Bool {
    shared.withLock { shared in
      guard !shared.isRotating, shared.log?.isSnapshotDue == true else { return false }
      shared.isRotating = true
      return true
    }
  }

  /// Begins a new generation of the write-ahead log with the current state.
  ///
  /// - Returns: the log, which then has a snapshot to save; nil without a log.
  func rotateLog() -> (any WriteAheadLog)? {
    firestore.withLock { firestore in
      shared.withLock { shared in
        shared.isRotating = false
        shared.log?.rotate(after: shared.snapshot(firestore))
        return shared.log
      }
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
