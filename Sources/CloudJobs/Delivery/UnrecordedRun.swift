import CloudJobsCore

/// Executes runs here and now that no store knows: one attempt, whose result goes to the caller alone.
struct UnrecordedRun: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Executes a run without a record.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - correlationID: the id that all runs of one cause share, unless the request has one.
  /// - Returns: the result: `succeeded`, `dead`, `cancelled`, `skipped` or `rejected`.
  /// - Throws: ``JobError`` `invalidInput`, `invalidField` or `tooLarge`.
  func execute(
    _ request: EnqueueRequest, correlationID: String? = nil
  ) async throws(JobError) -> DeliveryResult {
    let delivery = try request.delivery(correlationID: correlationID, services)
    guard let registered = services.registry.jobs[delivery.job] else {
      return DeliveryResult(rejected: .unknownJob(delivery.job), job: delivery.job)
    }
    if let refusal = services.admitDelivery() { return DeliveryResult(rejected: refusal, job: delivery.job) }
    defer { services.active.leave() }
    let reading: StoreReading
    do throws(StoreError) {
      reading = try await services.client.read(jobs: [delivery.job], runs: [])
    } catch {
      return DeliveryResult(rejected: JobError(error), job: delivery.job)
    }
    let job = try services.resolve(registered.definition, try reading.jobs[delivery.job]?.document.get().configuration)
    let input = delivery.payload ?? job.policy.input.map { JSONText($0) }
    if let fault = registered.fault(in: input) { return DeliveryResult(rejected: fault, job: job.id) }
    var run = run(of: delivery, job, input, at: reading.time)
    if !job.policy.isActive {
      run.status = .cancelled
      return DeliveryResult(.skipped, run: run, reason: "The job is \(job.policy.enabled ? "paused" : "disabled").")
    }
    guard [.sharedPool, .compute].contains(services.lanes.route(of: job.policy)) else {
      throw JobError(
        .invalidField, "Heavy work executes elsewhere, which needs a record of the run. Record it.", field: "isRecorded"
      )
    }
    let claimed = ClaimedRun(
      run: run, job: job, checkpoint: nil, time: reading.time, local: services.steadyClock.now())
    guard let place = services.active.begin(claimed) else {
      return DeliveryResult(rejected: .shuttingDown, job: job.id)
    }
    defer { services.active.end(place) }
    return await execute(claimed, registered, at: place)
  }

  private func run(of delivery: Delivery, _ job: ResolvedJob, _ input: JSONText?, at now: Timestamp) -> Run {
    var run = Run(
      id: RunID(job: job.id, occurrence: delivery.occurrence ?? .key("")), job: job.id, trigger: delivery.trigger,
      input: input, status: .running, maxAttempts: 1, notBefore: now, createdAt: now)
    (run.attempt, run.fence, run.startedAt) = (1, 1, now)
    (run.correlationID, run.trace, run.timeout) = (delivery.correlationID, delivery.trace, delivery.timeout)
    run.metadata = job.policy.metadata.merging(delivery.metadata) { $1 }
    return run
  }

  /// Calls the handler, and tells its end.
  private func execute(_ claimed: ClaimedRun, _ registered: RegisteredJob, at place: Int) async -> DeliveryResult {
    services.emit(.started, claimed.run)
    let executor = AttemptExecutor(services)
    let record = AttemptRecord(claimed.run, at: claimed.time, services, isRecorded: false)
    services.active.add(record, at: place)
    let outcome: Outcome
    switch await executor.callHandler(claimed, record, registered) {
    case .returned(let returned, let isShutdown):
      if isShutdown, returned.mayResultFromCancellation {
        return DeliveryResult(rejected: .shuttingDown, job: claimed.run.job)
      }
      outcome = returned
    case .abandoned: outcome = .timedOut(after: claimed.timeLimit)
    }
    let end = services.steadyClock.now()
    var run = claimed.run
    run.finishedAt = claimed.storeTime(at: end)
    let hookEnd = run.end(with: outcome)
    let name: JobEvent.Name =
      switch run.status {
      case .succeeded: .succeeded
      case .cancelled: .skipped
      default: .failed
      }
    services.events.emit(
      JobEvent(name, job: run.job, run: run, time: services.clock.now(), duration: end - claimed.local))
    services.emit(.completed, run)
    let context = JobContext(run: claimed.run, deadline: executor.told(claimed.deadline), record, services)
    await HookCaller(registered.hooks, services).ended(hookEnd, context)
    let status: DeliveryResult.Status =
      switch run.status {
      case .succeeded: .succeeded
      case .cancelled: .cancelled
      default: .deadLettered
      }
    return DeliveryResult(status, run: run, reason: run.failure?.message ?? run.reason)
  }
}

extension Run {
  /// Ends a run without a record.
  ///
  /// - Parameter outcome: the outcome of its attempt. No other one follows, so that an attempt that asks for one has
  ///   failed.
  /// - Returns: the end, as hooks are told of it.
  fileprivate mutating func end(with outcome: Outcome) -> AttemptEnd {
    switch outcome {
    case .succeeded(let output):
      (status, self.output) = (.succeeded, output)
      return .completed(.done(output))
    case .cancelled(let reason):
      (status, self.reason) = (.cancelled, reason)
      return .completed(.cancel(reason: reason))
    case .failed(let failure, _, _): self.failure = failure
    case .snoozed, .continued:
      failure = RunFailure(
        kind: "unrecorded",
        message: "The handler asked for another attempt, which a run without a record does not get. Record the run.")
    }
    status = .failed
    return .failed(
      AttemptFailure(kind: failure?.kind ?? "", message: failure?.message ?? "", isFinal: true, nextAttempt: nil))
  }
}
