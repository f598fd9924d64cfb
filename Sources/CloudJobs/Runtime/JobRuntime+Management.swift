public import CloudJobsCore

// MARK: - Runs

extension JobRuntime {
  /// Returns a run.
  ///
  /// - Parameter id: the id of the run.
  /// - Returns: the run; nil if there is none.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`, or `invalidField` if the stored run is invalid.
  public func run(withID id: RunID) async throws(JobError) -> Run? {
    try await RunManager(services).run(id)
  }

  /// Lists runs, latest first.
  ///
  /// - Parameters:
  ///   - filter: the runs to list, by job, status, time and correlation id.
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - limit: the maximum number of runs, clamped to 1 to 500.
  /// - Returns: a page of runs; those whose stored form is invalid are left out.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func runs(
    matching filter: RunFilter = RunFilter(), after cursor: StoreCursor? = nil, limit: Int = 100
  ) async throws(JobError) -> RunPage {
    try await RunManager(services).runs(filter, after: cursor, limit: limit)
  }

  /// Returns the log of a run, oldest line first.
  ///
  /// - Parameters:
  ///   - id: the id of the run.
  ///   - limit: the maximum number of lines.
  /// - Returns: the lines that its handler logged, of all attempts.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func log(ofRun id: RunID, limit: Int = 10_000) async throws(JobError) -> [RunLogLine] {
    try await RunManager(services).log(of: id, limit: max(1, limit))
  }

  /// Cancels a run.
  ///
  /// A waiting run never starts, and its task is removed from the queue. An attempt under way is asked to stop: its
  /// task is cancelled within ``RuntimeOptions/cancellationPoll``, in this instance at once, and the run ends as
  /// cancelled unless the handler succeeds all the same. A run that has ended stays as it is.
  ///
  /// - Parameters:
  ///   - id: the id of the run.
  ///   - reason: the reason, which is stored with the run.
  /// - Returns: the run after the call.
  /// - Throws: ``/CloudJobsCore/JobError`` `notFound`, `busy` or `storeUnavailable`.
  @discardableResult
  public func cancel(run id: RunID, because reason: String = "It was cancelled.") async throws(JobError) -> Run {
    try await RunManager(services).cancel(id, because: reason)
  }

  /// Executes the next attempt of a waiting run here and now, and waits for its end.
  ///
  /// A run that starts later starts now. One that waits for another run, for a limit or for the end of a pause goes on
  /// waiting.
  ///
  /// - Parameter id: the id of the run.
  /// - Returns: the result of the attempt; `duplicate` if the run has ended, `busy` if an attempt is under way.
  /// - Throws: ``/CloudJobsCore/JobError`` `notFound`, `busy` if other writers keep changing the run, or
  ///   `storeUnavailable`.
  @discardableResult
  public func execute(run id: RunID) async throws(JobError) -> DeliveryResult {
    await deliver(try await RunManager(services).startNow(id).nextDelivery)
  }

  /// Moves the next attempt of a waiting run to another time.
  ///
  /// - Parameters:
  ///   - id: the id of the run.
  ///   - time: the earliest start; a time in the past starts it at once.
  /// - Returns: the run after the call.
  /// - Throws: ``/CloudJobsCore/JobError`` `notFound`, `busy` if an attempt is under way, `invalidField` if the run has
  ///   ended, or `storeUnavailable`.
  @discardableResult
  public func reschedule(run id: RunID, to time: Timestamp) async throws(JobError) -> Run {
    try await RunManager(services).reschedule(id, to: time)
  }

  /// Repeats failed or cancelled runs as new runs, whose parents they are.
  ///
  /// A run is repeated once: a second call returns the same new run, with `isNew` false.
  ///
  /// - Parameter ids: the ids of the ended runs.
  /// - Returns: the new runs, in the order of the ids.
  /// - Throws: ``/CloudJobsCore/JobError`` `notFound`, `invalidField` if a run has succeeded or has not ended, `busy`
  ///   or `storeUnavailable`.
  @discardableResult
  public func redrive(runs ids: [RunID]) async throws(JobError) -> [EnqueuedRun] {
    try await RunManager(services).redrive(ids)
  }

  /// Repeats the dead letters that match a filter; otherwise like ``redrive(runs:)``.
  ///
  /// - Parameters:
  ///   - filter: the runs; its statuses are replaced by `failed`.
  ///   - limit: the maximum number of dead letters, latest first.
  /// - Returns: the new runs.
  /// - Throws: the errors of ``redrive(runs:)``.
  @discardableResult
  public func redriveDeadLetters(
    matching filter: RunFilter = RunFilter(), limit: Int = 10_000
  ) async throws(JobError) -> [EnqueuedRun] {
    if limit < 1 { return [] }
    var filter = filter
    filter.statuses = [.failed]
    var ids: [RunID] = []
    var cursor: StoreCursor?
    repeat {
      let page = try await runs(matching: filter, after: cursor, limit: min(StoreLimits.batch, limit - ids.count))
      ids += page.runs.map(\.id)
      cursor = page.next
    } while cursor != nil && ids.count < limit
    return try await redrive(runs: ids)
  }

  /// Deletes the records of ended runs before their retention is over.
  ///
  /// - Parameter filter: the runs; those that have not ended are never deleted.
  /// - Returns: the number of deleted runs.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  @discardableResult
  public func purge(runs filter: RunFilter) async throws(JobError) -> Int {
    try await RunManager(services).purge(filter)
  }
}

