import CloudJobsCore
import Logging

/// Executes attempts: calls the handler under its deadline, concludes its outcome, commits the result, and enqueues the
/// next attempt.
struct AttemptExecutor: Sendable {
  private let services: RuntimeServices
  private let committer: RunCommitter
  private let enqueuer: NextAttemptEnqueuer

  init(_ services: RuntimeServices) {
    self.services = services
    committer = RunCommitter(services)
    enqueuer = NextAttemptEnqueuer(services)
  }

  /// Executes the attempt of a claimed run.
  ///
  /// - Parameters:
  ///   - claimed: the run, claimed by ``RunCommitter``.
  ///   - registered: its job with its handler.
  ///   - state: the job's state before the attempt.
  /// - Returns: the result.
  func execute(_ claimed: ClaimedRun, _ registered: RegisteredJob, state: JobState) async -> DeliveryResult {
    let (run, job) = (claimed.run, claimed.job)
    services.events.emit(JobEvent(.started, job: run.job, run: run, time: claimed.local))
    defer { services.active.end(claimed.place) }
    let record = AttemptRecord(claimed, services)
    services.active.add(record, at: claimed.place)
    let called = await call(claimed, record, registered)
    let end = services.clock.now()
    let duration = end - claimed.local
    let (concluded, patch): (ConcludedAttempt, JobStatePatch?)
    let children: [RunDraft]
    do throws(StoreError) {
      let finished = try await finish(claimed, record, called, state: state, at: end)
      guard let finished else {
        services.events.emit(JobEvent(.leaseLost, job: run.job, run: run, time: end, duration: duration))
        return DeliveryResult(
          .leaseLost, run: run, reason: "Another attempt has taken over the run. This result was refused.")
      }
      (concluded, patch, children) = (finished.concluded, finished.patch, finished.children)
      await LimitWaker(services).wake(after: claimed, at: finished.time)
    } catch {
      return DeliveryResult(rejected: JobError(error), job: run.job)
    }
    services.events.emit(
      JobEvent(concluded.conclusion.event, job: run.job, run: concluded.run, time: end, duration: duration))
    if concluded.run.status.isTerminal { services.emit(.completed, concluded.run) }
    if let name = state.breakerEvent(of: patch) {
      services.events.emit(JobEvent(name, job: run.job, run: concluded.run, time: end))
    }
    await RunEnqueuer(services).enqueueTasks(of: children)
    await DependentRuns(services).deliver(after: concluded.run)
    let result = await result(of: concluded, job)
    let hooks = HookCaller(registered.hooks, services)
    if hooks.hasEndHooks {
      let deadline = claimed.local + claimed.run.timeLimit(under: job.policy)
      let context = JobContext(run: called.run, deadline: deadline, record, services)
      await hooks.ended(AttemptEnd(called.outcome, concluded), context)
    }
    return result
  }

  /// Decodes a run's input, calls the handler, and encodes its output.
  private func call(
    _ claimed: ClaimedRun, _ record: AttemptRecord, _ registered: RegisteredJob
  ) async -> CalledHandler {
    let run = claimed.run
    var opened = claimed
    do throws(JobError) {
      opened.run.input = try services.payloads.opened(run.input, job: run.job, run: run.id, "input")
    } catch {
      services.logger.error(
        "The input of a run can't be decoded.",
        metadata: ["jobId": "\(run.job)", "runId": "\(run.id)", "error": "\(error)"])
      return CalledHandler(unreadable: run, error)
    }
    let (outcome, isShutdown) = await callHandler(opened, record, registered)
    return CalledHandler(
      opened.run, outcome, stored: services.payloads.sealed(outcome, of: run), isShutdown: isShutdown)
  }

  /// The end of an attempt as it was committed.
  private struct FinishedAttempt {
    var concluded: ConcludedAttempt
    /// The time of the commit by the store's clock.
    var time: Timestamp
    var patch: JobStatePatch?
    /// The runs that were recorded with it.
    var children: [RunDraft]
  }

