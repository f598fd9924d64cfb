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
    let ending = await callHandler(claimed, registered)
    let end = services.clock.now()
    let duration = end - claimed.local
    let concluded = conclude(ending, claimed, at: end)
    let patch = state.patch(
      after: concluded.conclusion, run: concluded.run, kind: job.kind, breaker: job.policy.breaker, duration: duration)
    do throws(StoreError) {
      guard try await committer.finish(concluded.run, under: run.fence, patch) else {
        services.events.emit(JobEvent(.leaseLost, job: run.job, run: run, time: end, duration: duration))
        return DeliveryResult(
          .leaseLost, run: run, reason: "Another attempt has taken over the run. This result was refused.")
      }
    } catch {
      return DeliveryResult(rejected: JobError(error), job: run.job)
    }
    services.events.emit(
      JobEvent(concluded.conclusion.event, job: run.job, run: concluded.run, time: end, duration: duration))
    if let name = state.breakerEvent(of: patch) {
      services.events.emit(JobEvent(name, job: run.job, run: concluded.run, time: end))
    }
    let result = await result(of: concluded, job)
    if case .abandoned = ending { return abandoned(claimed, result) }
    return result
  }

  private func conclude(_ ending: HandlerCall.Ending, _ claimed: ClaimedRun, at end: Timestamp) -> ConcludedAttempt {
    let (policy, settings) = (claimed.job.policy, services.settings)
    return services.options.random.draw { random in
      switch ending {
      case .returned(let outcome, let isShutdown):
        ConcludedAttempt(
          outcome, isShutdown: isShutdown, run: claimed.run, policy: policy, settings: settings,
          at: claimed.storeTime(at: end), random: &random)
      case .abandoned:
        ConcludedAttempt(
          abandoning: claimed.run, after: claimed.timeLimit, policy: policy, settings: settings,
          at: claimed.storeTime(at: end), isProcessEnding: false, random: &random)
      }
    }
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

  /// Calls the handler on its executor, cancels it at its time limit or when the instance's drain is over, and leaves
  /// it behind if it ignores that.
  private func callHandler(_ claimed: ClaimedRun, _ registered: RegisteredJob) async -> HandlerCall.Ending {
    let (services, place, timeLimit) = (services, claimed.place, claimed.timeLimit)
    let deadline = claimed.local + timeLimit
    let context = JobContext(run: claimed.run, deadline: deadline, services)
    let call = HandlerCall()
    let lane = services.lanes.lane(of: claimed.job.policy)
    let watched = services.watchdog.begin(claimed, isOnSharedPool: lane.isSharedPool)
    let handler = Task(executorPreference: lane.executor, priority: lane.priority) {
      let outcome =
        lane.isSubprocess
        ? await Subprocess.execute(SubprocessRequest(run: claimed.run, deadline: deadline))
        : await registered.execute(claimed.run.input, context)
      services.watchdog.end(watched)
      call.post(.returned(outcome))
    }
    var timer = services.deadlines.add(deadline) { call.post(.timedOut) }
    services.active.onCancellation(of: place) { call.post(.shutdown) }
    defer {
      services.deadlines.remove(timer)
      services.active.onCancellation(of: place, nil)
    }
    return await withTaskCancellationHandler {
      var (isShutdown, isOverdue) = (false, false)
      while true {
        switch await call.next() {
        case .returned(let outcome):
          return isOverdue
            ? .returned(.timedOut(after: timeLimit), isShutdown: false) : .returned(outcome, isShutdown: isShutdown)
        case .timedOut:
          isOverdue = true
          handler.cancel()
          timer = services.deadlines.add(deadline + services.options.cancellationGrace) {
            call.post(.ignoredCancellation)
          }
        case .shutdown:
          isShutdown = true
          handler.cancel()
        case .ignoredCancellation: return .abandoned
        }
      }
    } onCancel: {
      handler.cancel()
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
    case .snoozed(let time):
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
    case .snoozed, .interrupted: .snoozed
    case .cancelled: .skipped
    case .deadLetter: .failed
    }
  }
}
