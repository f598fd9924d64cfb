package import CloudJobsCore

/// The resources of Cloud Scheduler v1, independent of any wire format.
///
/// Source: <https://cloud.google.com/scheduler/docs/reference/rest>.
public enum CloudScheduler {}

extension CloudScheduler {
  /// Endpoints for targets other than HTTP.
  public struct Options: Hashable, Sendable {
    /// Push endpoint URLs by topic name; a job for a topic without an endpoint fails with a message.
    public var pushEndpoints: [String: String]
    /// Origin of the App Engine substitute, such as `http://127.0.0.1:8080`; without it App Engine jobs fail with a
    /// message.
    public var appEngineOrigin: String?

    /// Creates options; by default only HTTP targets are delivered.
    public init(pushEndpoints: [String: String] = [:], appEngineOrigin: String? = nil) {
      self.pushEndpoints = pushEndpoints
      self.appEngineOrigin = appEngineOrigin
    }
  }
}

/// Cloud Scheduler v1 as a pure state machine: requests and events in, deliveries out, time as an argument.
///
/// A driver calls a request method, or ``handle(_:at:)`` with an event, and performs the returned actions. It calls
/// `handle(.wake, at:)` after each request and when ``nextWake`` is reached. A job has one execution at a time: a
/// scheduled time that arrives during an execution is delayed until it ends, and of several such times the latest
/// counts.
///
/// Source: <https://cloud.google.com/scheduler/docs/reference/rest>.
package struct CloudSchedulerService: Sendable {
  /// Endpoints for targets other than HTTP.
  package let options: CloudScheduler.Options
  /// The time zones available to schedules.
  package let zones: ZoneCatalog
  var jobs: [CloudScheduler.JobName: ScheduledJobRecord] = [:]
  var names = SortedSet<CloudScheduler.JobName>()
  var generator: SplitMix64
  var wakes = WakeIndex<CloudScheduler.JobName>()
  var attempts: [UInt64: ScheduledAttempt] = [:]
  var deadlines = MinimumHeap<AttemptDeadline>()
  var lastDeliveryNumber: UInt64 = 0
  var lastSequence: UInt64 = 0
  private(set) var executing: Set<CloudScheduler.JobName> = []

  /// Creates a service without jobs.
  ///
  /// - Parameters:
  ///   - zones: the time zones available to schedules.
  ///   - options: endpoints for targets other than HTTP.
  ///   - seed: the seed for generated job names.
  package init(zones: ZoneCatalog = .utcOnly, options: CloudScheduler.Options = .init(), seed: UInt64 = 0) {
    self.zones = zones
    self.options = options
    generator = SplitMix64(seed: seed)
  }

  /// The next time at which the service has work to do without a new request; it may be in the past.
  package var nextWake: Timestamp? {
    guard let deadline = deadlines.first?.time else { return wakes.earliest }
    return min(deadline, wakes.earliest ?? deadline)
  }

  /// Processes an event and everything that is due.
  ///
  /// - Parameters:
  ///   - event: the event.
  ///   - now: the current time, never earlier than in a previous call.
  ///   - startsDue: whether what is due starts; false only while the clock is frozen.
  /// - Returns: the deliveries to make and the results of attempts, in order.
  package mutating func handle(
    _ event: ServiceEvent, at now: Timestamp, startsDue: Bool = true
  ) -> [ServiceAction] {
    var actions: [ServiceAction] = []
    if case .completed(let id, let outcome) = event, id.service == .scheduler {
      finish(id.number, outcome, at: now, into: &actions)
    }
    if case .resumed = event { resume(at: now, into: &actions) }
    while let entry = deadlines.first, entry.time <= now {
      deadlines.removeFirst()
      finish(entry.number, .timedOut, at: now, into: &actions)
    }
    while startsDue, let name = wakes.removeDue(at: now) {
      advance(name, at: now, into: &actions)
      touch(name)
    }
    return actions
  }

  /// Returns whether no delivery is in flight, due or waiting for a retry; the next scheduled time does not count.
  package func isIdle(at now: Timestamp) -> Bool {
    attempts.isEmpty && executing.isEmpty && (wakes.earliest.map { $0 > now } ?? true)
  }

  /// The locations that contain jobs.
  package var locations: [LocationName] { Array(Set(jobs.keys.map(\.location))) }

  /// The number of attempts in flight.
  package var inFlightCount: Int { attempts.count }

  /// Updates the wake-up time of a job after a request has changed it.
  mutating func touch(_ name: CloudScheduler.JobName) {
    let record = jobs[name]
    wakes.set(name, to: record?.nextWake)
    if record?.execution == nil { executing.remove(name) } else { executing.insert(name) }
  }

  /// Returns a number that no other job has.
  mutating func nextSequence() -> UInt64 {
    lastSequence += 1
    return lastSequence
  }

  private mutating func advance(
    _ name: CloudScheduler.JobName, at now: Timestamp, into actions: inout [ServiceAction]
  ) {
    guard var record = jobs[name] else { return }
    for request in record.runRequests {
      var execution = ScheduledExecution(cause: "a request to run the job now", scheduledFor: request, startedAt: now)
      if record.execution == nil {
        execution.attemptAt = now
        record.execution = execution
      } else {
        execution.attempts = 1
        launch(&record, execution, isExecution: false, at: now, into: &actions)
      }
    }
    record.runRequests.removeAll()
    record.startDueExecution(at: now)
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
    lastDeliveryNumber += 1
    let job = record.job
    record.job.lastAttemptTime = now
    switch ScheduledRequest.make(
      for: job, scheduledFor: execution.scheduledFor, number: lastDeliveryNumber, options: options, at: now)
    {
    case .failure(let fault):
      record.job.status = RPCStatus(code: fault.code, message: fault.message)
      if isExecution { record.execution = nil }
      actions.append(
        .settled(
          Settlement(
            subject: job.name.text, attempt: execution.attempts, outcome: nil, verdict: .abandoned(fault.message))))
    case .success(let request):
      let deadline = now + job.attemptLimit
      attempts[lastDeliveryNumber] = ScheduledAttempt(
        name: job.name, sequence: record.sequence, isExecution: isExecution, number: execution.attempts,
        deadline: deadline)
      deadlines.insert(AttemptDeadline(time: deadline, number: lastDeliveryNumber))
      let reason =
        execution.attempts == 1 ? execution.cause : "retry \(execution.attempts - 1) of \(execution.scheduledFor)"
      actions.append(
        .deliver(
          DeliveryRequest(
            id: DeliveryID(.scheduler, lastDeliveryNumber), subject: job.name.text, attempt: execution.attempts,
            url: request.url, method: request.method, headers: request.headers, body: request.body,
            deadline: job.attemptLimit, scheduledFor: execution.scheduledFor, authorization: request.authorization,
            reason: reason)))
    }
  }

  private mutating func resume(at now: Timestamp, into actions: inout [ServiceAction]) {
    deadlines = MinimumHeap()
    for number in attempts.keys.sorted() {
      guard var attempt = attempts[number] else { continue }
      if let record = jobs[attempt.name], record.sequence == attempt.sequence {
        attempt.deadline = now + record.job.attemptLimit
        attempts[number] = attempt
        deadlines.insert(AttemptDeadline(time: attempt.deadline, number: number))
      } else {
        finish(number, .connectionFailed("the emulator was restarted"), at: now, into: &actions)
      }
    }
  }

  private mutating func finish(
    _ number: UInt64, _ outcome: DeliveryOutcome, at now: Timestamp, into actions: inout [ServiceAction]
  ) {
    guard let attempt = attempts.removeValue(forKey: number) else { return }
    while let entry = deadlines.first, attempts[entry.number] == nil { deadlines.removeFirst() }
    deadlines.compact(liveCount: attempts.count) { attempts[$0.number] != nil }
    var settlement = Settlement(
      id: DeliveryID(.scheduler, number), subject: attempt.name.text, attempt: attempt.number, outcome: outcome,
      verdict: .succeeded)
    if var record = jobs[attempt.name], record.sequence == attempt.sequence {
      settlement.verdict = record.conclude(attempt, outcome, at: now)
      jobs[attempt.name] = record
      touch(attempt.name)
    } else {
      settlement.verdict = .ignored("the job is gone")
    }
    actions.append(.settled(settlement))
  }

  private static var missing: ServiceFault { ServiceFault(.notFound, "Job not found.") }

  /// Creates an enabled job.
  ///
  /// - Parameters:
  ///   - draft: the job; an empty name is replaced by a generated one.
  ///   - parent: the location.
  ///   - now: the current time.
  /// - Returns: the job with its name.
  /// - Throws: ``ServiceFault`` `invalidArgument` or `alreadyExists`.
  package mutating func createJob(
    _ draft: CloudScheduler.JobDraft, in parent: LocationName, at now: Timestamp
  ) throws(ServiceFault) -> CloudScheduler.Job {
    var named: CloudScheduler.JobName?
    if !draft.name.isEmpty {
      let name = try CloudScheduler.JobName(draft.name)
      guard name.location == parent else {
        throw .invalidArgument("The location of Job.name must be the same as the parent '\(parent)'.")
      }
      named = name
    }
    let (schedule, target) = try check(draft, in: parent, at: now)
    if let named, jobs[named] != nil { throw ServiceFault(.alreadyExists, "Job \(named) already exists.") }
    let name = named ?? freshName(in: parent)
    let job = CloudScheduler.Job(
      name: name, description: draft.description, target: target, schedule: draft.schedule,
      timeZone: draft.timeZone.isEmpty ? "Etc/UTC" : draft.timeZone, state: .enabled, retryConfig: draft.retryConfig,
      attemptDeadline: draft.shownDeadline, userUpdateTime: Timestamp(seconds: now.seconds))
    let record = ScheduledJobRecord(
      job: job, schedule: schedule, sequence: nextSequence(), nextFireTime: schedule.next(after: now))
    jobs[name] = record
    names.insert(name)
    touch(name)
    return record.shown
  }

  /// Returns a job.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package func getJob(_ name: CloudScheduler.JobName) throws(ServiceFault) -> CloudScheduler.Job {
    guard let record = jobs[name] else { throw Self.missing }
    return record.shown
  }

  /// Returns a page of the jobs of a location, sorted by name, at most 500 per page.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for an invalid page request.
  package func listJobs(in parent: LocationName, page: PageRequest = .init()) throws(ServiceFault)
    -> ResourcePage<CloudScheduler.Job>
  {
    let limit = try page.limit(maximum: 500)
    let start = CloudScheduler.JobName(location: parent, uncheckedID: page.token)
    let found = names.elements(after: start, limit: limit + 1).prefix { $0.location == parent }
    let items = found.prefix(limit).compactMap { jobs[$0]?.shown }
    return ResourcePage(items: items, nextPageToken: found.count > limit ? found[limit - 1].id : "")
  }

  /// Updates a job; its state is kept and its schedule starts from now.
  ///
  /// - Parameters:
  ///   - draft: the new values under the job's name.
  ///   - mask: the fields to update; nil or empty for all.
  ///   - now: the current time.
  /// - Returns: the updated job.
  /// - Throws: ``ServiceFault`` `invalidArgument` or `notFound`.
  package mutating func updateJob(
    _ draft: CloudScheduler.JobDraft, mask: FieldMask? = nil, at now: Timestamp
  ) throws(ServiceFault) -> CloudScheduler.Job {
    let name = try CloudScheduler.JobName(draft.name)
    guard var record = jobs[name] else { throw Self.missing }
    var merged = CloudScheduler.JobDraft(record.job)
    try merged.merge(draft, mask: mask?.paths.isEmpty == true ? nil : mask)
    // The default of one kind of target is not what a client has set for another.
    if merged.attemptDeadline == record.job.target.defaultDeadline,
      merged.target?.defaultDeadline != record.job.target.defaultDeadline
    {
      merged.attemptDeadline = nil
    }
    let (schedule, target) = try check(merged, in: name.location, at: now)
    record.job.description = merged.description
    record.job.target = target
    record.job.schedule = merged.schedule
    record.job.timeZone = merged.timeZone.isEmpty ? "Etc/UTC" : merged.timeZone
    record.job.retryConfig = merged.retryConfig
    record.job.attemptDeadline = merged.shownDeadline
    record.job.userUpdateTime = Timestamp(seconds: now.seconds)
    record.schedule = schedule
    record.nextFireTime = schedule.next(after: now)
    jobs[name] = record
    touch(name)
    return record.shown
  }

  /// Deletes a job; an attempt in flight is not cancelled.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func deleteJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault) {
    guard jobs.removeValue(forKey: name) != nil else { throw Self.missing }
    names.remove(name)
    touch(name)
  }

  /// Pauses an enabled job: no further runs and no further retries.
  ///
  /// - Throws: ``ServiceFault`` `notFound`, or `failedPrecondition` if the job is not enabled.
  package mutating func pauseJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault)
    -> CloudScheduler.Job
  {
    try change(name, from: .enabled, verb: "paused") { record in
      record.job.state = .paused
      if record.execution?.attemptAt != nil { record.execution = nil }
    }
  }

  /// Resumes a paused job; its schedule starts from now.
  ///
  /// - Throws: ``ServiceFault`` `notFound`, or `failedPrecondition` if the job is not paused.
  package mutating func resumeJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault)
    -> CloudScheduler.Job
  {
    try change(name, from: .paused, verb: "resumed") { record in
      record.job.state = .enabled
      record.nextFireTime = record.schedule.next(after: now)
    }
  }

  /// Runs a job at once, even while it is paused.
  ///
  /// During an execution, one attempt is made in addition to it.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func runJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault)
    -> CloudScheduler.Job
  {
    guard var record = jobs[name] else { throw Self.missing }
    record.runRequests.append(now)
    jobs[name] = record
    touch(name)
    return record.shown
  }

  /// Returns why a job is waiting.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package func waitReason(of name: CloudScheduler.JobName) throws(ServiceFault) -> CloudScheduler.WaitReason {
    guard let record = jobs[name] else { throw Self.missing }
    return record.waitReason
  }

  private func check(
    _ draft: CloudScheduler.JobDraft, in location: LocationName, at now: Timestamp
  ) throws(ServiceFault) -> (Schedule, CloudScheduler.Target) {
    try draft.validate()
    guard let target = draft.target else {
      throw .invalidArgument("One of httpTarget, pubsubTarget and appEngineHttpTarget is required.")
    }
    let stored = try target.stored(in: location)
    return (try draft.parsedSchedule(zones: zones, at: now), stored)
  }

  private mutating func change(
    _ name: CloudScheduler.JobName, from state: CloudScheduler.Job.State, verb: String,
    _ body: (inout ScheduledJobRecord) -> Void
  ) throws(ServiceFault) -> CloudScheduler.Job {
    guard var record = jobs[name] else { throw Self.missing }
    guard record.job.state == state else {
      throw ServiceFault(
        .failedPrecondition, "Only a job in the state \(state.name) can be \(verb); it is \(record.job.state.name).")
    }
    body(&record)
    jobs[name] = record
    touch(name)
    return record.shown
  }

  private mutating func freshName(in parent: LocationName) -> CloudScheduler.JobName {
    while true {
      let name = CloudScheduler.JobName(location: parent, uncheckedID: generator.decimalID())
      if jobs[name] == nil { return name }
    }
  }

  /// One entity of the service in a snapshot.
  ///
  /// Case names and labels are members of the snapshot's JSON; renamed ones keep their original name as a coding key.
  enum Entity: Codable, Sendable {
    private enum CodingKeys: String, CodingKey {
      case counters, job, attempt = "flight"
    }

    private enum CountersCodingKeys: String, CodingKey {
      case generator, lastDeliveryNumber = "lastDispatch", lastSequence
    }

    private enum JobCodingKeys: String, CodingKey {
      case job, sequence, nextFireTime = "nextSlot", execution, runRequests
    }

    case counters(generator: SplitMix64, lastDeliveryNumber: UInt64, lastSequence: UInt64)
    case job(
      job: CloudScheduler.Job, sequence: UInt64, nextFireTime: Timestamp?, execution: ScheduledExecution?,
      runRequests: [Timestamp])
    case attempt(number: UInt64, attempt: ScheduledAttempt)
  }

  /// All entities.
  var entities: [Entity] {
    var entities = [
      Entity.counters(generator: generator, lastDeliveryNumber: lastDeliveryNumber, lastSequence: lastSequence)
    ]
    for name in names.elements(after: nil, limit: .max) {
      guard let record = jobs[name] else { continue }
      entities.append(
        .job(
          job: record.job, sequence: record.sequence, nextFireTime: record.nextFireTime, execution: record.execution,
          runRequests: record.runRequests))
    }
    return entities + attempts.sorted { $0.key < $1.key }.map { .attempt(number: $0.key, attempt: $0.value) }
  }

  /// Restores one entity into a service with the same options.
  ///
  /// - Throws: ``ServiceFault`` if a job's time zone is no longer known.
  mutating func restore(_ entity: Entity) throws(ServiceFault) {
    switch entity {
    case .counters(let generator, let lastDeliveryNumber, let lastSequence):
      self.generator = generator
      self.lastDeliveryNumber = lastDeliveryNumber
      self.lastSequence = lastSequence
    case .job(let job, let sequence, let nextFireTime, let execution, let runRequests):
      // An interval schedule starts from the last creation or update of the job.
      let schedule = try CloudScheduler.JobDraft(job).parsedSchedule(zones: zones, at: job.userUpdateTime)
      jobs[job.name] = ScheduledJobRecord(
        job: job, schedule: schedule, sequence: sequence, nextFireTime: nextFireTime, execution: execution,
        runRequests: runRequests)
      names.insert(job.name)
      touch(job.name)
    case .attempt(let number, let attempt):
      attempts[number] = attempt
      deadlines.insert(AttemptDeadline(time: attempt.deadline, number: number))
    }
  }
}