  /// Concludes an attempt and commits its end; nil if another attempt has taken over the run.
  ///
  /// If others have amended the run meanwhile, it is concluded again: a request to cancel it may change the result.
  private func finish(
    _ claimed: ClaimedRun, _ record: AttemptRecord, _ called: CalledHandler, state: JobState, at end: Timestamp
  ) async throws(StoreError) -> FinishedAttempt? {
    let job = claimed.job
    var (run, log) = await record.close()
    let enqueuer = RunEnqueuer(services)
    for _ in 0..<RetryBudget.conflictLimit {
      var concluded = services.options.random.draw { random in
        ConcludedAttempt(
          called.stored, isShutdown: called.isShutdown, run: run, resumedFrom: record.start, policy: job.policy,
          settings: services.settings, at: claimed.storeTime(at: end), random: &random)
      }
      if let reason = called.holdReason { (concluded.run.reason, concluded.interruption) = (reason, reason) }
      let patch = state.patch(
        after: concluded.conclusion, run: concluded.run, kind: job.kind, breaker: job.policy.breaker,
        duration: end - claimed.local)
      var writes: [Write] = patch.map { [.patchState(run.job, $0, .none)] } ?? []
      if let log { writes.append(.putLog(log)) }
      let isSuccess = concluded.run.status == .succeeded
      let children = isSuccess ? try await enqueuer.missing(record.outbox, at: claimed.storeTime(at: end)) : []
      writes += children.map { .putRun($0, .absent) }
      switch try await committer.finish(concluded.run, under: run.fence, with: writes) {
      case .committed(let time):
        return FinishedAttempt(
          concluded: concluded, time: time, patch: patch, children: isSuccess ? record.outbox : [])
      case .amended(let stored): run = run.adoptingAmendments(of: stored)
      case .lost: return nil
      }
    }
    throw StoreError(.unavailable, "The attempt's result could not be committed: others keep changing the run.")
  }

  /// An event while a handler executes.
  private enum HandlerEvent: Sendable {
    case returned(Outcome)
    case timedOut
    case stop
    case none
  }

  /// Calls the handler under its time limit, and cancels it when the instance's drain is over.
  ///
  /// - Returns: the outcome, and whether the shutdown had cancelled the handler by then.
  private func callHandler(
    _ claimed: ClaimedRun, _ record: AttemptRecord, _ registered: RegisteredJob
  ) async -> (outcome: Outcome, isShutdown: Bool) {
    let timeout = claimed.run.timeLimit(under: claimed.job.policy)
    let deadline = claimed.local + timeout
    let context = JobContext(run: claimed.run, deadline: deadline, record, services)
    let (input, clock, active) = (claimed.run.input, services.clock, services.active)
    let interval = services.options.cancellationPoll
    return await withTaskGroup(of: HandlerEvent.self) { group in
      group.addTask { .returned(await registered.execute(input, context)) }
      group.addTask {
        while true {
          do { try await clock.sleep(until: min(deadline, clock.now() + interval)) } catch { return .none }
          if clock.now() >= deadline { return .timedOut }
          await record.tick()
        }
      }
      group.addTask {
        await record.stop.wait()
        return record.stop.isOpen ? .stop : .none
      }
      defer { group.cancelAll() }
      var isShutdown = false
      while let event = await group.next() {
        switch event {
        case .returned(let outcome): return (outcome, isShutdown)
        case .timedOut: return (.timedOut(after: timeout), false)
        case .stop:
          isShutdown = active.isClosed
          group.cancelAll()
        case .none: continue
        }
      }
      return (.timedOut(after: timeout), isShutdown)
    }
  }

  private func result(of concluded: ConcludedAttempt, _ job: ResolvedJob) async -> DeliveryResult {
    let run = concluded.run
    switch concluded.conclusion {
    case .succeeded: return DeliveryResult(.succeeded, run: run)
    case .cancelled(let reason): return DeliveryResult(.cancelled, run: run, reason: reason)
    case .deadLetter(let failure, _): return DeliveryResult(.deadLettered, run: run, reason: failure.message)
    case .retryByCaller(let failure):
      var result = DeliveryResult(.failed, run: run, reason: failure.message, retryAt: run.notBefore)
      result.error = JobError(.handlerFailed, "Attempt \(run.attempt) failed. Deliver it again.")
      return result
    case .interrupted(let reason):
      return DeliveryResult(rejected: JobError(.shuttingDown, reason + " Deliver it again."), job: run.job)
    case .retry(let time, let failure):
      return await enqueuer.enqueueNextAttempt(of: run, timeout: job.policy.timeout)
        ?? DeliveryResult(.retrying, run: run, reason: failure.message, retryAt: time)
    case .snoozed(let time), .continued(let time):
      return await enqueuer.enqueueNextAttempt(of: run, timeout: job.policy.timeout)
        ?? DeliveryResult(.snoozed, run: run, reason: concluded.interruption, retryAt: time)
    }
  }
}

extension Conclusion {
  /// The event that reports the conclusion.
  var event: JobEvent.Name {
    switch self {
    case .succeeded: .succeeded
    case .retry, .retryByCaller: .retrying
    case .snoozed, .continued, .interrupted: .snoozed
    case .cancelled: .skipped
    case .deadLetter: .failed
    }
  }
}
