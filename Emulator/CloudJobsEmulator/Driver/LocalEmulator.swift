public import CloudJobsCore
import Synchronization

/// The emulator in real time, in this process.
///
/// Requests go through ``withState(_:)``; ``run()`` makes the deliveries while it lasts, as many at once as the queues'
/// limits allow.
public final class LocalEmulator: Sendable {
  struct Shared {
    var state: EmulatorState
    var trace: EmulatorTrace
    var outbox: [Dispatch] = []
    /// How many deliveries are being made.
    var underway = 0
    /// The deliveries in the outbox and those that are being made.
    var open = OpenDeliveries()
    var lastTime: Timestamp
    /// How far the emulator's time is ahead of the clock's.
    var offset: Duration = .zero
    var journal: (any EmulatorJournal)?
    /// Tells deliveries of an earlier state, whose identities may occur again, from those of the present one.
    var generation = 0

    /// The emulator as it is now.
    var snapshot: EmulatorSnapshot {
      EmulatorSnapshot(state: state, time: lastTime, offset: offset, deliveries: open)
    }
  }

  /// The clock.
  public let clock: any JobClock
  private let deliver: @Sendable (Dispatch) async -> DispatchOutcome
  let shared: Mutex<Shared>
  let changes = ChangeSignal()

  /// An emulator that has not been started.
  ///
  /// - Parameters:
  ///   - state: the services, with queues and jobs or without.
  ///   - clock: the time.
  ///   - traceLimit: how many entries of the trace are kept.
  ///   - deliver: makes a delivery and answers how it ended, within the delivery's deadline.
  public init(
    state: EmulatorState, clock: any JobClock = SystemClock(), traceLimit: Int = 10_000,
    deliver: @escaping @Sendable (Dispatch) async -> DispatchOutcome
  ) {
    self.clock = clock
    self.deliver = deliver
    shared = Mutex(Shared(state: state, trace: EmulatorTrace(limit: traceLimit), lastTime: clock.now()))
  }

  /// Makes requests of the services at the present time, and sees to what they set in motion.
  ///
  /// - Parameters:
  ///   - request: what to write into the journal, where there is one, so that the same requests can be made again from
  ///     it; nil where the closure changes nothing. What is not written does not outlive the process.
  ///   - body: takes the services and the time.
  /// - Returns: what the closure returns.
  /// - Throws: what the closure throws.
  public func withState<Result: Sendable, Failure: Error>(
    journaling request: JSONValue? = nil, _ body: (inout EmulatorState, Timestamp) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { changes.notify() }
    return try shared.withLock { (shared) throws(Failure) -> Result in
      let now = time(&shared)
      if let request { shared.journal?.append(JournalRecord(time: now, change: .request(request))) }
      return try body(&shared.state, now)
    }
  }

  /// What happened lately, oldest first.
  public var traceEntries: [TraceEntry] { shared.withLock { $0.trace }.entries }

  /// Replaces all services' state and brings the time back to the clock's; attempts in flight end without effect.
  ///
  /// - Parameter state: the state at the beginning; with a journal, the one that its recovery begins at.
  public func reset(to state: EmulatorState) {
    shared.withLock { shared in
      shared.state = state
      shared.generation += 1
      shared.outbox.removeAll()
      shared.underway = 0
      shared.open = OpenDeliveries()
      shared.trace = EmulatorTrace(limit: shared.trace.limit)
      shared.offset = .zero
      shared.lastTime = clock.now()
      shared.journal?.append(JournalRecord(time: shared.lastTime, change: .reset))
    }
    changes.notify()
  }

  /// Suspends until nothing is in flight, due or to be tried again.
  ///
  /// - Throws: `CancellationError`.
  public func waitUntilIdle() async throws {
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

  /// Makes deliveries until the task is cancelled.
  ///
  /// - Throws: ``JobError`` where the journal can't be written; cancellation is the ordinary end.
  public func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      while !Task.isCancelled {
        let seen = changes.generation
        let (dispatches, generation, next) = collect()
        // An attempt is on record before it is made, so that after a crash its retry knows of it.
        try await makeDurable()
        if let journal = cutJournal() {
          group.addTask {
            try await journal.saveSnapshot()
            // What came meanwhile may have made another one due.
            self.changes.notify()
          }
        }
        for dispatch in dispatches {
          group.addTask {
            let outcome = await self.deliver(dispatch)
            self.complete(dispatch.id, outcome, generation: generation)
          }
        }
        guard dispatches.isEmpty else { continue }
        do { try await wait(after: seen, until: next) } catch { break }
      }
      group.cancelAll()
    }
  }

  private func collect() -> ([Dispatch], Int, Timestamp?) {
    shared.withLock { shared in
      let now = time(&shared)
      // Waking services that have nothing due changes nothing, and is not worth a record.
      if let due = shared.state.nextWake, due <= now {
        perform(.wake, at: now, &shared)
        changes.notify()
      }
      defer { shared.outbox.removeAll() }
      shared.underway += shared.outbox.count
      return (shared.outbox, shared.generation, shared.state.nextWake.map { $0 - shared.offset })
    }
  }

  private func complete(_ id: DispatchID, _ outcome: DispatchOutcome, generation: Int) {
    shared.withLock { shared in
      guard generation == shared.generation else { return }
      let now = time(&shared)
      shared.underway -= 1
      perform(.completed(id, outcome), at: now, &shared)
    }
    changes.notify()
  }

  func perform(_ event: ServiceEvent, at now: Timestamp, _ shared: inout Shared) {
    shared.journal?.append(JournalRecord(time: now, change: .event(event)))
    let actions = shared.state.handle(event, at: now)
    shared.open.note(actions)
    shared.trace.append(actions, at: now)
    for case .dispatch(let dispatch) in actions { shared.outbox.append(dispatch) }
  }

  /// The present, never before an earlier one, as the machine's clock may be set back.
  func time(_ shared: inout Shared) -> Timestamp {
    shared.lastTime = max(shared.lastTime, clock.now() + shared.offset)
    return shared.lastTime
  }

  /// Suspends until there is a change or the clock shows a time.
  private func wait(after generation: UInt64, until time: Timestamp?) async throws {
    guard let time else { return try await changes.wait(after: generation) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.clock.sleep(until: time) }
      group.addTask { try await self.changes.wait(after: generation) }
      try await group.next()
      group.cancelAll()
    }
  }
}
