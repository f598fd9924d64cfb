import CloudJobsCore
import Logging

/// Processes deliveries: loads a snapshot, plans, and performs the decision.
struct DeliveryProcessor: Sendable {
  private let services: RuntimeServices
  private let committer: RunCommitter
  private let enqueuer: NextAttemptEnqueuer
  private let executor: AttemptExecutor

  init(_ services: RuntimeServices) {
    self.services = services
    committer = RunCommitter(services)
    enqueuer = NextAttemptEnqueuer(services)
    executor = AttemptExecutor(services)
  }

  /// Processes a delivery: plans, runs the handler, commits the result, and enqueues the next attempt.
  ///
  /// - Parameter delivery: the delivery; one without an occurrence asks for a new run.
  /// - Returns: the result. An error is a result with the status `rejected`.
  func process(_ delivery: Delivery) async -> DeliveryResult {
    if let refusal = services.admitDelivery() { return DeliveryResult(rejected: refusal, job: delivery.job) }
    defer { services.active.leave() }
    return services.payloads.opened(await processAdmitted(delivery))
  }

  /// Executes a run that a worker has claimed, and that is admitted.
  func execute(_ claim: RunClaimer.Claim, onHandlerEnd: () -> Void) async {
    _ = await executor.execute(claim.claimed, claim.registered, state: claim.state, onHandlerEnd: onHandlerEnd)
  }

  /// Processes a delivery that is admitted; otherwise like ``process(_:)``.
  func processAdmitted(_ delivery: Delivery) async -> DeliveryResult {
    if let transport = delivery.transport {
      services.logger.debug(
        "Received a delivery.", metadata: transport.metadata.merging(["jobId": "\(delivery.job)"]) { $1 })
    }
    guard let registered = services.registry.jobs[delivery.job] else {
      return DeliveryResult(rejected: .unknownJob(delivery.job), job: delivery.job)
    }
    if delivery.isDirect, delivery.payload != nil, let error = registered.fault(in: delivery.payload) {
      return DeliveryResult(rejected: error, job: delivery.job)
    }
    var delivery = delivery
    if delivery.runID == nil, delivery.occurrence == nil {
      delivery.occurrence = .key(services.options.random.token())
    }
    let runID = delivery.runID ?? RunID(job: delivery.job, occurrence: delivery.occurrence ?? .key(""))
    do throws(JobError) {
      delivery.payload = try services.payloads.sealed(delivery.payload, job: delivery.job, run: runID, "input")
    } catch {
      return DeliveryResult(rejected: error, job: delivery.job)
    }
    let sealed = delivery
    do throws(StoreError) {
      let result = try await committer.replanning { (budget) async throws(StoreError) in
        try await planAndPerform(sealed, runID: runID, registered, &budget)
      }
      return result ?? DeliveryResult(.busy, reason: "Other writers kept changing this run. Deliver again later.")
    } catch {
      return DeliveryResult(rejected: JobError(error), job: delivery.job)
    }
  }

  /// Loads a snapshot, plans and performs; nil after a write conflict.
  private func planAndPerform(
    _ delivery: Delivery, runID: RunID, _ registered: RegisteredJob, _ budget: inout RetryBudget
  ) async throws(StoreError) -> DeliveryResult? {
    let snapshot: DeliverySnapshot
    do throws(DeliverySnapshot.Failure) {
      snapshot = try await .load(for: delivery, runID: runID, registered.definition, services)
    } catch {
      switch error {
      case .store(let error): throw error
      case .invalidDocument(let error): return DeliveryResult(rejected: error, job: delivery.job)
      }
    }
    // The document may have an input for runs that bring none.
    if delivery.isDirect, delivery.payload == nil,
      let error = registered.fault(in: snapshot.input.job.policy.input.map { JSONText($0) })
    {
      return DeliveryResult(rejected: error, job: delivery.job)
    }
    return try await perform(plan(snapshot.input), snapshot, registered, &budget)
  }

