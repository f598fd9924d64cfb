public import CloudJobsCore
import Synchronization

/// A driver that runs the emulator in virtual time: a week passes as fast as its events can be computed.
///
/// Deliveries run one after the other on the thread that drives the simulation. When nothing is left to run, time moves
/// to the earliest deadline of a sleeper or a service, so equal states, handlers and calls give equal traces. Only one
/// task at a time may drive a simulation. A handler that waits for another thread (a file, a socket, an actor with its
/// own executor) is not waited for: time moves on meanwhile, unless it does so in
/// `DeterministicExecutor.outside(_:)`.
public final class SimulatedEmulator: Sendable {
  private struct Shared {
    var state: EmulatorState
    var trace: EmulatorTrace
    var deliveries: [DeliveryID: Task<Void, Never>] = [:]
  }

  /// The maximum number of jobs and deliveries at one instant before the simulation is considered stuck.
  package static let instantLimit = 10_000_000

  /// The simulation's clock, which handlers should use too.
  public let clock: VirtualClock
  /// The executor of deliveries.
  package let executor: DeterministicExecutor
  private let deliver: @Sendable (DeliveryRequest) async -> DeliveryOutcome
  private let shared: Mutex<Shared>

  /// Creates a simulation that starts at the clock's time.
  ///
  /// - Parameters:
  ///   - state: the services.
  ///   - clock: the clock.
  ///   - executor: the executor of deliveries.
  ///   - traceLimit: the maximum number of trace entries.
  ///   - deliver: makes a delivery and returns its outcome; it may sleep on the clock. The service stops listening at
  ///     the delivery's deadline while the call continues.
  package init(
    state: EmulatorState, clock: VirtualClock, executor: DeterministicExecutor = .init(), traceLimit: Int = 1_000_000,
    deliver: @escaping @Sendable (DeliveryRequest) async -> DeliveryOutcome
  ) {
    self.clock = clock
    self.executor = executor
    self.deliver = deliver
    shared = Mutex(Shared(state: state, trace: EmulatorTrace(limit: traceLimit)))
  }

  deinit {
    for delivery in shared.withLock({ Array($0.deliveries.values) }) { delivery.cancel() }
  }

  /// Runs requests against the services at the current time.
  ///
  /// - Parameter body: receives the services and the current time.
  /// - Returns: the closure's result.
  /// - Throws: the closure's error.
  package func withState<Result: Sendable, Failure: Error>(
    _ body: (inout EmulatorState, Timestamp) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let now = clock.now()
    return try shared.withLock { (shared) throws(Failure) -> Result in try body(&shared.state, now) }
  }

  /// All events as lines, oldest first.
  public var trace: [String] { shared.withLock { $0.trace }.lines }

  /// All events, oldest first.
  package var traceEntries: [TraceEntry] { shared.withLock { $0.trace }.entries }

  /// Adds a note to the trace.
  public func note(_ text: String) {
    let now = clock.now()
    shared.withLock { $0.trace.append(TraceEntry(time: now, event: .note(text))) }
  }

  /// Advances the time by a duration and processes every event in it.
  ///
  /// - Parameter span: the duration.
  /// - Throws: `CancellationError`, or ``/CloudJobsCore/JobError`` `timedOut` if the simulation is stuck at one
  ///   instant.
  public func advance(by span: Duration) async throws {
    try await advance(to: clock.now() + span)
  }

  /// Advances the time to an instant and processes every event up to and including it.
  ///
  /// - Parameter target: the instant.
  /// - Throws: `CancellationError`, or ``/CloudJobsCore/JobError`` `timedOut` if the simulation is stuck at one
  ///   instant.
  public func advance(to target: Timestamp) async throws {
    try await runCurrentInstant()
    while let next = nextEvent, next <= target {
      clock.move(to: next)
      try await runCurrentInstant()
    }
    clock.move(to: target)
    try await runCurrentInstant()
  }

  /// Advances the time from event to event until a condition holds.
  ///
  /// - Parameters:
  ///   - target: the instant up to which the time advances at most.
  ///   - isDone: the condition, examined after each instant.
  /// - Returns: whether the condition holds.
  /// - Throws: the errors of ``advance(to:)``, or the condition's.
  package func advance(to target: Timestamp, until isDone: () async throws -> Bool) async throws -> Bool {
    try await runCurrentInstant()
    while try await !isDone() {
      guard let next = nextEvent, next <= target else {
        try await advance(to: target)
        return try await isDone()
      }
      clock.move(to: next)
      try await runCurrentInstant()
    }
    return true
  }

