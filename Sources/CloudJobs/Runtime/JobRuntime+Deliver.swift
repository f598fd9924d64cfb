public import CloudJobsCore
import Logging

extension JobRuntime {
  /// How often a lost race is decided anew before the caller is asked to come again.
  static let maximumRaces = 5

  /// Deals with one delivery: decides, executes where it must, commits, and hands on what follows.
  ///
  /// - Parameter delivery: the delivery; one that names no occurrence asks for a new run.
  /// - Returns: what became of it. It does not throw: what can't be served is a `rejected` handling.
  public func deliver(_ delivery: Delivery) async -> Handling {
    switch active.enter(limit: options.maxConcurrentDeliveries) {
    case .draining:
      return Handling(rejected: .shuttingDown, job: delivery.job)
    case .full:
      return Handling(
        rejected: JobError(.overloaded, "This instance executes as many deliveries as it may. Slow down."),
        job: delivery.job)
    case .admitted:
      defer { active.leave() }
      return await dispatch(delivery)
    }
  }

  private func dispatch(_ delivery: Delivery) async -> Handling {
    if let transport = delivery.transport {
      options.logger.debug(
        "A delivery came.", metadata: transport.metadata.merging(["jobId": "\(delivery.job)"]) { $1 })
    }
    guard let registered = registry.jobs[delivery.job] else {
      return Handling(
        rejected: JobError(
          .unknownJob, "No job is registered as \(delivery.job). Register it, or correct the name.", field: "jobId"),
        job: delivery.job)
    }
    if delivery.isDirect, let error = registered.fault(in: delivery.payload) {
      return Handling(rejected: error, job: delivery.job)
    }
    var delivery = delivery
    if delivery.run == nil, delivery.occurrence == nil { delivery.occurrence = .key(options.random.token()) }
    let runID = delivery.run ?? RunID(job: delivery.job, occurrence: delivery.occurrence ?? .key(""))
    do throws(StoreError) {
      for _ in 0..<Self.maximumRaces {
        if let handling = try await decide(delivery, runID: runID, registered: registered) { return handling }
      }
      return Handling(.busy, reason: "Others change this run all the time. Deliver again later.")
    } catch {
      return Handling(rejected: JobError(error), job: delivery.job)
    }
  }

  /// Reads, plans and performs; nil where somebody else was faster and everything is to be read again.
  private func decide(
    _ delivery: Delivery, runID: RunID, registered: RegisteredJob
  ) async throws(StoreError) -> Handling? {
    let situation: Situation
    do throws(SituationFault) {
      situation = try await look(at: delivery, runID: runID, registered: registered)
    } catch {
      switch error {
      case .store(let error): throw error
      case .rejected(let error): return Handling(rejected: error, job: delivery.job)
      }
    }
    let input = situation.input
    switch plan(input) {
    case .reject(let error): return Handling(rejected: error, job: delivery.job)
    case .busy(let until): return Handling(.busy, run: input.run, retryAt: until)
    case .early(let until): return Handling(.early, run: input.run, retryAt: until)
    case .stage(let run):
      // Whoever else owns the retries keeps the delivery for the run's time.
      guard queue.retryOwner == .runtime else { return Handling(.early, run: input.run, retryAt: run.notBefore) }
      guard try await save(run, situation) else { return nil }
      return await handOn(run, input.job.policy) ?? Handling(.waiting, run: run, retryAt: run.notBefore)
    case .schedule(let run):
      guard queue.retryOwner != .caller else { return Handling(rejected: Self.noQueue, job: delivery.job) }
      guard try await save(run, situation) else { return nil }
      // The run is recorded: what the queue refuses, the sweep enqueues again.
      _ = await handOn(run, input.job.policy)
      return Handling(.scheduled, run: run, retryAt: run.notBefore)
    case .duplicate(let run): return await answerDuplicate(run, situation)
    case .skip(let skip, let cancelled): return try await performSkip(skip, cancelled, situation)
    case .wait(let run):
      guard try await save(run, situation) else { return nil }
      events.emit(JobEvent(.snoozed, job: run.job, run: run, time: clock.now()))
      return await handOn(run, situation.input.job.policy) ?? Handling(.waiting, run: run, reason: run.reason)
    case .bury(let run):
      guard try await save(run, situation, conclusion: .dead(run.failure ?? .lost, reason: "")) else { return nil }
      events.emit(JobEvent(.failed, job: run.job, run: run, time: clock.now()))
      return Handling(.dead, run: run, reason: run.failure?.message)
    case .run(let run):
      if active.isClosed { return Handling(rejected: .shuttingDown, job: delivery.job) }
      guard let claimed = try await claim(run, situation) else { return nil }
      return await execute(claimed, job: input.job, registered: registered, state: situation.state)
    }
  }

  /// Answers a repetition, and hands the next attempt to the queue once more in case the first time was lost.
  private func answerDuplicate(_ run: Run, _ situation: Situation) async -> Handling {
    events.emit(JobEvent(.duplicate, job: run.job, run: run, time: clock.now()))
    if run.status == .scheduled || run.status == .pending, let failure = await handOn(run, situation.input.job.policy) {
      return failure
    }
    return Handling(.duplicate, run: run, reason: "The run is \(run.status.rawValue).")
  }

  private func performSkip(
    _ skip: Skip, _ cancelled: Run?, _ situation: Situation
  ) async throws(StoreError) -> Handling? {
    let job = situation.input.job
    var writes = [Write]()
    if job.kind != .endpoint, situation.state.status != skip.status {
      var patch = JobStatePatch()
      patch.set(status: skip.status)
      writes.append(.patchState(job.id, patch, .none))
    }
    if let cancelled {
      writes.append(.putRun(cancelled, situation.runPrecondition))
      guard try await commit(writes, making: cancelled) != nil else { return nil }
    } else if !writes.isEmpty {
      _ = try await access.commit(writes)
    }
    events.emit(JobEvent(.skipped, job: job.id, run: cancelled, time: clock.now(), reason: skip.reason))
    var handling = Handling(.skipped, run: cancelled, reason: skip.reason)
    handling.job = job.id
    return handling
  }

