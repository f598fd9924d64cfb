#if Server
package import CloudJobsCore
import Dispatch
package import Logging
package import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The lifetime of a process that runs until SIGTERM or SIGINT and then ends within a limit.
///
/// The first signal starts the graceful shutdown, a second one ends the process immediately. Signals, the limit and the
/// final steps have their own threads, so they work even if handlers block all threads of the shared pool.
package struct ProcessLifetime: Sendable {
  /// The state of a process after its work has been drained.
  package enum Settlement: Sendable {
    /// All services end by themselves.
    case ended
    /// Some work can't be ended; the process exits without it.
    case exits(isNothingLost: Bool)
  }

  /// The time after the first signal at which the process exits with status 1 at the latest.
  package var exitLimit: Duration
  /// The logger.
  package var logger: Logger

  /// Creates a lifetime.
  package init(exitLimit: Duration, logger: Logger) {
    self.exitLimit = exitLimit
    self.logger = logger
  }

  /// Runs services until one of them ends the group, or until a signal.
  ///
  /// - Parameters:
  ///   - services: the services, which are shut down last to first.
  ///   - settle: called after the first signal and before the services shut down, on its own thread and with its own
  ///     clock; drains the work and returns how the process ends.
  /// - Throws: a service's error.
  package func run(
    _ services: [ServiceGroupConfiguration.ServiceConfiguration],
    settle: @escaping @Sendable (_ clock: any JobClock) async -> Settlement = { _ in .ended }
  ) async throws {
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    let executor = DispatchQueueExecutor(label: "cloud-jobs.shutdown")
    let signals = SignalMonitor(exitLimit: exitLimit)
    defer { signals.cancel() }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask(executorPreference: executor) {
        for await _ in signals.first {
          if case .exits(let isNothingLost) = await settle(DispatchClock()) {
            fflush(nil)
            _exit(isNothingLost ? EXIT_SUCCESS : EXIT_FAILURE)
          }
          await group.triggerGracefulShutdown()
        }
      }
      defer { tasks.cancelAll() }
      try await group.run()
    }
  }
}

/// A monitor of SIGTERM and SIGINT on its own thread, which exits the process if necessary.
private struct SignalMonitor: Sendable {
  /// A Dispatch source, which is thread-safe; it is created once and only cancelled afterwards.
  private struct Source: @unchecked Sendable {
    let source: any DispatchSourceSignal
  }

  private final class State: Sendable {
    let signals = Mutex(ShutdownSignals())
    let isOver = Mutex(false)
  }

  /// A stream that yields once, at the first signal.
  let first: AsyncStream<Void>
  private let state = State()
  private let sources: [Source]

  init(exitLimit: Duration) {
    let (first, continuation) = AsyncStream.makeStream(of: Void.self)
    let queue = DispatchQueue(label: "cloud-jobs.signals")
    let begin = ContinuousClock.now
    let limit = DispatchTimeInterval.microseconds(Int(clamping: exitLimit.microseconds))
    let state = state
    self.first = first
    sources = [SIGTERM, SIGINT].map { number in
      #if canImport(Darwin)
      // On Darwin, Dispatch observes a signal in addition to the process's own disposition.
      signal(number, SIG_IGN)
      #endif
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        switch state.signals.withLock({ $0.receive(number, at: ContinuousClock.now - begin) }) {
        case .ignore: break
        case .exit(let status): _exit(status)
        case .shutDown:
          continuation.yield()
          continuation.finish()
          queue.asyncAfter(deadline: .now() + limit) {
            if !state.isOver.withLock({ $0 }) { _exit(EXIT_FAILURE) }
          }
        }
      }
      return Source(source: source)
    }
    for source in sources { source.source.activate() }
  }

  /// Restores the default signal handling.
  func cancel() {
    state.isOver.withLock { $0 = true }
    for source in sources { source.source.cancel() }
    for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
  }
}

/// A task executor on a thread that no handler can block.
private final class DispatchQueueExecutor: TaskExecutor {
  private let queue: DispatchQueue

  init(label: String) {
    queue = DispatchQueue(label: label)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

/// The system clock with sleeps based on Dispatch, because the tasks' own timers need a thread of the shared pool.
private struct DispatchClock: JobClock {
  private static let queue = DispatchQueue(label: "cloud-jobs.shutdown-clock")

  func now() -> Timestamp { SystemClock().now() }

  func sleep(until deadline: Timestamp) async throws {
    let span = Int(clamping: max(0, (deadline - now()).microseconds))
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    Self.queue.asyncAfter(deadline: .now() + .microseconds(span)) { continuation.finish() }
    for await _ in stream {}
    try Task.checkCancellation()
  }
}
#endif

/// The meaning of termination signals, as a pure state machine whose events carry the time.
struct ShutdownSignals: Sendable {
  enum Action: Hashable, Sendable {
    /// Start the graceful shutdown.
    case shutDown
    /// Exit immediately with a status.
    case exit(CInt)
    /// Ignore a repetition of the same request.
    case ignore
  }

  /// The interval of repeated signals: GNU `timeout`, shells and process managers signal a process and its group at
  /// once.
  static let echo = Duration.milliseconds(200)

  private var first: Duration?

  /// Handles a signal.
  mutating func receive(_ signal: CInt, at now: Duration) -> Action {
    guard let first else {
      self.first = now
      return .shutDown
    }
    return now - first < Self.echo ? .ignore : .exit(128 + signal)
  }
}
