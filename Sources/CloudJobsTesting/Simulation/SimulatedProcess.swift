import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// The program of a simulation: starts its processes, one after the other, over one store and one queue.
final class SimulatedProgram: Sendable {
  let emulator: SimulatedEmulator
  let store: any JobStore
  let faults: SimulatedFaults
  let record = EventRecord()
  let counter = CommitCounter()
  let calls = CallCounter()
  let attempts = AttemptRecorder()
  private let registry: JobRegistry
  private let options: RuntimeOptions
  private let link: SimulationLink
  private let lastNumber = Atomic(0)

  init(_ registry: JobRegistry, store: any JobStore, clock: VirtualClock, seed: UInt64, options: RuntimeOptions) {
    let faults = SimulatedFaults(clock: clock)
    let link = SimulationLink(faults: faults, calls: calls)
    let emulator = SimulatedEmulator(state: EmulatorState(zones: registry.zones, seed: seed), clock: clock) {
      delivery in
      await link.deliver(delivery)
    }
    self.registry = registry
    self.store = store
    self.faults = faults
    self.link = link
    self.emulator = emulator
    var options = options
    options.random = RandomSource(SplitMix64(seed: seed))
    options.executor = emulator.executor
    options.owner = options.owner ?? "simulated"
    // Outermost, so that it sees what the program's own middleware makes of an error.
    options.middleware.insert(attempts, at: 0)
    self.options = options
  }

  /// Starts the next process, which gets the deliveries from now on.
  func startProcess() -> SimulatedProcess {
    let number = lastNumber.add(1, ordering: .relaxed).newValue
    let life = ProcessLife()
    var options = options
    options.clock = ProcessClock(base: emulator.clock, life: life)
    if number > 1 { options.owner = options.owner.map { "\($0)-\(number)" } }
    let store = SimulatedStore(
      base: store, executor: emulator.executor, commits: counter, faults: faults, life: life)
    let runtime = JobRuntime(
      registry, store: store, queue: SimulatedQueue(emulator: emulator, faults: faults, life: life, calls: calls),
      authentication: .trustLoopback, options: options)
    runtime.events.subscribe { [record, weak emulator] event in
      if life.hasEnded { return }
      record.add(event)
      if let line = event.traceLine { emulator?.note(line) }
    }
    link.connect(runtime, life)
    return SimulatedProcess(runtime: runtime, life: life)
  }
}

/// A process of a simulation.
struct SimulatedProcess: Sendable {
  let runtime: JobRuntime
  let life: ProcessLife

  /// Ends the process: its store, its queue and its clock fail from now on.
  func end() {
    life.end()
    runtime.cancelHandlers()
  }
}

/// Whether a process of a simulation has ended.
final class ProcessLife: Sendable {
  private let ended = Atomic(false)

  var hasEnded: Bool { ended.load(ordering: .acquiring) }

  func end() {
    ended.store(true, ordering: .releasing)
  }
}

/// The simulation's clock, as one process sees it: once the process has ended, nothing sleeps on it.
private struct ProcessClock: JobClock {
  let base: VirtualClock
  let life: ProcessLife

  func now() -> Timestamp { base.now() }

  func sleep(until deadline: Timestamp) async throws {
    if life.hasEnded { throw CancellationError() }
    try await base.sleep(until: deadline)
    if life.hasEnded { throw CancellationError() }
  }
}

/// The events of a simulation.
final class EventRecord: Sendable {
  private let all = Mutex<[JobEvent]>([])

  var events: [JobEvent] { all.withLock { $0 } }

  func add(_ event: JobEvent) { all.withLock { $0.append(event) } }
}

extension JobEvent {
  /// Whether other events tell the outcome of the same attempt or occurrence.
  var isDetail: Bool {
    switch name {
    case .started, .duplicate, .completed, .event, .log, .blocking: true
    case .succeeded, .failed, .skipped, .retrying, .snoozed, .leaseLost, .breakerOpened, .breakerClosed: false
    }
  }

  /// The event as a line of the trace; nil for events that other lines cover.
  var traceLine: String? {
    if isDetail { return nil }
    var line = "job \(job)"
    if let runID { line += " run \(runID.rawValue.prefix(12))" }
    if let attempt { line += " attempt \(attempt)" }
    line += ": \(name.rawValue.split(separator: ".").last ?? "")"
    if let failure { line += ", \(failure.kind): \(failure.message)" }
    if let reason { line += ", \(reason)" }
    if let next { line += ", next at \(next)" }
    return line
  }
}
