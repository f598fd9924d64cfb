import CloudJobsCore

/// Reads what an explanation depends on: a job's document, its decisions in the pass journal, its runs and limits.
struct ExplanationReader: Sendable {
  /// The number of decisions that are read before a time, and after it.
  static let decisionLimit = 200
  /// The number of further pages that are read for the plan that was in effect.
  static let planPageLimit = 20
  /// The number of runs that are searched for one that is under way, or was at a time.
  static let runLimit = 50

  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Explains a job at a time, or at present.
  ///
  /// - Throws: ``JobError`` `unknownJob` or `storeUnavailable`.
  func explain(_ id: JobID, at time: Timestamp?) async throws(JobError) -> Explanation {
    var input = try await input(for: id, at: time, isKnown: false)
    var ids = Set([input.state.lastRunID].compactMap { $0 })
    // The time itself may have been one, whatever the schedule says now.
    if let time { ids.insert(RunID(job: id, occurrence: .scheduledFor(time))) }
    input.runs = try await runs(ids)
    if let occurrence = input.occurrence?.time {
      input.runs.merge(try await runs([RunID(job: id, occurrence: .scheduledFor(occurrence))])) { $1 }
    }
    if time == nil {
      input.openRuns = try await latestRuns(RunFilter(job: id, statuses: [.pending, .scheduled, .running]))
    }
    if input.isRequested {
      input.earlierRuns = try await latestRuns(RunFilter(job: id, createdBefore: input.endOfSecond))
    }
    return CloudJobsCore.explain(try await completed(input))
  }

  /// Explains a run as it stands.
  ///
  /// - Throws: ``JobError`` `notFound`, `invalidField` if the stored run is invalid, or `storeUnavailable`.
  func explain(run id: RunID) async throws(JobError) -> Explanation {
    guard let run = try await RunManager(services).run(id) else { throw .noRun }
    var input = try await input(for: run.job, at: nil, around: run.scheduledFor, isKnown: true)
    input.runID = id
    input.runs = try await runs(Set([id] + [input.state.lastRunID].compactMap { $0 }))
    return CloudJobsCore.explain(try await completed(input))
  }

  // MARK: Reading

