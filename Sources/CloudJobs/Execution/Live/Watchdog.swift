import CloudJobsCore
import Dispatch
import Logging
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A thread that observes the attempts and the shared pool of threads, and acts without the pool.
///
/// The decisions are those of ``WatchdogState``. The thread runs while a server or a worker does.
final class Watchdog: Sendable {
  private struct State {
    var observed: WatchdogState
    /// The number of servers and workers that run.
    var users = 0
    var isThreadRunning = false
    var beforeExit: @Sendable () -> Void = {}
  }

  /// The time that the last commits of a process may take.
  private static let exitLimit = DispatchTimeInterval.milliseconds(2_000)
  private static let start = ContinuousClock.now

  private let limits: WatchdogLimits?
  private let state: Mutex<State>
  private let isWatching = Atomic(false)
  private let wakeUp = DispatchSemaphore(value: 0)

  init(_ options: RuntimeOptions) {
    // Deadlines of a simulated clock have no meaning for a thread in real time.
    limits = options.clock is SystemClock ? options.watchdog : nil
    state = Mutex(State(observed: WatchdogState(options.watchdog ?? WatchdogLimits())))
  }

  private static var now: Duration { start.duration(to: .now) }

  // MARK: Attempts

  /// Adds an attempt.
  ///
  /// - Returns: the number by which it is ended; nil if nothing watches.
  func begin(_ claimed: ClaimedRun, isOnSharedPool: Bool) -> Int? {
    guard isWatching.load(ordering: .acquiring) else { return nil }
    let (number, wasIdle) = state.withLock { state in
      let wasIdle = state.observed.isIdle
      return (state.observed.begin(claimed, isOnSharedPool: isOnSharedPool, at: Self.now), wasIdle)
    }
    if wasIdle { wakeUp.signal() }
    return number
  }

  /// Removes an attempt whose handler has ended.
  func end(_ number: Int?) {
    guard let number else { return }
    state.withLock { $0.observed.end(number) }
  }

  // MARK: Lifetime

  /// Watches while an operation runs.
  ///
  /// - Parameters:
  ///   - services: the runtime's services.
  ///   - beforeExit: called on the watchdog's thread before it exits the process.
  ///   - operation: the operation.
  /// - Throws: the operation's error.
  func watch<Failure: Error>(
    _ services: RuntimeServices, beforeExit: (@Sendable () -> Void)? = nil,
    during operation: () async throws(Failure) -> Void
  ) async throws(Failure) {
    guard limits != nil else { return try await operation() }
    let startsThread = state.withLock { state in
      state.users += 1
      if let beforeExit { state.beforeExit = beforeExit }
      defer { state.isThreadRunning = true }
      return !state.isThreadRunning
    }
    isWatching.store(true, ordering: .releasing)
    if startsThread { DedicatedThread.start { self.run(services) } }
    defer {
      let isLast = state.withLock { state in
        state.users -= 1
        return state.users == 0
      }
      if isLast { isWatching.store(false, ordering: .releasing) }
      wakeUp.signal()
    }
    try await operation()
  }

  private func run(_ services: RuntimeServices) {
    let interval = DispatchTimeInterval.microseconds(Int(WatchdogState.interval.microseconds))
    while true {
      let (isOver, isIdle) = state.withLock { state in
        if state.users == 0 { state.isThreadRunning = false }
        return (state.users == 0, state.observed.isIdle)
      }
      if isOver { return }
      if isIdle { wakeUp.wait() } else { _ = wakeUp.wait(timeout: .now() + interval) }
      let actions = state.withLock { $0.observed.check(at: Self.now) }
      for action in actions { perform(action, services) }
    }
  }

  // MARK: Actions

  private func perform(_ action: WatchdogState.Action, _ services: RuntimeServices) {
    switch action {
    case .beat(let number): Task.detached { self.state.withLock { $0.observed.answered(number) } }
    case .reportBlocked(let culprits, let span):
      for attempt in culprits {
        services.events.emit(
          JobEvent(
            .blocking, job: attempt.claimed.run.job, run: attempt.claimed.run, time: services.clock.now(),
            reason: "The shared pool of threads has not answered for \(span.inMilliseconds). Let the job wait with "
              + "await, or give it the weight medium or heavy."))
      }
    case .reportRecovered(let span):
      services.logger.notice("The shared pool of threads answers again, after \(span.inMilliseconds).")
    case .leave(let overdue): leave(overdue, services)
    }
  }

  /// Reports the attempts that exceed their time limits, commits the ends of all attempts, and exits the process.
  private func leave(_ overdue: [WatchdogState.Attempt], _ services: RuntimeServices) {
    let exits = limits?.exitsProcess ?? false
    for attempt in overdue {
      services.logger.critical(
        """
        The attempt exceeds its time limit, and the shared pool of threads is blocked. \
        \(exits ? "The process exits with status \(WatchdogLimits.exitStatus)." : "Restart the process.")
        """, metadata: attempt.claimed.metadata)
    }
    guard exits else { return }
    let isCommitted = DispatchSemaphore(value: 0)
    let culprits = Set(overdue.map(\.claimed.place))
    Task.detached(executorPreference: ComputeExecutor(threads: 1)) {
      await Drain(services).abandonAttempts(overdue: culprits)
      isCommitted.signal()
    }
    if isCommitted.wait(timeout: .now() + Self.exitLimit) == .timedOut {
      services.logger.critical("The ends of attempts could not be committed in time. Their leases must expire.")
    }
    state.withLock { $0.beforeExit }()
    fflush(nil)
    _exit(WatchdogLimits.exitStatus)
  }
}

extension Duration {
  fileprivate var inMilliseconds: String { "\(microseconds / 1_000) ms" }
}
