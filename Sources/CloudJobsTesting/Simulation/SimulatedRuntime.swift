public import CloudJobs
public import CloudJobsCore
public import CloudJobsEmulator
import HTTPTypes
import Logging
import Synchronization

/// A runtime in a simulation with emulated services and virtual time.
///
/// Cloud Tasks and Cloud Scheduler are emulated, the store is in memory, and the clock moves only when the test
/// advances it: days pass in milliseconds, and equal calls give equal traces.
public final class SimulatedRuntime: Sendable {
  /// The runtime.
  public let runtime: JobRuntime
  /// The emulator that delivers the runtime's tasks and scheduled jobs.
  public let emulator: SimulatedEmulator
  /// The store.
  public let store: any JobStore
  private let record: EventRecord
  private let counter: CommitCounter

  /// The location of simulated queues and scheduler jobs.
  public static let location = "projects/simulation/locations/here"

  fileprivate init(
    runtime: JobRuntime, emulator: SimulatedEmulator, store: any JobStore, record: EventRecord, counter: CommitCounter
  ) {
    self.record = record
    self.counter = counter
    self.runtime = runtime
    self.emulator = emulator
    self.store = store
  }

  /// The simulation's time.
  public var now: Timestamp { emulator.clock.now() }

  /// Advances the time by a duration and processes every delivery, tick and retry in it.
  ///
  /// - Parameter span: the duration.
  /// - Throws: `CancellationError`, or ``JobError`` `timedOut` if work is requested without end at one instant.
  public func advance(by span: Duration) async throws {
    try await emulator.advance(by: span)
  }

  /// Advances the time to an instant and processes every delivery, tick and retry up to it.
  ///
  /// - Parameter time: the instant.
  /// - Throws: the errors of ``advance(by:)``.
  public func advance(to time: Timestamp) async throws {
    try await emulator.advance(to: time)
  }

  /// All events as lines, oldest first: the outcome of each attempt by job and run, and each delivery.
  ///
  /// Successful ticks of the master job are omitted; the jobs that they ran have lines of their own.
  public var trace: [String] {
    let master = "\(Self.location)/jobs/\(JobID.master)"
    return emulator.traceEntries.filter { entry in
      switch entry.event {
      case .deliveryStarted(_, let subject, _, _, _, _): subject != master
      case .settled(let settlement): settlement.subject != master || settlement.verdict != .succeeded
      case .note: true
      }
    }.map(\.description)
  }

  /// The number of commits to the store so far.
  package var commits: Int { counter.count }

  /// The jobs' events, oldest first: started and finished attempts, skipped occurrences, duplicates.
  public var events: [JobEvent] { record.events }

  /// Returns the outcomes of a job's attempts and its skipped occurrences, oldest first.
  ///
  /// - Parameter job: the job.
  /// - Returns: the names of the events other than starts, ends, duplicates, and what handlers report.
  public func outcomes(of job: JobID) -> [JobEvent.Name] {
    events.filter { $0.job == job && !$0.isDetail }.map(\.name)
  }

  /// Returns the runs of a job, oldest first.
  ///
  /// - Parameter job: the job.
  /// - Returns: the current state of the runs.
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
  /// Whether other events tell the outcome of the same attempt or occurrence.
  fileprivate var isDetail: Bool {
    switch name {
    case .started, .duplicate, .completed, .event, .log, .blocking: true
    case .succeeded, .failed, .skipped, .retrying, .snoozed, .leaseLost, .breakerOpened, .breakerClosed: false
    }
  }

