public import CloudJobs
public import CloudJobsCore
public import CloudJobsEmulator
import Synchronization

/// A runtime in a simulation with emulated services and virtual time.
///
/// Cloud Tasks and Cloud Scheduler are emulated, the store is in memory, and the clock moves only when the test
/// advances it: days pass in milliseconds, and equal calls give equal traces.
///
/// Its own calls that enqueue and run jobs (``/CloudJobs/JobClient``) deliver nothing else: what they enqueue waits
/// until the test advances the time or calls ``drain(within:attempts:fileID:line:)``. One task at a time may use it,
/// and no handler.
public final class SimulatedRuntime: Sendable {
  /// The runtime; after a ``crash()``, that of the next process.
  ///
  /// A call that has to wait for the store to recover waits for the time to move: make it through ``SimulatedRuntime``.
  public var runtime: JobRuntime { process.withLock { $0.runtime } }
  /// The emulator that delivers the runtime's tasks and scheduled jobs.
  public let emulator: SimulatedEmulator
  /// The store.
  public let store: any JobStore
  let faults: SimulatedFaults
  let attempts: AttemptRecorder
  private let program: SimulatedProgram
  private let process: Mutex<SimulatedProcess>

  /// The location of simulated queues and scheduler jobs.
  public static let location = "projects/simulation/locations/here"

  fileprivate init(_ program: SimulatedProgram, _ process: SimulatedProcess) {
    self.program = program
    self.process = Mutex(process)
    emulator = program.emulator
    store = program.store
    faults = program.faults
    attempts = program.attempts
  }

  /// Ends the process of the runtime as a crash does, and starts another one over the same store and queue.
  ///
  /// Attempts under way are never committed: their handlers are cancelled, and whatever these still ask of the store or
  /// the queue fails. Their leases end after the job's time limit and ``/CloudJobs/RuntimeOptions/leaseMargin``; then
  /// another attempt follows, by the job's retry policy. A handler may call it too, to crash at a certain point.
  public func crash() {
    process.withLock { process in
      process.end()
      process = program.startProcess()
    }
  }

  /// The simulation's time.
  public var now: Timestamp { emulator.clock.now() }

  /// Advances the time by a duration and processes every delivery, tick and retry in it.
  ///
  /// - Parameter span: the duration.
  /// - Throws: `CancellationError`, or ``/CloudJobsCore/JobError`` `timedOut` if work is requested without end at one
  ///   instant.
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
  package var commits: Int { program.counter.count }

  /// The calls between the services so far.
  package var calls: SimulatedCalls { program.calls.calls }

  /// The jobs' events, oldest first: started and finished attempts, skipped occurrences, duplicates.
  public var events: [JobEvent] { program.record.events }

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

extension JobRuntime {
  /// Creates a runtime in a simulation with virtual time.
  ///
  /// The emulated scheduler triggers the master job every minute and the scheduled jobs that Cloud Scheduler can
  /// express; the master pass runs the rest (``/CloudJobsCore/ScheduleRoute``).
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - start: the start time of the simulation.
  ///   - seed: the seed for random numbers.
  ///   - options: the runtime's options; clock, random source and owner are replaced by the simulation's.
  /// - Returns: the simulated runtime.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidSchedule`, naming the queue or job, if the emulated services reject
  ///   one.
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
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidSchedule`, naming the queue or job, if the emulated services reject
  ///   one.
  public static func simulated(
    _ registry: JobRegistry, store: any JobStore, clock: VirtualClock, seed: UInt64 = 1,
    options: RuntimeOptions = RuntimeOptions()
  ) async throws(JobError) -> SimulatedRuntime {
    let program = SimulatedProgram(registry, store: store, clock: clock, seed: seed, options: options)
    let process = program.startProcess()
    try await process.runtime.prepare()
    let owner = options.scheduleOwner ?? .cloudScheduler
    do throws(ServiceFault) {
      try program.emulator.withState { (state, now) throws(ServiceFault) in
        try SimulationSetup.apply(registry, under: owner, to: &state, at: now)
      }
    } catch {
      throw JobError(.invalidSchedule, error.message)
    }
    return SimulatedRuntime(program, process)
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
