import CloudJobsCore
import Logging

/// Executes attempts: calls the handler under its deadline, concludes its outcome, commits the result, and enqueues the
/// next attempt.
struct AttemptExecutor: Sendable {
  let services: RuntimeServices
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
  ///   - onHandlerEnd: called when the handler has returned, before its result is committed; not if it is left behind,
  ///     or if hooks follow it.
  /// - Returns: the result.
  func execute(
    _ claimed: ClaimedRun, _ registered: RegisteredJob, state: JobState, onHandlerEnd: () -> Void = {}
  ) async -> DeliveryResult {
    var claimed = claimed
    let span = RunSpan(attemptOf: claimed.run)
    // The next attempts are in the same trace.
    if span.isRecorded, claimed.run.trace == nil { claimed.run.trace = span.trace }
    return await span.run { [claimed] in
      await execute(claimed, registered, state: state, span, onHandlerEnd: onHandlerEnd)
    }
  }

  private func execute(
    _ claimed: ClaimedRun, _ registered: RegisteredJob, state: JobState, _ span: RunSpan, onHandlerEnd: () -> Void
  ) async -> DeliveryResult {
    let (run, job) = (claimed.run, claimed.job)
    services.events.emit(JobEvent(.started, job: run.job, run: run, time: services.clock.now()))
    services.metrics.observe(.runWait, claimed.time - run.dueTime, [("job", run.job.rawValue)])
    defer { services.active.end(claimed.place) }
    let record = AttemptRecord(run, at: claimed.time, services)
    services.active.add(record, at: claimed.place)
    var called = await call(claimed, record, registered)
    let hooks = HookCaller(registered.hooks, services)
    if !called.isAbandoned, !hooks.hasEndHooks { onHandlerEnd() }
    let end = services.steadyClock.now()
    let duration = end - claimed.local
    let (concluded, before, patch): (ConcludedAttempt, JobState, JobStatePatch?)
    let children: [RunDraft]
    do throws(StoreError) {
      let finished = try await finish(claimed, record, &called, state: state, at: end)
      guard let finished else {
        span.fail("leaseLost", "Another attempt has taken over the run.")
        services.events.emit(
          JobEvent(.leaseLost, job: run.job, run: run, time: services.clock.now(), duration: duration))
        return DeliveryResult(
          .leaseLost, run: run, reason: "Another attempt has taken over the run. This result was refused.")
      }
      (concluded, before, patch) = (finished.concluded, finished.state, finished.patch)
      children = finished.children
      if !called.isAbandoned { await LimitWaker(services).wake(after: claimed, at: finished.time) }
    } catch {
      span.fail("storeUnavailable", error.message)
      return DeliveryResult(rejected: JobError(error), job: run.job)
    }
    span.end(with: concluded.conclusion, concluded.run.failure)
    services.events.emit(
      JobEvent(
        concluded.conclusion.event, job: run.job, run: concluded.run, time: services.clock.now(), duration: duration))
    if concluded.run.status.isTerminal { services.emit(.completed, concluded.run) }
    if let name = before.breakerEvent(of: patch) {
      services.events.emit(JobEvent(name, job: run.job, run: concluded.run, time: services.clock.now()))
    }
    await RunEnqueuer(services).enqueueTasks(of: children)
    await DependentRuns(services).deliver(after: concluded.run)
    let result = await result(of: concluded, job)
    if hooks.hasEndHooks {
      let context = JobContext(run: called.run, deadline: told(claimed.deadline), record, services)
      await hooks.ended(AttemptEnd(called.outcome, concluded), context)
    }
    return called.isAbandoned ? abandoned(claimed, result) : result
  }

  /// Reports an attempt whose handler ignores its cancellation: the delivery is answered 503 if the run continues.
  private func abandoned(_ claimed: ClaimedRun, _ result: DeliveryResult) -> DeliveryResult {
    services.logger.error("A handler ignores its cancellation.", metadata: claimed.metadata)
    guard result.runStatus?.isTerminal != true, result.status != .rejected else { return result }
    var result = result
    result.status = .failed
    result.error = JobError(
      .timedOut,
      "The handler exceeded its time limit, \(claimed.timeLimit), and ignored its cancellation. "
        + "The run continues later.")
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
    opened.run.input = opened.run.input ?? claimed.job.policy.input.map { JSONText($0) }
    switch await callHandler(opened, record, registered) {
    case .returned(let outcome, let isShutdown):
      return CalledHandler(
        opened.run, outcome, stored: services.payloads.sealed(outcome, of: run), isShutdown: isShutdown)
    case .abandoned: return CalledHandler(abandoned: opened.run, after: claimed.timeLimit)
    }
  }