  /// The event as a line of the trace; nil for events that other lines cover.
  fileprivate var line: String? {
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

extension JobRuntime {
  /// Creates a runtime in a simulation with virtual time.
  ///
  /// The emulated scheduler triggers the master job every minute and the scheduled jobs that Cloud Scheduler can
  /// express; the master pass runs the rest (``CloudJobsCore/ScheduleRoute``).
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - start: the start time of the simulation.
  ///   - seed: the seed for random numbers.
  ///   - options: the runtime's options; clock, random source and owner are replaced by the simulation's.
  /// - Returns: the simulated runtime.
  /// - Throws: ``JobError`` `invalidSchedule`, naming the queue or job, if the emulated services reject one.
  public static func simulated(
    _ registry: JobRegistry, startingAt start: Timestamp = Timestamp(seconds: 1_767_225_600), seed: UInt64 = 1,
    options: RuntimeOptions = RuntimeOptions()
  ) async throws(JobError) -> SimulatedRuntime {
    let clock = VirtualClock(start: start)
    return try await simulated(registry, store: MemoryStore(clock: clock), clock: clock, seed: seed, options: options)
  }

  /// Creates a runtime in a simulation with virtual time over any store.
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - store: the store, which takes its time from the clock.
  ///   - clock: the simulation's clock.
  ///   - seed: the seed for random numbers.
  ///   - options: the runtime's options; clock, random source and owner are replaced by the simulation's.
  /// - Returns: the simulated runtime.
  /// - Throws: ``JobError`` `invalidSchedule`, naming the queue or job, if the emulated services reject one.
  public static func simulated(
    _ registry: JobRegistry, store: any JobStore, clock: VirtualClock, seed: UInt64 = 1,
    options: RuntimeOptions = RuntimeOptions()
  ) async throws(JobError) -> SimulatedRuntime {
    let link = SimulationLink()
    let emulator = SimulatedEmulator(state: EmulatorState(zones: registry.zones, seed: seed), clock: clock) {
      delivery in
      await link.deliver(delivery)
    }
    var options = options
    options.clock = clock
    options.random = RandomSource(SplitMix64(seed: seed))
    options.executor = emulator.executor
    options.owner = options.owner ?? "simulated"
    let owner = options.scheduleOwner ?? .cloudScheduler
    let queue = SimulatedQueue(emulator: emulator)
    let simulatedStore = SimulatedStore(base: store, executor: emulator.executor)
    let runtime = try await JobRuntime.prepared(
      registry, store: simulatedStore, queue: queue, authentication: .trustLoopback, options: options)
    link.connect(runtime)
    let record = EventRecord()
    runtime.events.subscribe { [weak emulator] event in
      record.add(event)
      if let line = event.line { emulator?.note(line) }
    }
    do throws(ServiceFault) {
      try emulator.withState { (state, now) throws(ServiceFault) in
        try SimulationSetup.apply(registry, under: owner, to: &state, at: now)
      }
    } catch {
      throw JobError(.invalidSchedule, error.message)
    }
    return SimulatedRuntime(
      runtime: runtime, emulator: emulator, store: store, record: record, counter: simulatedStore.commits)
  }
}

/// The initial state of the emulated services in a simulation.
enum SimulationSetup {
  /// The origin of delivery URLs; no socket is opened.
  static let origin = "http://runtime.invalid"

  /// The queue of tasks whose job names none.
  static let defaultQueue = "default"

  /// Returns the resource name of a queue.
  static func queueName(_ queue: String?) throws(ServiceFault) -> CloudTasks.QueueName {
    try CloudTasks.QueueName("\(SimulatedRuntime.location)/queues/\(queue ?? defaultQueue)")
  }

  /// Creates the queues that jobs name, the master job, and a scheduler job for each job that Cloud Scheduler fires.
  static func apply(
    _ registry: JobRegistry, under owner: ScheduleOwner, to state: inout EmulatorState, at now: Timestamp
  ) throws(ServiceFault) {
    let definitions = registry.definitions
    for queue in Set(definitions.map { $0.policy.queue ?? defaultQueue } + [defaultQueue]).sorted() {
      _ = try state.tasks.createQueue(CloudTasks.Queue(name: try queueName(queue)), at: now)
    }
    let location = try LocationName(SimulatedRuntime.location)
    let master = CloudScheduler.JobDraft(
      name: "\(location)/jobs/\(JobID.master)",
      target: .http(HTTPTarget(url: "\(origin)/jobs/master")), schedule: "* * * * *", timeZone: "Etc/UTC",
      attemptDeadline: CloudSchedulerEntry.deadlines.upperBound)
    _ = try state.scheduler.createJob(master, in: location, at: now)
    for definition in definitions {
      // The registry has already resolved every definition.
      guard let job = try? ResolvedJob(definition, configuration: nil, zones: registry.zones),
        case .cloudScheduler(let entry) = job.route(under: owner)
      else { continue }
      let draft = CloudScheduler.JobDraft(
        name: "\(location)/jobs/\(definition.id.schedulerName)",
        target: .http(HTTPTarget(url: "\(origin)/jobs/scheduled/\(definition.id)")), schedule: entry.schedule,
        timeZone: entry.timeZone, attemptDeadline: entry.attemptDeadline)
      do throws(ServiceFault) {
        _ = try state.scheduler.createJob(draft, in: location, at: now)
      } catch {
        throw ServiceFault(error.code, "The job \(definition.id): \(error.message)")
      }
    }
  }
}