  /// Advances the time until no delivery is in flight, due or waiting for a retry.
  ///
  /// - Parameter limit: the maximum virtual time to spend.
  /// - Returns: whether the simulation became idle within the limit.
  /// - Throws: the errors of ``advance(to:)``.
  @discardableResult
  public func runUntilIdle(limit: Duration = .seconds(40 * 86_400)) async throws -> Bool {
    let target = clock.now() + limit
    try await runCurrentInstant()
    while !isIdle {
      guard let next = nextEvent, next <= target else { return false }
      clock.move(to: next)
      try await runCurrentInstant()
    }
    return true
  }

  /// Runs an operation on the simulation's executor and advances the time until it ends.
  ///
  /// - Parameters:
  ///   - limit: the maximum virtual time to spend.
  ///   - operation: the operation, which may sleep on the clock.
  /// - Returns: the operation's result.
  /// - Throws: the operation's error, or ``/CloudJobsCore/JobError`` `timedOut` if it does not end within the limit.
  public func perform<Success: Sendable>(
    limit: Duration = .seconds(40 * 86_400), _ operation: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    try await perform(limit: limit, isDelivering: true, operation)
  }

  /// Runs an operation like ``perform(limit:_:)``, while the services begin no delivery.
  ///
  /// What the operation enqueues is still in its queue afterwards, and is delivered when the time is advanced.
  ///
  /// - Parameters:
  ///   - limit: the maximum virtual time to spend.
  ///   - operation: the operation, which may sleep on the clock.
  /// - Returns: the operation's result.
  /// - Throws: the errors of ``perform(limit:_:)``.
  package func performAlone<Success: Sendable>(
    limit: Duration = .days(40), _ operation: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    try await perform(limit: limit, isDelivering: false, operation)
  }

  private func perform<Success: Sendable>(
    limit: Duration, isDelivering: Bool, _ operation: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    let done = CompletionFlag()
    let work = Task(executorPreference: executor) {
      defer { done.set() }
      return try await operation()
    }
    let target = clock.now() + limit
    try await runCurrentInstant(isDelivering)
    while !done.isSet {
      guard let next = isDelivering ? nextEvent : clock.nextDeadline, next <= target else {
        work.cancel()
        try await runCurrentInstant(isDelivering)
        throw JobError(
          .timedOut,
          "The operation did not end within \(limit) of virtual time. It waits for something that never happens.")
      }
      clock.move(to: next)
      try await runCurrentInstant(isDelivering)
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

  /// Processes every event at the current instant.
  ///
  /// - Parameter isDelivering: whether the services begin the deliveries that are due.
  /// - Throws: the errors of ``advance(to:)``.
  private func runCurrentInstant(_ isDelivering: Bool = true) async throws {
    try Task.checkCancellation()
    let now = clock.now()
    var budget = Self.instantLimit
    var isDue = true
    while isDue {
      let actions = isDelivering ? wakeServices(at: now) : []
      start(actions)
      var count = executor.drain(limit: budget)
      while executor.hasOutsideWork, count < budget {
        await executor.nextJob()
        count += executor.drain(limit: budget - count)
      }
      budget -= count + actions.count
      guard budget > 0 else {
        throw JobError(
          .timedOut, "More than \(Self.instantLimit) steps at \(now). A handler or task requests more work without end."
        )
      }
      isDue = isDelivering && shared.withLock { $0.state.nextWake.map { $0 <= now } ?? false }
    }
  }

  private func wakeServices(at now: Timestamp) -> [ServiceAction] {
    shared.withLock { shared in
      let actions = shared.state.handle(.wake, at: now)
      shared.trace.append(actions, at: now)
      return actions
    }
  }

  private func start(_ actions: [ServiceAction]) {
    for case .deliver(let delivery) in actions {
      let work = Task(executorPreference: executor) { [weak self, deliver] in
        let outcome = await deliver(delivery)
        self?.complete(delivery.id, outcome)
      }
      shared.withLock { $0.deliveries[delivery.id] = work }
    }
  }

  private func complete(_ id: DeliveryID, _ outcome: DeliveryOutcome) {
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

/// A flag that is set once.
final class CompletionFlag: Sendable {
  private let value = Atomic(false)

  /// Whether the flag is set.
  var isSet: Bool { value.load(ordering: .acquiring) }

  /// Sets the flag.
  func set() { value.store(true, ordering: .releasing) }
}
