import CloudJobsCore

extension CloudSchedulerService {
  /// A part of the service that a snapshot keeps.
  enum Entity: Codable, Sendable {
    case counters(generator: SplitMix64, lastDispatch: UInt64, lastSequence: UInt64)
    case job(
      job: CloudScheduler.Job, sequence: UInt64, nextSlot: Timestamp?, execution: ScheduledExecution?,
      runRequests: [Timestamp])
    case flight(number: UInt64, attempt: ScheduledFlight)
  }

  /// All parts.
  var entities: [Entity] {
    var entities = [Entity.counters(generator: generator, lastDispatch: lastDispatch, lastSequence: lastSequence)]
    for name in names.elements(after: nil, limit: .max) {
      guard let record = jobs[name] else { continue }
      entities.append(
        .job(
          job: record.job, sequence: record.sequence, nextSlot: record.nextSlot, execution: record.execution,
          runRequests: record.runRequests))
    }
    return entities + flights.sorted { $0.key < $1.key }.map { .flight(number: $0.key, attempt: $0.value) }
  }

  /// Puts a part back into a service that began with the same options.
  ///
  /// - Throws: ``ServiceFault`` where a job's time zone is no longer known.
  mutating func restore(_ entity: Entity) throws(ServiceFault) {
    switch entity {
    case .counters(let generator, let lastDispatch, let lastSequence):
      self.generator = generator
      self.lastDispatch = lastDispatch
      self.lastSequence = lastSequence
    case .job(let job, let sequence, let nextSlot, let execution, let runRequests):
      // A schedule with an interval counts from when the job was last created or updated.
      let schedule = try CloudScheduler.JobDraft(job).parsedSchedule(zones: zones, at: job.userUpdateTime)
      jobs[job.name] = ScheduledJobRecord(
        job: job, schedule: schedule, sequence: sequence, nextSlot: nextSlot, execution: execution,
        runRequests: runRequests)
      names.insert(job.name)
      touch(job.name)
    case .flight(let number, let flight):
      flights[number] = flight
      deadlines.insert(FlightDeadline(time: flight.deadline, number: number))
    }
  }
}
