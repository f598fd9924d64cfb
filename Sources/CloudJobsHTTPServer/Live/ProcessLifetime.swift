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

/// A process that lives until SIGTERM or SIGINT, and ends within a limit after that, whatever it is doing.
///
/// The first signal begins the graceful shutdown, a second one ends the process at once. Signals, the limit and the
/// last steps before the end have threads of their own: they work also where handlers block every thread that tasks
/// share.
package struct ProcessLifetime: Sendable {
  /// What becomes of a process once its work is settled.
  package enum Settlement: Sendable {
    /// Its services end by themselves.
    case ended
    /// Some can't be ended; the process exits without them.
    case exits(isNothingLost: Bool)
  }

  /// How long after the first signal the process exits at the latest, with the status 1.
  package var exitLimit: Duration
  /// Where the lifetime logs to.
  package var logger: Logger

  /// A lifetime.
  package init(exitLimit: Duration, logger: Logger) {
    self.exitLimit = exitLimit
    self.logger = logger
  }

  /// Runs services until one of them ends the group, or until a signal.
  ///
  /// - Parameters:
  ///   - services: the services, which are shut down last to first.
  ///   - settle: called after the first signal, before the services are shut down, on a thread of its own and with a
  ///     clock of its own: ends the work, and says what the process does next.
  /// - Throws: what a service throws.
  package func run(
    _ services: [ServiceGroupConfiguration.ServiceConfiguration],
    settle: @escaping @Sendable (_ clock: any JobClock) async -> Settlement = { _ in .ended }
  ) async throws {
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    let executor = DispatchQueueExecutor(label: "cloud-jobs.shutdown")
    let signals = SignalWatch(exitLimit: exitLimit)
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

/// Hears SIGTERM and SIGINT on a thread of its own, and ends the process where it has to.
private struct SignalWatch: Sendable {
  /// A source of Dispatch, which takes calls from every thread; it is made once and only cancelled after that.
  private struct Source: @unchecked Sendable {
    let source: any DispatchSourceSignal
  }

  private final class State: Sendable {
    let signals = Mutex(ShutdownSignals())
    let isOver = Mutex(false)
  }

  /// Yields once, when the first signal has come.
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
      // There, Dispatch sees a signal beside what the process does about it.
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

  /// Leaves the signals to the system again.
  func cancel() {
    state.isOver.withLock { $0 = true }
    for source in sources { source.source.cancel() }
    for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
  }
}

/// Runs tasks on a thread that no handler can block.
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

/// The machine's clock, whose sleepers are woken by Dispatch: the tasks' own timers need a thread that handlers share.
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