// MARK: - Jobs

extension JobRuntime {
  /// Changes a job's document at run time.
  ///
  /// The change is validated first: a schedule that can't be parsed or can never fire is refused, and the document
  /// stays as it was; so is any change to an invalid document. A new schedule takes effect at once; attempts under way
  /// are not affected.
  ///
  /// ```swift
  /// try await runtime.configure("cleanup") { $0.interval = .seconds(1_800) }
  /// ```
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - change: changes the configuration in the document; nil values fall back to the definition in code.
  /// - Returns: the configuration after the change.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob`, `invalidSchedule`, `invalidTimeZone`, `invalidField`, `busy`
  ///   or `storeUnavailable`.
  @discardableResult
  public func configure(
    _ job: JobID, _ change: (inout JobConfiguration) -> Void
  ) async throws(JobError) -> JobConfiguration {
    try await JobConfigurator(services).configure(job) { configuration in
      var changed = configuration
      change(&changed)
      return changed
    }
  }

  /// Enables or disables a job; otherwise like ``configure(_:_:)``.
  public func setEnabled(_ isEnabled: Bool, for job: JobID) async throws(JobError) {
    try await configure(job) { $0.enabled = isEnabled }
  }

  /// Sets the schedule of a job; otherwise like ``configure(_:_:)``.
  ///
  /// - Parameters:
  ///   - schedule: any form that code accepts: cron, an interval such as `30m`, or Cloud Scheduler's English; nil goes
  ///     back to the definition in code.
  ///   - job: the id of the job.
  /// - Throws: the errors of ``configure(_:_:)``.
  public func setSchedule(_ schedule: String?, for job: JobID) async throws(JobError) {
    try await configure(job) { configuration in
      configuration.cron = schedule
      configuration.interval = nil
    }
  }

  /// Pauses all registered jobs, until ``resumeAll()``: their occurrences are skipped, their runs are not executed.
  ///
  /// Each job's document gets `paused`; what its `enabled` says is kept. Attempts under way go on.
  ///
  /// - Throws: the errors of ``configure(_:_:)``; the jobs before the failed one are paused.
  public func pauseAll() async throws(JobError) {
    for definition in services.registry.definitions { try await configure(definition.id) { $0.paused = true } }
  }

  /// Ends the pause of all registered jobs.
  ///
  /// - Throws: the errors of ``configure(_:_:)``; the jobs before the failed one run again.
  public func resumeAll() async throws(JobError) {
    for definition in services.registry.definitions { try await configure(definition.id) { $0.paused = nil } }
  }

  /// Enqueues a run of any job now, past every gate but `enabled`.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - input: the input.
  ///   - key: the caller's name for the work.
  /// - Returns: the run.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``JobClient/enqueue(_:)`` does.
  @discardableResult
  public func trigger(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await trigger(EnqueueRequest(job, input, key: key))
  }