  /// Performs a decision; nil after a write conflict.
  private func perform(
    _ decision: Decision, _ snapshot: DeliverySnapshot, _ registered: RegisteredJob, _ budget: inout RetryBudget
  ) async throws(StoreError) -> DeliveryResult? {
    let (job, stored) = (snapshot.input.job, snapshot.input.run)
    switch decision {
    case .reject(let error): return DeliveryResult(rejected: error, job: job.id)
    case .busy(let until): return DeliveryResult(.busy, run: stored, retryAt: until)
    case .early(let until): return DeliveryResult(.early, run: stored, retryAt: until)
    case .stage(let run):
      guard try await save(run, snapshot, &budget) else { return nil }
      return await enqueuer.enqueueNextAttempt(of: run, timeout: job.policy.timeout)
        ?? DeliveryResult(.waiting, run: run, retryAt: run.notBefore)
    case .schedule(let run):
      guard try await save(run, snapshot, &budget) else { return nil }
      // The run is recorded: if the queue refuses its task, the sweep enqueues it again.
      await enqueuer.enqueueNextAttempt(of: run, timeout: job.policy.timeout)
      return DeliveryResult(.scheduled, run: run, retryAt: run.notBefore)
    case .duplicate(let run):
      services.emit(.duplicate, run)
      if run.isDeliverable,
        let refusal = await enqueuer.enqueueNextAttempt(of: run, timeout: job.policy.timeout)
      {
        return refusal
      }
      return DeliveryResult(.duplicate, run: run, reason: "The run is \(run.status.rawValue).")
    case .skip(let skip, let cancelled): return try await perform(skip, cancelled, snapshot, &budget)
    case .wait(let run):
      guard try await save(run, snapshot, &budget, waitingPatch(of: run, job)) else { return nil }
      services.emit(.snoozed, run)
      return await enqueuer.enqueueNextAttempt(of: run, timeout: job.policy.timeout)
        ?? DeliveryResult(.waiting, run: run, reason: run.reason, retryAt: run.notBefore)
    case .await(let run, let prerequisite):
      guard try await commit(run, awaiting: prerequisite, snapshot, &budget) else { return nil }
      services.emit(.snoozed, run)
      return DeliveryResult(.waiting, run: run, reason: run.reason)
    case .cancel(let run):
      guard try await save(run, snapshot, &budget) else { return nil }
      await RunEnd(services).report(run)
      return DeliveryResult(.cancelled, run: run, reason: run.reason)
    case .deadLetter(let run):
      let conclusion = Conclusion.deadLetter(run.failure ?? .leaseLost, reason: "")
      let patch = snapshot.state.patch(
        after: conclusion, run: run, kind: job.kind, breaker: job.policy.breaker, duration: .zero)
      guard try await save(run, snapshot, &budget, patch) else { return nil }
      countLostLease(of: stored)
      await RunEnd(services).report(run)
      if let name = snapshot.state.breakerEvent(of: patch) { services.emit(name, run) }
      return DeliveryResult(.deadLettered, run: run, reason: run.failure?.message)
    case .run(let run):
      if services.active.isClosed { return DeliveryResult(rejected: .shuttingDown, job: job.id) }
      let claimed: ClaimedRun?
      do throws(StoreError) {
        claimed = try await committer.claim(
          run, snapshot.writes(claiming: run), job: job, at: snapshot.input.now, &budget)
      } catch {
        guard let refusal = error.refusal else { throw error }
        var snapshot = snapshot
        snapshot.input.refusal = refusal
        return try await perform(plan(snapshot.input), snapshot, registered, &budget)
      }
      guard let claimed else { return nil }
      countLostLease(of: stored)
      return await executor.execute(claimed, registered, state: snapshot.state)
    }
  }

  /// Counts the lease of a run that an attempt left to expire.
  private func countLostLease(of stored: Run?) {
    guard let stored, stored.status == .running else { return }
    services.metrics.count(.leaseLosses, [("job", stored.job.rawValue)])
  }

