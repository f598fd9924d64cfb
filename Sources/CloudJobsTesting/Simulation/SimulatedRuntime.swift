public import CloudJobs
public import CloudJobsCore
public import CloudJobsEmulator
import HTTPTypes
import Logging
import Synchronization

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
  private let record: EventRecord

  /// Where simulated tasks and scheduler jobs live.
  public static let location = "projects/simulation/locations/here"

  fileprivate init(runtime: JobRuntime, world: VirtualWorld, store: MemoryStore, record: EventRecord) {
    self.record = record
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

  /// Everything that happened, one line each, oldest first: each attempt's outcome by job and run, and each delivery.
  ///
  /// Ticks of the master job that were answered 200 are left out: what they ran stands in the jobs' own lines.
  public var trace: [String] {
    let master = "\(Self.location)/jobs/\(JobID.master)"
    return world.traceEntries.filter { entry in
      switch entry.event {
      case .dispatched(_, let subject, _, _, _, _): subject != master
      case .settled(let settlement): settlement.subject != master || settlement.verdict != .succeeded
      case .note: true
      }
    }.map(\.description)
  }

  /// The jobs' events, oldest first: attempts that began and how they ended, skipped occurrences, duplicates.
  public var events: [JobEvent] { record.events }

  /// How the attempts of a job ended and which occurrences were skipped, oldest first.
  ///
  /// - Parameter job: the job.
  /// - Returns: the names of the events other than `started` and `duplicate`.
  public func outcomes(of job: JobID) -> [JobEvent.Name] {
    events.filter { $0.job == job && $0.name != .started && $0.name != .duplicate }.map(\.name)
  }

  /// The runs of a job, oldest first.
  ///
  /// - Parameter job: the job.
  /// - Returns: the runs as they stand.
  public func runs(of job: JobID) async -> [Run] {
    var runs: [Run] = []
    var cursor: StoreCursor?
    repeat {
      // A store in memory does not fail.
      guard let page = try? await store.runs(matching: RunFilter(job: job), after: cursor, limit: StoreLimits.batch)
      else { break }
      runs += page.records.compactMap { try? $0.run.get() }
      cursor = page.next
    } while cursor != nil
    return runs.reversed()
  }
}

/// The events of a simulation.
private final class EventRecord: Sendable {
  private let all = Mutex<[JobEvent]>([])

  var events: [JobEvent] { all.withLock { $0 } }

  func add(_ event: JobEvent) { all.withLock { $0.append(event) } }
}

extension JobEvent {
  /// The event as a line of the trace; nil for what other lines tell already.
  fileprivate var line: String? {
    if name == .started || name == .duplicate { return nil }
    var line = "job \(job)"
    if let run { line += " run \(run.rawValue.prefix(12))" }
    if let attempt { line += " attempt \(attempt)" }
    line += ": \(name.rawValue.split(separator: ".").last ?? "")"
    if let failure { line += ", \(failure.kind): \(failure.message)" }
    if let reason { line += ", \(reason)" }
    if let next { line += ", next at \(next)" }
    return line
  }
}

extension JobRuntime {
  /// A runtime in a world of its own, in virtual time.
  ///
  /// The emulated scheduler ticks the master job each minute and fires the scheduled jobs that Cloud Scheduler can
  /// express; the master pass runs the rest (``CloudJobsCore/ScheduleRoute``).
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - start: when the world begins.
  ///   - seed: what chance is drawn from.
  ///   - options: how the runtime behaves; clock, random source and owner are the world's.
  /// - Returns: the runtime in its world.
  /// - Throws: ``JobError`` where the emulated services refuse a queue or a job, with its name.
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
    let owner = options.scheduleOwner ?? .cloudScheduler
    let store = MemoryStore(clock: clock)
    let queue = SimulatedQueue(world: world)
    let runtime = try await JobRuntime(
      registry, store: store, queue: queue, authentication: .trustLoopback, options: options)
    link.connect(runtime)
    let record = EventRecord()
    runtime.events.observe { [weak world] event in
      record.add(event)
      if let line = event.line { world?.note(line) }
    }
    do throws(ServiceFault) {
      try world.withState { (state, now) throws(ServiceFault) in
        try SimulationSetup.apply(registry, under: owner, to: &state, at: now)
      }
    } catch {
      throw JobError(.invalidSchedule, error.message)
    }
    return SimulatedRuntime(runtime: runtime, world: world, store: store, record: record)
  }
}