  private func input(
    for id: JobID, at time: Timestamp?, around other: Timestamp? = nil, isKnown: Bool
  ) async throws(JobError) -> ExplanationInput {
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [id], runs: [])
    }
    let (record, definition) = (reading.jobs[id], services.registry.jobs[id]?.definition)
    let decisions = try await decisions(about: id, around: time ?? other ?? reading.time)
    // The document of a job that was removed is gone, and its decisions or runs tell of it.
    if !isKnown, record == nil, definition == nil, decisions.isEmpty {
      try await JobInventory(services).require(id)
    }
    let job: Result<ResolvedJob, JobError>
    var state = JobState()
    do throws(JobError) {
      let document = try record?.document.get()
      state = document?.state ?? state
      let planned = state.plannedFor ?? decisions.last { $0.line.plan?.schedule != nil }?.line.plan?.schedule
      let known =
        definition
        ?? JobDefinition(id, standingInUnder: document?.configuration ?? JobConfiguration(), plannedFor: planned)
      job = .success(
        try ResolvedJob(known, configuration: document?.configuration, zones: services.registry.zones))
    } catch {
      job = .failure(error)
      state.quarantine = record?.quarantine ?? error.description
    }
    var settings = services.settings
    // A store that is paid by the query is no queue: its runs come by Cloud Tasks.
    if settings.retryOwner == .pass, !(services.store is any DueTimeStore) { settings.retryOwner = .runtime }
    var input = ExplanationInput(
      id, job: job, isRegistered: definition != nil, state: state, time: time, settings: settings,
      journalRetention: services.options.journalRetention, zones: services.registry.zones, now: reading.time)
    input.decisions = decisions
    return input
  }

  /// Adds what the job and the runs refer to: dependencies, limits, other runs, and workers.
  private func completed(_ input: ExplanationInput) async throws(JobError) -> ExplanationInput {
    var input = input
    let others = input.runs.values.flatMap { run in
      run.prerequisites + [run.parent].compactMap { $0 } + (run.status.isTerminal ? [run.redriveID] : [])
    }
    input.runs.merge(try await runs(Set(others))) { $1 }
    if let job = input.resolved {
      let (dependencies, limits) = (job.policy.dependencies, job.limits)
      let reading = try await services.read { () async throws(StoreError) in
        try await services.store.read(jobs: dependencies, runs: [], ledgers: limits.map(\.ledger))
      }
      input.dependencies = reading.statuses(of: dependencies)
      input.limits = limits.map { limit in
        let record = reading.ledgers[limit.ledger]
        var ledger = record?.ledger?.limits ?? LimitLedger()
        ledger.refresh(changedAt: record?.changedAt, at: reading.time)
        return ExplanationInput.LimitReading(limit: limit, ledger: ledger)
      }
    }
    if input.settings.retryOwner == .pass {
      input.workers = try await WorkerList(services).all().workers.count { $0.state == .running }
    }
    return input
  }

  private func latestRuns(_ filter: RunFilter) async throws(JobError) -> [Run] {
    try await RunManager(services).runs(filter, after: nil, limit: Self.runLimit).runs.map {
      $0.redacted(by: services.redaction)
    }
  }

  private func runs(_ ids: Set<RunID>) async throws(JobError) -> [RunID: Run] {
    if ids.isEmpty { return [:] }
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [], runs: Array(ids.sorted().prefix(StoreLimits.batch)))
    }
    return reading.runs.compactMapValues { (try? $0.run.get())?.redacted(by: services.redaction) }
  }

  /// Returns the decisions about a job before and after a time, oldest first.
  private func decisions(
    about job: JobID, around time: Timestamp
  ) async throws(JobError) -> [ExplanationInput.Decision] {
    let limit = Self.decisionLimit
    let entries = try await services.read { () async throws(StoreError) in
      var before = try await services.store.journal(
        matching: JournalFilter(job: job.rawValue, until: time), limit: limit)
      // The plan that was in effect may stand behind many skips.
      for _ in 0..<Self.planPageLimit {
        guard before.count.isMultiple(of: limit), let oldest = before.last?.time, !before.contains(where: \.hasPlan)
        else { break }
        before += try await services.store.journal(
          matching: JournalFilter(job: job.rawValue, until: oldest - .microseconds(1)), limit: limit)
      }
      let after = try await services.store.journal(
        matching: JournalFilter(job: job.rawValue, from: time + .microseconds(1), isAscending: true), limit: limit)
      return before.reversed() + after
    }
    return entries.flatMap { entry in
      // An operator's action decides nothing itself: the change of the plan that it made has a line of its own.
      entry.lines.filter { entry.actor == nil && $0.job == job.rawValue }.map { line in
        ExplanationInput.Decision(time: entry.time, owner: entry.owner, line: line)
      }
    }
  }
}

extension PassJournalEntry {
  /// Whether a line tells a plan.
  fileprivate var hasPlan: Bool { lines.contains { $0.plan?.schedule != nil } }
}

extension JobRuntime {
  /// Explains why a job ran, did not run, or will run at a time.
  ///
  /// Past times are explained by the runs and the pass journal, as far as they are kept
  /// (``RuntimeOptions/journalRetention``), future ones by evaluating the job as it stands.
  ///
  /// - Parameters:
  ///   - job: the id of the job; its code may be in another program.
  ///   - time: the time; nil for the present: the run under way, or else the latest time of the schedule.
  /// - Returns: the explanation.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob` or `storeUnavailable`.
  public func why(_ job: JobID, at time: Timestamp? = nil) async throws(JobError) -> Explanation {
    try await ExplanationReader(services).explain(job, at: time)
  }

  /// Explains why a run is in its state.
  ///
  /// - Parameter run: the id of the run.
  /// - Returns: the explanation.
  /// - Throws: ``/CloudJobsCore/JobError`` `notFound`, `invalidField` if the stored run is invalid, or
  ///   `storeUnavailable`.
  public func why(run: RunID) async throws(JobError) -> Explanation {
    try await ExplanationReader(services).explain(run: run)
  }
}
