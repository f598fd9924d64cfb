public import CloudJobs
public import CloudJobsCore
public import CloudJobsEmulator
import HTTPTypes
import Logging

/// A runtime in a world of its own.
///
/// Cloud Tasks and Cloud Scheduler are emulated, the store is in memory, and the clock moves by hand: days pass in
/// milliseconds, and the same calls give the same trace.
public final class SimulatedRuntime: Sendable {
  /// The runtime.
  public let runtime: JobRuntime
  /// The world that it lives in.
  public let world: VirtualWorld
  /// The store.
  public let store: MemoryStore

  /// Where simulated tasks and scheduler jobs live.
  public static let location = "projects/simulation/locations/here"

  fileprivate init(runtime: JobRuntime, world: VirtualWorld, store: MemoryStore) {
    self.runtime = runtime
    self.world = world
    self.store = store
  }

  /// The time in the world.
  public var now: Timestamp { world.clock.now() }

  /// Lets a span of time pass, with every delivery, tick and retry in it.
  ///
  /// - Parameter span: how long.
  /// - Throws: `CancellationError`, or ``JobError`` `timedOut` where something asks for more work without end.
  public func advance(by span: Duration) async throws {
    try await world.advance(by: span)
  }

  /// Lets time pass up to an instant; else like ``advance(by:)``.
  ///
  /// - Parameter time: when to stop.
  /// - Throws: as above.
  public func advance(to time: Timestamp) async throws {
    try await world.advance(to: time)
  }

  /// Everything that happened, one line each, oldest first.
  public var trace: [String] { world.trace }
}

extension JobRuntime {
  /// A runtime in a world of its own, in virtual time.
  ///
  /// The emulated scheduler ticks the master job each minute and fires each scheduled job by its cron expression.
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - start: when the world begins.
  ///   - seed: what chance is drawn from.
  ///   - options: how the runtime behaves; clock, random source and owner are the world's.
  /// - Returns: the runtime in its world.
  /// - Throws: ``JobError`` where a schedule is one that Cloud Scheduler does not take.
  public static func simulated(
    _ registry: JobRegistry, startingAt start: Timestamp = Timestamp(seconds: 1_767_225_600), seed: UInt64 = 1,
    options: RuntimeOptions = RuntimeOptions()
  ) async throws(JobError) -> SimulatedRuntime {
    let clock = VirtualClock(start: start)
    let link = SimulationLink()
    let world = VirtualWorld(state: EmulatorState(zones: registry.zones, seed: seed), clock: clock) { dispatch in
      await link.deliver(dispatch)
    }
    var options = options
    options.clock = clock
    options.random = RandomSource(SplitMix64(seed: seed))
    options.owner = options.owner ?? "simulated"
    let store = MemoryStore(clock: clock)
    let queue = SimulatedQueue(world: world)
    let runtime = try await JobRuntime(
      registry, store: store, queue: queue, authentication: .trustLoopback, options: options)
    link.connect(runtime)
    do throws(ServiceFault) {
      try world.withState { (state, now) throws(ServiceFault) in
        try SimulationSetup.apply(registry.definitions, to: &state, at: now)
      }
    } catch {
      throw JobError(.invalidSchedule, error.message)
    }
    return SimulatedRuntime(runtime: runtime, world: world, store: store)
  }
}