  /// The end of an attempt as it was committed.
  private struct FinishedAttempt {
    var concluded: ConcludedAttempt
    /// The time of the commit by the store's clock.
    var time: Timestamp
    /// The state of the job before.
    var state: JobState
    var patch: JobStatePatch?
    /// The runs that were recorded with it.
    var children: [RunDraft]
  }

  /// Ends an attempt; nil if another attempt has taken over the run.
  ///
  /// An end that the store refuses, as for a result that makes the document of its run too large, would be refused each
  /// time, and the run would be executed again and again: it ends as a failure, without what the attempt leaves.
  private func finish(
    _ claimed: ClaimedRun, _ record: AttemptRecord, _ called: inout CalledHandler, state: JobState, at end: Timestamp
  ) async throws(StoreError) -> FinishedAttempt? {
    let (run, log) = await record.close()
    do throws(StoreError) {
      return try await finish(claimed, run, log, record, called, state: state, at: end)
    } catch {
      guard error.code == .invalid else { throw error }
      services.logger.error(
        "The store refuses the end of an attempt.",
        metadata: claimed.metadata.merging(["error": "\(error)"]) { $1 })
      let reading = try await services.client.read(runs: [run.id])
      let stored = reading.runs[run.id].flatMap { try? $0.run.get() }
      guard let stored, stored.fence == run.fence, stored.status == .running else { return nil }
      let failure = RunFailure(refusal: error)
      called.fail(with: failure)
      let note = record.entry(saying: failure.message).map { [$0] } ?? []
      return try await finish(claimed, stored, note, record, called, state: state, at: end)
    }
  }

  /// Concludes an attempt and commits its end; nil if another attempt has taken over the run.
  ///
  /// If others have amended the run meanwhile, it is concluded again: a request to cancel it may change the result. So
  /// it is if they have recorded one of the runs that it requests, or have changed the state of a job with a breaker.
  private func finish(
    _ claimed: ClaimedRun, _ run: Run, _ log: [RunLogEntry], _ record: AttemptRecord, _ called: CalledHandler,
    state: JobState, at end: Timestamp
  ) async throws(StoreError) -> FinishedAttempt? {
    let job = claimed.job
    var run = run
    let enqueuer = RunEnqueuer(services)
    for number in 0..<RetryBudget.conflictLimit {
      var concluded = conclude(called, run, record, claimed, at: end)
      if let reason = called.holdReason { (concluded.run.reason, concluded.interruption) = (reason, reason) }
      let isLast = number + 1 == RetryBudget.conflictLimit
      let (state, patch, precondition) = try await statePatch(
        concluded, job, state: state, duration: end - claimed.local, isLast: isLast)
      var writes: [Write] = patch.map { [.patchState(run.job, $0, precondition)] } ?? []
      writes += log.map { .putLog($0) }
      let isSuccess = concluded.run.status == .succeeded
      let children = isSuccess ? try await enqueuer.missing(record.outbox, at: claimed.storeTime(at: end)) : []
      writes += children.map { .putRun($0, .absent) }
      let result = try await committer.finish(
        concluded.run, under: run.fence, with: writes, keepsPermits: called.isAbandoned)
      switch result {
      case .committed(let time):
        return FinishedAttempt(
          concluded: concluded, time: time, state: state, patch: patch, children: isSuccess ? record.outbox : [])
      case .amended(let stored): run = run.adoptingAmendments(of: stored)
      case .lost: return nil
      }
    }
    throw StoreError(.unavailable, "The attempt's result could not be committed: others keep changing the run.")
  }

  /// Returns the change of the job's state that an attempt's end brings, and its precondition.
  ///
  /// A breaker counts failures of any number of attempts at once, so its job's state is read again.
  ///
  /// - Parameters:
  ///   - concluded: the attempt's end.
  ///   - job: the job.
  ///   - state: the job's state before the attempt.
  ///   - duration: the duration of the attempt.
  ///   - isLast: whether the end must be committed now, whatever others do.
  /// - Returns: the state, its change or nil, and the precondition of the change.
  /// - Throws: ``StoreError`` `unavailable`.
  private func statePatch(
    _ concluded: ConcludedAttempt, _ job: ResolvedJob, state: JobState, duration: Duration, isLast: Bool
  ) async throws(StoreError) -> (JobState, JobStatePatch?, Precondition) {
    func patch(_ state: JobState) -> JobStatePatch? {
      state.patch(
        after: concluded.conclusion, run: concluded.run, kind: job.kind, breaker: job.policy.breaker,
        duration: duration)
    }
    let first = patch(state)
    // A success counts too: the state at the claim may have had no failures yet.
    guard job.policy.breaker.map({ $0.threshold > 0 }) ?? false, !isLast else { return (state, first, .none) }
    // The commit that follows is patient; a result must not be lost because this reading is not.
    guard let reading = try? await services.client.read(jobs: [job.id], runs: []) else { return (state, first, .none) }
    guard let record = reading.jobs[job.id] else { return (state, first, .absent) }
    guard let current = try? record.document.get().state else { return (state, first, .none) }
    return (current, patch(current), .version(record.version))
  }