  /// Returns the change to the state of a job that skips overlapping runs: one that waits for a permit is the latest.
  private func waitingPatch(of run: Run, _ job: ResolvedJob) -> JobStatePatch? {
    guard run.waitsFor != nil, run.attempt == 0, job.overlap == .skip else { return nil }
    var patch = JobStatePatch()
    patch.set(lastRunID: run.id)
    return patch
  }

  private func perform(
    _ skip: Skip, _ cancelled: Run?, _ snapshot: DeliverySnapshot, _ budget: inout RetryBudget
  ) async throws(StoreError) -> DeliveryResult? {
    let job = snapshot.input.job
    var writes = [Write]()
    if job.kind != .endpoint, snapshot.state.status != skip.status {
      var patch = JobStatePatch()
      patch.set(status: skip.status)
      writes.append(.patchState(job.id, patch, .none))
    }
    // A run tells by itself why it was cancelled; a time of a schedule that gets none does not.
    if cancelled == nil, job.kind != .endpoint, let scheduledFor = snapshot.input.delivery.scheduledFor {
      let line = PassJournalEntry.Line(
        job: job.id.rawValue, scheduledFor: scheduledFor, verdict: skip.status.rawValue, reason: skip.reason)
      writes.append(PassJournal(services).write([line], time: snapshot.input.now))
    }
    if let cancelled {
      writes.append(.putRun(cancelled, snapshot.runPrecondition))
      guard try await committer.commit(writes, making: cancelled, &budget) != nil else { return nil }
    } else if !writes.isEmpty {
      _ = try await services.client.commit(writes)
    }
    services.events.emit(
      JobEvent(
        .skipped, job: job.id, run: cancelled, time: services.clock.now(), reason: skip.reason, skipped: skip.status))
    if let cancelled {
      services.emit(.completed, cancelled)
      await DependentRuns(services).deliver(after: cancelled)
    }
    var result = DeliveryResult(.skipped, run: cancelled, reason: skip.reason)
    result.job = job.id
    return result
  }

  /// Commits a changed run under the version that was read; false after a write conflict.
  private func save(
    _ run: Run, _ snapshot: DeliverySnapshot, _ budget: inout RetryBudget, _ patch: JobStatePatch? = nil
  ) async throws(StoreError) -> Bool {
    var writes: [Write] =
      [.putRun(run, snapshot.runPrecondition)]
      + run.enlistment(snapshot.input.job.limits, before: snapshot.input.run?.waitsFor)
    if let patch { writes.append(.patchState(run.job, patch, .none)) }
    return try await committer.commit(writes, making: run, &budget) != nil
  }

  /// Commits a run that waits for another one, and lets that one deliver it; false after a write conflict.
  private func commit(
    _ run: Run, awaiting prerequisite: RunID, _ snapshot: DeliverySnapshot, _ budget: inout RetryBudget
  ) async throws(StoreError) -> Bool {
    guard let record = snapshot.prerequisites[prerequisite], let other = try? record.run.get() else { return false }
    let writes: [Write] = [
      .putRun(run, snapshot.runPrecondition),
      .putRun(other.amended(withDependent: run.id), .version(record.version)),
    ]
    return try await committer.commit(writes, making: run, &budget) != nil
  }
}

extension DeliveryTransport {
  /// The facts that a log line carries.
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
  /// Whether the job's caller itself sent the delivery, and can correct it.
  ///
  /// An invalid payload from a queue or a scheduler is recorded and dead-lettered instead: after a refusal, they would
  /// repeat it.
  fileprivate var isDirect: Bool { trigger == .manual && runID == nil && (attempt ?? 1) == 1 }
}

extension JobError {
  /// The refusal of an instance that drains.
  static let shuttingDown = JobError(.shuttingDown, "This instance is shutting down. Deliver again.")

  /// The refusal of an instance whose memory is almost used up.
  static let memoryExhausted = JobError(
    .overloaded, "The memory of this instance is almost used up. Deliver again later.")

  /// The refusal of a job id that is not registered.
  static func unknownJob(_ id: JobID) -> JobError {
    JobError(.unknownJob, "No job is registered as \(id). Register it, or correct the name.", field: "jobId")
  }
}
