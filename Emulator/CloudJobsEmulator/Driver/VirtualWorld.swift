public import CloudJobsCore
import Synchronization

/// The emulator under virtual time: a week passes as fast as its events can be computed, and always in the same way.
///
/// Deliveries run on a ``DeterministicExecutor``. Whenever nothing is left to run, time moves to the earliest of the
/// clock's sleepers and the services' own wakes. Equal states, handlers and calls give equal traces. A world is driven
/// by one task at a time. A handler that waits for another thread (a file, a socket, an actor with an executor of its
/// own) is not waited for: time moves on meanwhile.
public final class VirtualWorld: Sendable {
  private struct Shared {
    var state: EmulatorState
    var trace: EmulatorTrace
    var deliveries: [DispatchID: Task<Void, Never>] = [:]
  }

  /// The most jobs and deliveries that may take place at one instant before the world is held to be stuck.
  public static let instantLimit = 10_000_000

  /// The clock that handlers should use too.
  public let clock: VirtualClock
  /// Where deliveries run.
  public let executor: DeterministicExecutor
  private let deliver: @Sendable (Dispatch) async -> DispatchOutcome
  private let shared: Mutex<Shared>

  /// A world at its clock's time.
  ///
  /// - Parameters:
  ///   - state: the services, with queues and jobs or without.
  ///   - clock: the time.
  ///   - executor: where deliveries run.
  ///   - traceLimit: how many entries of the trace are kept.
  ///   - deliver: makes a delivery and answers how it ended; it may sleep by the clock. The service itself stops
  ///     listening at the delivery's deadline, while the call goes on.
  public init(
    state: EmulatorState, clock: VirtualClock, executor: DeterministicExecutor = .init(), traceLimit: Int = 1_000_000,
    deliver: @escaping @Sendable (Dispatch) async -> DispatchOutcome
  ) {
    self.clock = clock
    self.executor = executor
    self.deliver = deliver
    shared = Mutex(Shared(state: state, trace: EmulatorTrace(limit: traceLimit)))
  }

  deinit {
    for delivery in shared.withLock({ Array($0.deliveries.values) }) { delivery.cancel() }
  }

  /// Makes requests of the services at the present time.
  ///
  /// - Parameter body: takes the services and the time.
  /// - Returns: what the closure returns.
  /// - Throws: what the closure throws.
  public func withState<Result: Sendable, Failure: Error>(
    _ body: (inout EmulatorState, Timestamp) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let now = clock.now()
    return try shared.withLock { (shared) throws(Failure) -> Result in try body(&shared.state, now) }
  }

  /// Everything that happened, one line each, oldest first.
  public var trace: [String] { shared.withLock { $0.trace }.lines }

  /// Everything that happened, oldest first.
  public var traceEntries: [TraceEntry] { shared.withLock { $0.trace }.entries }

  /// Adds a line to the trace.
  public func note(_ text: String) {
    let now = clock.now()
    shared.withLock { $0.trace.append(TraceEntry(time: now, event: .note(text))) }
  }

  /// Lets a span of time pass, with everything that happens in it.
  ///
  /// - Parameter span: how long.
  /// - Throws: `CancellationError`, or ``JobError`` `timedOut` where the world is stuck at one instant.
  public func advance(by span: Duration) async throws {
    try await advance(to: clock.now() + span)
  }

  /// Lets time pass up to an instant, with everything that happens until then and at it.
  ///
  /// - Parameter target: when to stop.
  /// - Throws: `CancellationError`, or ``JobError`` `timedOut` where the world is stuck at one instant.
  public func advance(to target: Timestamp) async throws {
    try settle()
    while let next = nextEvent, next <= target {
      clock.move(to: next)
      try settle()
    }
    clock.move(to: target)
    try settle()
  }

  /// Lets time pass until nothing is in flight, due or to be tried again, and no handler runs.
  ///
  /// - Parameter limit: how long at most.
  /// - Returns: whether the world became idle within the limit.
  /// - Throws: as ``advance(to:)`` does.
  @discardableResult
  public func runUntilIdle(limit: Duration = .days(40)) async throws -> Bool {
    let target = clock.now() + limit
    try settle()
    while !isIdle {
      guard let next = nextEvent, next <= target else { return false }
      clock.move(to: next)
      try settle()
    }
    return true
  }

  /// Runs an operation on the world's executor and lets time pass until it is done.
  ///
  /// - Parameters:
  ///   - limit: how long at most.
  ///   - operation: what to run; it may sleep by the clock.
  /// - Returns: what the operation returns.
  /// - Throws: what the operation throws; ``JobError`` `timedOut` where it does not end within the limit.
  public func perform<Success: Sendable>(
    limit: Duration = .days(40), _ operation: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    let done = DoneFlag()
    let work = Task(executorPreference: executor) {
      defer { done.set() }
      return try await operation()
    }
    let target = clock.now() + limit
    try settle()
    while !done.isSet {
      guard let next = nextEvent, next <= target else {
        work.cancel()
        try settle()
        throw JobError(.timedOut, "The operation did not end within \(limit) of virtual time; it waits in vain.")
      }
      clock.move(to: next)
      try settle()
    }
    return try await work.value
  }

  // MARK: Driving

  private var nextEvent: Timestamp? {
    let wake = shared.withLock { $0.state.nextWake }
    guard let sleeper = clock.nextDeadline else { return wake }
    return min(sleeper, wake ?? sleeper)
  }

  private var isIdle: Bool {
    let now = clock.now()
    return shared.withLock { $0.deliveries.isEmpty && $0.state.isIdle(at: now) }
  }

  /// Runs everything that happens at the present instant.
  private func settle() throws {
    try Task.checkCancellation()
    let now = clock.now()
    var budget = Self.instantLimit
    var isDue = true
    while isDue {
      let actions = shared.withLock { shared in
        let actions = shared.state.handle(.wake, at: now)
        shared.trace.append(actions, at: now)
        return actions
      }
      start(actions)
      let count = executor.drain(limit: budget)
      budget -= count + actions.count
      guard budget > 0 else {
        throw JobError(
          .timedOut, "More than \(Self.instantLimit) steps at \(now): something asks for more work without end.")
      }
      isDue = shared.withLock { $0.state.nextWake.map { $0 <= now } ?? false }
    }
  }

  private func start(_ actions: [ServiceAction]) {
    for case .dispatch(let dispatch) in actions {
      let work = Task(executorPreference: executor) { [weak self, deliver] in
        let outcome = await deliver(dispatch)
        self?.complete(dispatch.id, outcome)
      }
      shared.withLock { $0.deliveries[dispatch.id] = work }
    }
  }

  private func complete(_ id: DispatchID, _ outcome: DispatchOutcome) {
    let now = clock.now()
    let actions = shared.withLock { shared in
      shared.deliveries[id] = nil
      let actions = shared.state.handle(.completed(id, outcome), at: now)
      shared.trace.append(actions, at: now)
      return actions
    }
    start(actions)
  }
}