  private func conclude(
    _ called: CalledHandler, _ run: Run, _ record: AttemptRecord, _ claimed: ClaimedRun, at end: Timestamp
  ) -> ConcludedAttempt {
    let (policy, settings, now) = (claimed.job.policy, services.settings, claimed.storeTime(at: end))
    return services.options.random.draw { random in
      called.isAbandoned
        ? ConcludedAttempt(
          abandoning: run, resumedFrom: record.start, after: claimed.timeLimit, policy: policy, settings: settings,
          at: now, isProcessEnding: false, random: &random)
        : ConcludedAttempt(
          called.stored, isShutdown: called.isShutdown, run: run, resumedFrom: record.start, policy: policy,
          settings: settings, at: now, random: &random)
    }
  }

  /// Calls the handler on its executor, cancels it at its time limit or when the run or the instance must stop, and
  /// leaves it behind if it ignores that.
  func callHandler(
    _ claimed: ClaimedRun, _ record: AttemptRecord, _ registered: RegisteredJob
  ) async -> HandlerCall.Ending {
    let (services, timeLimit) = (services, claimed.timeLimit)
    let deadline = claimed.deadline
    let context = JobContext(run: claimed.run, deadline: told(deadline), record, services)
    let call = HandlerCall()
    let lane = services.lanes.lane(of: claimed.job.policy)
    let watched = services.watchdog.begin(claimed, isOnSharedPool: lane.isSharedPool)
    let isWorkers = JobWorker.ownsTask
    let handler = Task(executorPreference: lane.executor, priority: lane.priority) {
      let outcome = await JobWorker.$ownsTask.withValue(false) {
        lane.isSubprocess
          ? await Subprocess.execute(SubprocessRequest(run: claimed.run, deadline: context.deadline))
          : await registered.execute(claimed.run.input, context)
      }
      services.watchdog.end(watched)
      call.post(.returned(outcome))
    }
    let interval = services.options.cancellationPoll
    var timer = services.deadlines.add(deadline) { call.post(.timedOut) }
    var tick = services.deadlines.add(services.steadyClock.now() + interval) { call.post(.tick) }
    record.stop.onOpen { call.post(.stop) }
    defer {
      services.deadlines.remove(timer)
      services.deadlines.remove(tick)
      record.stop.onOpen(nil)
    }
    return await withTaskCancellationHandler {
      var (isShutdown, isOverdue) = (false, false)
      while true {
        switch await call.next() {
        case .returned(let outcome):
          if lane.isSubprocess { await record.reload() }
          return isOverdue
            ? .returned(.timedOut(after: timeLimit), isShutdown: false) : .returned(outcome, isShutdown: isShutdown)
        case .timedOut:
          // An attempt whose request ends is interrupted; it has not failed.
          if claimed.isCutShort { isShutdown = true } else { isOverdue = true }
          handler.cancel()
          timer = services.deadlines.add(deadline + services.options.cancellationGrace) {
            call.post(.ignoredCancellation)
          }
        case .tick:
          // Not here: a store that does not answer must not keep the time limit from being noticed.
          Task(executorPreference: lane.executor) { await record.tick() }
          tick = services.deadlines.add(services.steadyClock.now() + interval) { call.post(.tick) }
        case .stop:
          isShutdown = isShutdown || services.active.isClosed
          handler.cancel()
        case .cancelled: isShutdown = isShutdown || isWorkers
        case .ignoredCancellation: return .abandoned
        }
      }
    } onCancel: {
      // The worker ends, and not the attempt by itself.
      call.post(.cancelled)
      handler.cancel()
    }
  }

  /// Returns a time of the steady clock as one of the clock that handlers have.
  func told(_ time: Timestamp) -> Timestamp { services.clock.now() + (time - services.steadyClock.now()) }

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

extension Run {
  /// The time at which the attempt that begins was due.
  fileprivate var dueTime: Timestamp { attempt > 1 ? notBefore : scheduledFor ?? notBefore }
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
