import CloudJobsCore

/// Everything that was read for a delivery, as of one time.
struct DeliverySnapshot: Sendable {
  var input: PlanInput
  /// The stored runs that must end before the delivered one starts.
  var prerequisites: [RunID: RunRecord]
  var state: JobState
  var runPrecondition: Precondition
  var jobPrecondition: Precondition
}

extension DeliverySnapshot {
  /// The reason why there is no snapshot.
  enum Failure: Error {
    case store(StoreError)
    case invalidDocument(JobError)
  }

  /// Reads the job, the run, the dependencies and the ledgers of limits in one call, and the job's latest other run in
  /// a second one if overlap matters.
  ///
  /// - Parameters:
  ///   - delivery: the delivery.
  ///   - runID: the id of the run that it asks for.
  ///   - definition: the definition of its job.
  ///   - services: the runtime's services.
  /// - Returns: the snapshot.
  /// - Throws: ``Failure``.
  static func load(
    for delivery: Delivery, runID: RunID, _ definition: JobDefinition, _ services: RuntimeServices
  ) async throws(Failure) -> DeliverySnapshot {
    var reading = try await read(
      jobs: [delivery.job] + definition.policy.dependencies, runs: [runID],
      ledgers: services.expectedLimits(of: definition).map(\.ledger), services)
    let record = reading.jobs[delivery.job]
    let (job, state): (ResolvedJob, JobState)
    var run: Run?
    do throws(JobError) {
      let document = try record?.document.get()
      job = try services.resolve(definition, document?.configuration)
      state = document?.state ?? JobState()
      run = try reading.runs[runID]?.run.get()
    } catch {
      throw .invalidDocument(
        JobError(
          .internalError,
          "The stored document of job \(delivery.job) or of its run is invalid: \(error.message) "
            + "Fix the document in the store.",
          field: error.field))
    }
    let missing = job.policy.dependencies.filter {
      reading.jobs[$0] == nil && !definition.policy.dependencies.contains($0)
    }
    let latest = job.overlap == .allow || state.lastRunID == runID ? nil : state.lastRunID
    var previous: Run?
    let prerequisites = run.map { $0.attempt == 0 ? $0.prerequisites : [] } ?? []
    var prerequisiteRecords: [RunID: RunRecord] = [:]
    if !missing.isEmpty || latest != nil || !prerequisites.isEmpty {
      let more = try await read(jobs: missing, runs: (latest.map { [$0] } ?? []) + prerequisites, ledgers: [], services)
      for id in prerequisites { prerequisiteRecords[id] = more.runs[id] }
      reading.jobs.merge(more.jobs) { first, _ in first }
      previous = latest.flatMap { more.runs[$0] }.flatMap { try? $0.run.get() }
    }
    var input = PlanInput(
      delivery: delivery, runID: runID, job: job, run: run, previous: previous,
      dependencies: reading.statuses(of: job.policy.dependencies), breakerOpenUntil: state.breakerOpenUntil,
      refusal: reading.refusal(of: runID, job.limits), now: reading.time, settings: services.settings)
    input.prerequisites = prerequisiteRecords.compactMapValues { (try? $0.run.get())?.status }
    return DeliverySnapshot(
      input: input, prerequisites: prerequisiteRecords, state: state,
      runPrecondition: reading.runs[runID].map { .version($0.version) } ?? .absent,
      jobPrecondition: record.map { .version($0.version) } ?? .absent)
  }

  /// Creates the snapshot of a run that has come due; nil if its plan depends on more than the run and its job.
  ///
  /// The accounts of its limits are not known: the store may refuse its claim.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - version: its version.
  ///   - definition: the definition of its job.
  ///   - reading: a reading of the documents of some jobs, its own among them.
  ///   - services: the runtime's services.
  ///   - now: the store's time.
  init?(
    ofWaiting run: Run, _ version: Version, _ definition: JobDefinition, _ reading: StoreReading,
    _ services: RuntimeServices, at now: Timestamp
  ) {
    let record = reading.jobs[run.job]
    let document = try? record?.document.get()
    guard record == nil || document != nil, let job = try? services.resolve(definition, document?.configuration) else {
      return nil
    }
    let state = document?.state ?? JobState()
    guard job.policy.dependencies.isEmpty, job.overlap == .allow || state.lastRunID == run.id,
      run.attempt > 0 || run.prerequisites.isEmpty
    else { return nil }
    self.init(
      input: PlanInput(
        delivery: run.nextDelivery, runID: run.id, job: job, run: run, previous: nil, dependencies: [:],
        breakerOpenUntil: state.breakerOpenUntil, refusal: nil, now: now, settings: services.settings),
      prerequisites: [:], state: state, runPrecondition: .version(version),
      jobPrecondition: record.map { .version($0.version) } ?? .absent)
  }

  /// Returns the writes that claim the run under the versions that were read.
  func writes(claiming run: Run) -> [Write] {
    var writes: [Write] = [.putRun(run, runPrecondition)]
    let (job, now) = (input.job, input.now)
    var patch = JobStatePatch()
    if job.kind != .endpoint || job.overlap != .allow, run.attempt == 1 {
      patch.set(lastRun: now)
      patch.set(lastRunID: run.id)
    } else if job.overlap != .allow {
      // Of a repeated attempt and the next run, which are claimed at once, one is refused.
      patch.set(lastRunID: run.id)
    }
    state.claimProbe(job.policy.breaker, at: now, in: &patch)
    if !patch.fields.isEmpty { writes.append(.patchState(run.job, patch, jobPrecondition)) }
    return writes + run.permitClaims(job.limits)
  }

  private static func read(
    jobs: [JobID], runs: [RunID], ledgers: [LedgerID], _ services: RuntimeServices
  ) async throws(Failure) -> StoreReading {
    do throws(StoreError) {
      return try await services.client.read(jobs: jobs, runs: runs, ledgers: ledgers)
    } catch {
      throw .store(error)
    }
  }
}

extension StoreReading {
  /// Returns the statuses of runs, of those that exist.
  func statuses(of runs: [RunID]) -> [RunID: RunStatus] {
    var statuses = [RunID: RunStatus]()
    for id in runs { statuses[id] = (try? self.runs[id]?.run.get())?.status }
    return statuses
  }

  /// Returns the refusal of a permit by the ledgers as read, or nil: the claim is refused if that changes meanwhile.
  func refusal(of run: RunID, _ limits: [JobLimit]) -> LimitRefusal? {
    for limit in limits {
      guard let record = ledgers[limit.ledger], let ledger = record.ledger?.limits else { continue }
      let permit = LimitPermit(run, until: time, limit)
      if let refusal = ledger.refusal(of: permit, changedAt: record.changedAt, at: time) { return refusal }
    }
    return nil
  }

  /// Returns the status of each job's last occurrence, as far as its document tells.
  func statuses(of jobs: [JobID]) -> [JobID: JobStatus] {
    var statuses = [JobID: JobStatus]()
    for job in jobs { statuses[job] = try? self.jobs[job]?.document.get().state.status }
    return statuses
  }
}
