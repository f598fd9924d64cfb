public import CloudJobsCore

/// Cloud Scheduler v1 as a pure state machine: requests and events go in, deliveries come out, and time is an argument.
///
/// A driver calls a request method, or ``handle(_:at:)`` with an event, then performs the actions; it calls
/// `handle(.wake, at:)` after each request and when ``nextWake`` has come. A job has one execution at a time: a firing
/// that comes while one goes on is delayed until that ends, and of several such firings the latest counts.
///
/// Source: <https://cloud.google.com/scheduler/docs/reference/rest>.
public struct CloudSchedulerService: Sendable {
  /// Where the emulator delivers what needs more than an HTTP target.
  public let options: CloudScheduler.Options
  /// The time zones that schedules may name.
  public let zones: ZoneCatalog
  var jobs: [CloudScheduler.JobName: ScheduledJobRecord] = [:]
  var names = SortedSet<CloudScheduler.JobName>()
  var generator: SplitMix64
  var wakes = WakeIndex<CloudScheduler.JobName>()
  var flights: [UInt64: ScheduledFlight] = [:]
  var deadlines = MinimumHeap<FlightDeadline>()
  var lastDispatch: UInt64 = 0
  var lastSequence: UInt64 = 0
  private var executing: Set<CloudScheduler.JobName> = []

  /// A service without jobs.
  ///
  /// - Parameters:
  ///   - zones: the time zones that schedules may name.
  ///   - options: where the emulator delivers what needs more than an HTTP target.
  ///   - seed: draws the names of jobs that come without one.
  public init(zones: ZoneCatalog = .utcOnly, options: CloudScheduler.Options = .init(), seed: UInt64 = 0) {
    self.zones = zones
    self.options = options
    generator = SplitMix64(seed: seed)
  }

  /// When the service next has something to do if no request comes; it may lie in the past.
  public var nextWake: Timestamp? {
    guard let deadline = deadlines.first?.time else { return wakes.earliest }
    return min(deadline, wakes.earliest ?? deadline)
  }

  /// Does what an event asks for and what is due.
  ///
  /// - Parameters:
  ///   - event: what happened.
  ///   - now: the time; never before that of an earlier call.
  /// - Returns: the deliveries to make, and for the record how attempts ended, in order.
  public mutating func handle(_ event: ServiceEvent, at now: Timestamp) -> [ServiceAction] {
    var actions: [ServiceAction] = []
    if case .completed(let id, let outcome) = event, id.service == .scheduler {
      finish(id.number, outcome, at: now, into: &actions)
    }
    if case .resumed = event { resume(at: now, into: &actions) }
    while let entry = deadlines.first, entry.time <= now {
      deadlines.removeFirst()
      finish(entry.number, .timedOut, at: now, into: &actions)
    }
    while let name = wakes.removeDue(at: now) {
      advance(name, at: now, into: &actions)
      touch(name)
    }
    return actions
  }

  /// Whether nothing is in flight, due or to be tried again; the next firing of a schedule doesn't count.
  public func isIdle(at now: Timestamp) -> Bool {
    flights.isEmpty && executing.isEmpty && (wakes.earliest.map { $0 > now } ?? true)
  }

  /// The locations that have jobs.
  public var locations: [LocationName] { Array(Set(jobs.keys.map(\.location))) }

  /// How many attempts are in flight.
  public var inFlightCount: Int { flights.count }

  /// Recomputes when a job next has something to do, after a request has changed it.
  mutating func touch(_ name: CloudScheduler.JobName) {
    let record = jobs[name]
    wakes.set(name, to: record?.nextWake)
    if record?.execution == nil { executing.remove(name) } else { executing.insert(name) }
  }

  /// A number that no other job has.
  mutating func nextSequence() -> UInt64 {
    lastSequence += 1
    return lastSequence
  }

  private mutating func advance(
    _ name: CloudScheduler.JobName, at now: Timestamp, into actions: inout [ServiceAction]
  ) {
    guard var record = jobs[name] else { return }
    for request in record.runRequests {
      var execution = ScheduledExecution(cause: "a request to run the job now", slot: request, startedAt: now)
      if record.execution == nil {
        execution.attemptAt = now
        record.execution = execution
      } else {
        execution.attempts = 1
        launch(&record, execution, isExecution: false, at: now, into: &actions)
      }
    }
    record.runRequests.removeAll()
    record.takeDueSlot(at: now)
    if var execution = record.execution, let due = execution.attemptAt, due <= now {
      execution.attemptAt = nil
      execution.attempts += 1
      record.execution = execution
      launch(&record, execution, isExecution: true, at: now, into: &actions)
    }
    jobs[name] = record
  }

  private mutating func launch(
    _ record: inout ScheduledJobRecord, _ execution: ScheduledExecution, isExecution: Bool, at now: Timestamp,
    into actions: inout [ServiceAction]
  ) {
    lastDispatch += 1
    let job = record.job
    record.job.lastAttemptTime = now
    switch ScheduledRequest.make(for: job, slot: execution.slot, number: lastDispatch, options: options, at: now) {
    case .failure(let fault):
      record.job.status = RPCStatus(code: fault.code, message: fault.message)
      if isExecution { record.execution = nil }
      actions.append(
        .settled(
          Settlement(
            subject: job.name.text, attempt: execution.attempts, outcome: nil, verdict: .abandoned(fault.message))))
    case .success(let request):
      let deadline = now + job.attemptDeadline
      flights[lastDispatch] = ScheduledFlight(
        name: job.name, sequence: record.sequence, isExecution: isExecution, attempt: execution.attempts,
        deadline: deadline)
      deadlines.insert(FlightDeadline(time: deadline, number: lastDispatch))
      let reason = execution.attempts == 1 ? execution.cause : "retry \(execution.attempts - 1) of \(execution.slot)"
      actions.append(
        .dispatch(
          Dispatch(
            id: DispatchID(.scheduler, lastDispatch), subject: job.name.text, attempt: execution.attempts,
            url: request.url, method: request.method, headers: request.headers, body: request.body,
            deadline: job.attemptDeadline, scheduledFor: execution.slot, authorization: request.authorization,
            reason: reason)))
    }
  }

  private mutating func resume(at now: Timestamp, into actions: inout [ServiceAction]) {
    deadlines = MinimumHeap()
    for number in flights.keys.sorted() {
      guard var flight = flights[number] else { continue }
      if let record = jobs[flight.name], record.sequence == flight.sequence {
        flight.deadline = now + record.job.attemptDeadline
        flights[number] = flight
        deadlines.insert(FlightDeadline(time: flight.deadline, number: number))
      } else {
        finish(number, .connectionFailed("the emulator was started anew"), at: now, into: &actions)
      }
    }
  }

  private mutating func finish(
    _ number: UInt64, _ outcome: DispatchOutcome, at now: Timestamp, into actions: inout [ServiceAction]
  ) {
    guard let flight = flights.removeValue(forKey: number) else { return }
    while let entry = deadlines.first, flights[entry.number] == nil { deadlines.removeFirst() }
    deadlines.compact(liveCount: flights.count) { flights[$0.number] != nil }
    var settlement = Settlement(
      id: DispatchID(.scheduler, number), subject: flight.name.text, attempt: flight.attempt, outcome: outcome,
      verdict: .succeeded)
    if var record = jobs[flight.name], record.sequence == flight.sequence {
      settlement.verdict = record.conclude(flight, outcome, at: now)
      jobs[flight.name] = record
      touch(flight.name)
    } else {
      settlement.verdict = .ignored("the job is gone")
    }
    actions.append(.settled(settlement))
  }
}