  /// Enqueues a requested run now, such as one with metadata; otherwise like ``trigger(_:_:key:)``.
  ///
  /// - Parameter request: the job, its input, its key, and the values that differ from the job's.
  /// - Returns: the run.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``JobClient/enqueue(_:)`` does.
  @discardableResult
  public func trigger(_ request: EnqueueRequest) async throws(JobError) -> EnqueuedRun {
    var request = request
    request.trigger = .manual
    return try await enqueue([request])[0]
  }

  /// Removes a job from this instance, and its document from the store.
  ///
  /// Deliveries of the job are answered `unknownJob` from now on. Other instances keep the job until they are replaced
  /// by a version without it.
  ///
  /// - Parameter job: the id of the job.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob`, or `storeUnavailable`: the job is removed from this instance,
  ///   and its document stays.
  public func unregister(_ job: JobID) async throws(JobError) {
    _ = try services.registry.definition(of: job)
    services.unregister(job)
    try await JobConfigurator(services).removeDocument(of: job)
  }
}

// MARK: - Reports

extension JobRuntime {
  /// Reports whether the runtime does its work: the last pass, overdue work, and problems of the store, its clock and
  /// its documents.
  ///
  /// The store is queried at most once in a few seconds, however often this is called.
  public func healthReport() async -> JobHealth {
    await HealthReporter(services).report()
  }

  /// Reports each registered job: its effective configuration, its state, and its health.
  ///
  /// - Returns: the reports, in the order of the ids.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func jobReports() async throws(JobError) -> [JobReport] {
    let definitions = services.registry.definitions
    var reports: [JobReport] = []
    for start in stride(from: 0, to: definitions.count, by: StoreLimits.batch) {
      let batch = Array(definitions.dropFirst(start).prefix(StoreLimits.batch))
      reports += try await self.reports(on: batch)
    }
    return reports
  }

  /// Reports a job.
  ///
  /// - Parameter job: the id of the job.
  /// - Returns: the report.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob` or `storeUnavailable`.
  public func report(on job: JobID) async throws(JobError) -> JobReport {
    try await reports(on: [try services.registry.definition(of: job)])[0]
  }

  private func reports(on definitions: [JobDefinition]) async throws(JobError) -> [JobReport] {
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: definitions.map(\.id), runs: [])
    }
    return definitions.map { definition in
      do throws(JobError) {
        let document = try reading.jobs[definition.id]?.document.get()
        let job = try services.resolve(definition, document?.configuration)
        return JobReport(job, state: document?.state ?? JobState(), at: reading.time)
      } catch {
        return JobReport(definition, fault: error)
      }
    }
  }

  /// Returns statistics of a job's latest runs.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - start: the earliest time of creation; nil for no limit.
  ///   - limit: the maximum number of runs, which are read from the store; at least 1.
  /// - Returns: the statistics.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob` or `storeUnavailable`.
  public func statistics(
    of job: JobID, since start: Timestamp? = nil, limit: Int = 1_000
  ) async throws(JobError) -> JobStatistics {
    let report = try await report(on: job)
    var runs: [Run] = []
    var cursor: StoreCursor?
    repeat {
      let filter = RunFilter(job: job, createdFrom: start)
      let page = try await self.runs(matching: filter, after: cursor, limit: min(StoreLimits.batch, limit - runs.count))
      runs += page.runs
      cursor = page.next
    } while cursor != nil && runs.count < limit
    var statistics = JobStatistics(of: runs)
    statistics.nextRun = report.state.nextRun
    statistics.isCut = cursor != nil
    return statistics
  }

  /// Returns the decisions that no run tells: skipped, missed, raced and quarantined occurrences, and changes of what
  /// is planned, each with its reason; and what operators did, in entries with an
  /// ``/CloudJobsCore/PassJournalEntry/actor``.
  ///
  /// ``why(_:at:)`` reads them for one job and one time.
  ///
  /// - Parameters:
  ///   - job: the job that at least one line of an entry is about; nil for any.
  ///   - time: the time of the latest entry; nil for now.
  ///   - limit: the maximum number of entries, clamped to 1 to 500.
  /// - Returns: the entries, latest first.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func passJournal(
    of job: JobID? = nil, until time: Timestamp? = nil, limit: Int = 100
  ) async throws(JobError) -> [PassJournalEntry] {
    try await services.read { () async throws(StoreError) in
      try await services.store.journal(matching: JournalFilter(job: job?.rawValue, until: time), limit: limit)
    }
  }
}