  /// Commits a changed run under the version that was read; false where somebody else was faster.
  private func save(
    _ run: Run, _ situation: Situation, conclusion: Conclusion? = nil
  ) async throws(StoreError) -> Bool {
    var writes: [Write] = [.putRun(run, situation.runPrecondition)]
    let kind = situation.input.job.kind
    if let conclusion,
      let patch = situation.state.patch(after: conclusion, run: run, kind: kind, duration: .zero)
    {
      writes.append(.patchState(run.job, patch, .none))
    }
    return try await commit(writes, making: run) != nil
  }

  /// Takes the lease; nil where somebody else was faster, or where it is not known who has it.
  private func claim(_ run: Run, _ situation: Situation) async throws(StoreError) -> ClaimedRun? {
    var writes: [Write] = [.putRun(run, situation.runPrecondition)]
    let job = situation.input.job
    if job.kind != .endpoint || job.overlap != .allow, run.attempt == 1 {
      var patch = JobStatePatch()
      patch.set(lastRun: situation.input.now)
      patch.set(lastRunID: run.id)
      writes.append(.patchState(run.job, patch, situation.jobPrecondition))
    }
    return try await claim(run, writes, estimate: situation.input.now, job: job)
  }

  /// Commits a claim, and has the instance know of the lease from before that on: a process that ends meanwhile can
  /// give it back.
  ///
  /// - Parameters:
  ///   - run: the run as claimed.
  ///   - writes: the changes, the run's own among them.
  ///   - estimate: the store's time as far as it is known.
  ///   - job: the run's job.
  /// - Returns: the claim, which ``execute(_:job:registered:state:)`` ends; nil where somebody else was faster.
  /// - Throws: what ``commit(_:making:)`` throws.
  func claim(
    _ run: Run, _ writes: [Write], estimate: Timestamp, job: ResolvedJob
  ) async throws(StoreError) -> ClaimedRun? {
    var claimed = ClaimedRun(run: run, time: estimate, local: clock.now())
    guard let place = active.begin(ActiveRuns.Attempt(claimed: claimed, job: job)) else { return nil }
    do throws(StoreError) {
      guard let time = try await commit(writes, making: run) else {
        active.end(place)
        return nil
      }
      (claimed.time, claimed.local, claimed.place) = (time, clock.now(), place)
      return claimed
    } catch {
      active.end(place)
      throw error
    }
  }

  /// Commits a run's new state with what belongs to it.
  ///
  /// Where the answer is lost, what the store holds says whether the commit took place; nothing is tried again blindly,
  /// as the preconditions still guard each try.
  ///
  /// - Parameters:
  ///   - writes: the changes, the run's own among them.
  ///   - run: the run as it is after them.
  /// - Returns: the time of the commit; nil where a precondition did not hold, so that all is to be decided anew.
  /// - Throws: ``StoreError`` `unavailable`, or `unknownOutcome` where it could not be found out.
  func commit(_ writes: [Write], making run: Run) async throws(StoreError) -> Timestamp? {
    var lost: StoreError?
    for _ in 0..<Self.maximumRaces {
      var isConflict = false
      do throws(StoreError) {
        return try await access.commit(writes)
      } catch {
        // After a lost answer, it may be our own earlier try that has made the precondition false.
        isConflict = error.code == .conflict
        if isConflict, lost == nil { return nil }
        guard isConflict || error.code == .unknownOutcome else { throw error }
        if !isConflict { lost = error }
      }
      let reading = try await access.persistently { () async throws(StoreError) in
        try await access.read(jobs: [], runs: [run.id])
      }
      if case .success(let stored)? = reading.runs[run.id]?.run, stored.isInSameState(as: run) { return reading.time }
      if isConflict { return nil }
    }
    throw lost ?? StoreError(.unknownOutcome, "The answer to the commit was lost.")
  }
}

extension DeliveryTransport {
  /// The facts as a log line carries them.
  fileprivate var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = [:]
    if let queueName { metadata["queue"] = "\(queueName)" }
    if let taskName { metadata["task"] = "\(taskName)" }
    if let retryCount { metadata["retryCount"] = "\(retryCount)" }
    if let executionCount { metadata["executionCount"] = "\(executionCount)" }
    if let schedulerJobName { metadata["schedulerJob"] = "\(schedulerJobName)" }
    return metadata
  }
}

extension Delivery {
  /// Whether a person or a program asks for the job itself, and can correct what it sends.
  ///
  /// What a queue or a scheduler delivers is recorded and dead-lettered instead, as a refusal would be repeated.
  fileprivate var isDirect: Bool { trigger == .manual && run == nil && (attempt ?? 1) == 1 }
}

extension Run {
  /// Whether two readings of a run show the same step of its life.
  func isInSameState(as other: Run) -> Bool {
    (id, status, attempt, fence, handoffs) == (other.id, other.status, other.attempt, other.fence, other.handoffs)
      && lease == other.lease
  }
}

/// A run whose lease this instance holds, with the time of the claim by the store's clock and by its own.
struct ClaimedRun: Sendable {
  var run: Run
  var time: Timestamp
  var local: Timestamp
  /// Its place among the attempts of this instance.
  var place = 0
}

extension RunFailure {
  static let lost = RunFailure(kind: "leaseLost", message: "The attempt did not come back before its lease ended.")
}
