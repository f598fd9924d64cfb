public import CloudJobsCore

extension CloudSchedulerService {
  private static var missing: ServiceFault { ServiceFault(.notFound, "Job not found.") }

  /// Creates a job, which is enabled.
  ///
  /// - Parameters:
  ///   - draft: the job; without a name the service chooses one.
  ///   - parent: the location.
  ///   - now: the time.
  /// - Returns: the job with its name.
  /// - Throws: ``ServiceFault`` `invalidArgument` or `alreadyExists`.
  public mutating func createJob(
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
    let (schedule, target) = try check(draft, at: now)
    if let named, jobs[named] != nil { throw ServiceFault(.alreadyExists, "Job \(named) already exists.") }
    let name = named ?? freshName(in: parent)
    let job = CloudScheduler.Job(
      name: name, description: draft.description, target: target, schedule: draft.schedule,
      timeZone: draft.timeZone.isEmpty ? "Etc/UTC" : draft.timeZone, state: .enabled, retryConfig: draft.retryConfig,
      attemptDeadline: draft.attemptDeadline.flatMap { $0 == .zero ? nil : $0 } ?? .minutes(3), userUpdateTime: now)
    let record = ScheduledJobRecord(
      job: job, schedule: schedule, sequence: nextSequence(), nextSlot: schedule.next(after: now))
    jobs[name] = record
    names.insert(name)
    touch(name)
    return record.shown
  }

  /// A job.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public func getJob(_ name: CloudScheduler.JobName) throws(ServiceFault) -> CloudScheduler.Job {
    guard let record = jobs[name] else { throw Self.missing }
    return record.shown
  }

  /// The jobs of a location by name, at most 500 a page.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for a page that can't be.
  public func listJobs(in parent: LocationName, page: PageRequest = .init()) throws(ServiceFault)
    -> ResourcePage<CloudScheduler.Job>
  {
    let limit = try page.limit(maximum: 500)
    let start = CloudScheduler.JobName(location: parent, uncheckedID: page.token)
    let found = names.elements(after: start, limit: limit + 1).prefix { $0.location == parent }
    let items = found.prefix(limit).compactMap { jobs[$0]?.shown }
    return ResourcePage(items: items, nextPageToken: found.count > limit ? found[limit - 1].id : "")
  }

  /// Changes a job; its state stays, and its schedule counts from now.
  ///
  /// - Parameters:
  ///   - draft: the new values under the job's name.
  ///   - mask: which of them to take; nil or empty takes all.
  ///   - now: the time.
  /// - Returns: the job as it is now.
  /// - Throws: ``ServiceFault`` `invalidArgument` or `notFound`.
  public mutating func updateJob(
    _ draft: CloudScheduler.JobDraft, mask: FieldMask? = nil, at now: Timestamp
  ) throws(ServiceFault) -> CloudScheduler.Job {
    let name = try CloudScheduler.JobName(draft.name)
    guard var record = jobs[name] else { throw Self.missing }
    var merged = CloudScheduler.JobDraft(record.job)
    try merged.merge(draft, mask: mask?.paths.isEmpty == true ? nil : mask)
    let (schedule, target) = try check(merged, at: now)
    record.job.description = merged.description
    record.job.target = target
    record.job.schedule = merged.schedule
    record.job.timeZone = merged.timeZone.isEmpty ? "Etc/UTC" : merged.timeZone
    record.job.retryConfig = merged.retryConfig
    record.job.attemptDeadline = merged.attemptDeadline.flatMap { $0 == .zero ? nil : $0 } ?? .minutes(3)
    record.job.userUpdateTime = now
    record.schedule = schedule
    record.nextSlot = schedule.next(after: now)
    jobs[name] = record
    touch(name)
    return record.shown
  }

  /// Deletes a job; an attempt in flight is not called back.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func deleteJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault) {
    guard jobs.removeValue(forKey: name) != nil else { throw Self.missing }
    names.remove(name)
    touch(name)
  }

  /// Pauses an enabled job: no more firings and no more retries.
  ///
  /// - Throws: ``ServiceFault`` `notFound`, or `failedPrecondition` where the job is not enabled.
  public mutating func pauseJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault)
    -> CloudScheduler.Job
  {
    try change(name, from: .enabled, verb: "paused") { record in
      record.job.state = .paused
      if record.execution?.attemptAt != nil { record.execution = nil }
    }
  }

  /// Resumes a paused job: its schedule counts from now.
  ///
  /// - Throws: ``ServiceFault`` `notFound`, or `failedPrecondition` where the job is not paused.
  public mutating func resumeJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault)
    -> CloudScheduler.Job
  {
    try change(name, from: .paused, verb: "resumed") { record in
      record.job.state = .enabled
      record.nextSlot = record.schedule.next(after: now)
    }
  }

  /// Has a job executed at once, even while it is paused.
  ///
  /// While an execution goes on, one attempt is made beside it.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func runJob(_ name: CloudScheduler.JobName, at now: Timestamp) throws(ServiceFault)
    -> CloudScheduler.Job
  {
    guard var record = jobs[name] else { throw Self.missing }
    record.runRequests.append(now)
    jobs[name] = record
    touch(name)
    return record.shown
  }

  /// Why a job is not executed now.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public func waitReason(of name: CloudScheduler.JobName) throws(ServiceFault) -> CloudScheduler.WaitReason {
    guard let record = jobs[name] else { throw Self.missing }
    return record.waitReason
  }

  private func check(
    _ draft: CloudScheduler.JobDraft, at now: Timestamp
  ) throws(ServiceFault) -> (Schedule, CloudScheduler.Target) {
    try draft.validate()
    let schedule = try draft.parsedSchedule(zones: zones, at: now)
    guard let target = draft.target else { throw .invalidArgument("A target is required.") }
    return (schedule, target)
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
}
