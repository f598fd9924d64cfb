import CloudJobsCore
import Logging

extension JobRuntime {
  /// Executes a claimed run, commits its end under the fence, and hands on what follows.
  func execute(_ claimed: ClaimedRun, job: ResolvedJob, registered: RegisteredJob, state: JobState) async -> Handling {
    let run = claimed.run
    events.emit(JobEvent(.started, job: run.job, run: run, time: claimed.local))
    defer { active.end(claimed.place) }
    let (outcome, isCancelled) = await attempt(claimed, job: job, registered: registered)
    let end = clock.now()
    let duration = end - claimed.local
    // The store's time is not read again: the local clock only measures how long the attempt took.
    let now = claimed.time + duration
    if isCancelled, outcome.mayComeOfCancellation {
      return await handBack(claimed, job: job, state: state, at: now, local: end)
    }
    var conclusion = options.random.draw { random in
      conclude(outcome, run: run, policy: job.policy.retry, now: now, random: &random)
    }
    if case .retry(_, let failure) = conclusion, queue.retryOwner == .caller {
      conclusion = .retry(at: now, failure)
    }
    let ended = run.concluded(conclusion, policy: job.policy, settings: settings, at: now)
    switch await finish(ended, under: run.fence, conclusion, job: job, state: state, duration: duration) {
    case .failure(let error): return Handling(rejected: JobError(error), job: run.job)
    case .success(false):
      events.emit(JobEvent(.leaseLost, job: run.job, run: run, time: end, duration: duration))
      return Handling(.leaseLost, run: run, reason: "Another attempt has taken the run over; this result was refused.")
    case .success(true):
      events.emit(JobEvent(conclusion.event, job: run.job, run: ended, time: end, duration: duration))
      return await answer(conclusion, ended, job)
    }
  }

  /// What happens while a handler is at work.
  private enum AttemptEvent: Sendable {
    case ended(Outcome)
    case timedOut
    case shutDown
    case none
  }

  /// Calls the handler under its time limit, and cancels it when the instance's drain is over.
  ///
  /// - Returns: how the attempt came back, and whether it had been cancelled for the drain's sake by then.
  private func attempt(
    _ claimed: ClaimedRun, job: ResolvedJob, registered: RegisteredJob
  ) async -> (outcome: Outcome, isCancelled: Bool) {
    let deadline = claimed.local + job.policy.timeout
    let context = JobContext(run: claimed.run, deadline: deadline, runtime: self)
    let input = claimed.run.input
    let clock = clock
    return await withTaskGroup(of: AttemptEvent.self) { group in
      group.addTask { .ended(await registered.execute(input, context)) }
      group.addTask {
        do { try await clock.sleep(until: deadline) } catch { return .none }
        return .timedOut
      }
      group.addTask {
        await self.active.cancellation.wait()
        return self.active.cancellation.isOpen ? .shutDown : .none
      }
      defer { group.cancelAll() }
      var isCancelled = false
      while let event = await group.next() {
        switch event {
        case .ended(let outcome): return (outcome, isCancelled)
        case .timedOut: return (.timedOut(after: job.policy.timeout), false)
        case .shutDown:
          isCancelled = true
          group.cancelAll()
        case .none: continue
        }
      }
      return (.timedOut(after: job.policy.timeout), isCancelled)
    }
  }

  /// Gives a run back whose attempt ended only because the instance shuts down: no failure is counted.
  private func handBack(
    _ claimed: ClaimedRun, job: ResolvedJob, state: JobState, at now: Timestamp, local: Timestamp
  ) async -> Handling {
    let run = claimed.run
    let back = run.orphaned(policy: job.policy, settings: settings, at: now, by: .instanceShutDown)
    let conclusion: Conclusion =
      back.status.isTerminal ? .dead(back.failure ?? .lost, reason: back.reason ?? "") : .snoozed(until: now)
    switch await finish(back, under: run.fence, conclusion, job: job, state: state, duration: local - claimed.local) {
    case .failure(let error): return Handling(rejected: JobError(error), job: run.job)
    case .success(false):
      events.emit(JobEvent(.leaseLost, job: run.job, run: run, time: local))
      return Handling(.leaseLost, run: run, reason: "Another attempt has taken the run over; this result was refused.")
    case .success(true):
      events.emit(JobEvent(conclusion.event, job: run.job, run: back, time: local))
      guard queue.retryOwner != .caller || back.status.isTerminal else {
        let reason = AttemptLoss.instanceShutDown.reason(attempt: run.attempt)
        return Handling(rejected: JobError(.shuttingDown, reason + " Deliver it again."), job: run.job)
      }
      var handling = await answer(conclusion, back, job)
      handling.reason = handling.reason ?? back.reason
      return handling
    }
  }

  /// Commits the end of an attempt under its fence; false where another attempt has taken over.
  private func finish(
    _ run: Run, under fence: Int64, _ conclusion: Conclusion, job: ResolvedJob, state: JobState, duration: Duration
  ) async -> Result<Bool, StoreError> {
    var writes: [Write] = [.putRun(run, .fence(fence))]
    if let patch = state.patch(after: conclusion, run: run, kind: job.kind, duration: duration) {
      writes.append(.patchState(run.job, patch, .none))
    }
    do throws(StoreError) {
      for _ in 0..<Self.maximumRaces {
        let time = try await access.persistently { () async throws(StoreError) in
          try await commit(writes, making: run)
        }
        if time != nil { return .success(true) }
        // Some stores refuse a write for another's sake; as long as the lease is ours, the work need not be repeated.
        let reading = try await access.persistently { () async throws(StoreError) in
          try await access.read(jobs: [], runs: [run.id])
        }
        guard case .success(let stored)? = reading.runs[run.id]?.run, stored.fence == fence, stored.status == .running
        else { return .success(false) }
      }
      return .failure(StoreError(.unavailable, "The store refuses the attempt's end all the time."))
    } catch {
      return .failure(error)
    }
  }

  private func answer(_ conclusion: Conclusion, _ run: Run, _ job: ResolvedJob) async -> Handling {
    switch conclusion {
    case .succeeded: return Handling(.succeeded, run: run)
    case .cancelled(let reason): return Handling(.cancelled, run: run, reason: reason)
    case .dead(let failure, _): return Handling(.dead, run: run, reason: failure.message)
    case .retry(let time, let failure):
      if queue.retryOwner == .caller {
        var handling = Handling(.failed, run: run, reason: failure.message, retryAt: time)
        handling.error = JobError(.handlerFailed, "Attempt \(run.attempt) failed. Deliver it again.")
        return handling
      }
      return await handOn(run, job.policy) ?? Handling(.retrying, run: run, reason: failure.message, retryAt: time)
    case .snoozed(let time):
      return await handOn(run, job.policy) ?? Handling(.snoozed, run: run, retryAt: time)
    }
  }

  /// Hands the next attempt of a waiting run to the queue; the refusal where the queue does not take it.
  func handOn(_ run: Run, _ policy: JobPolicy) async -> Handling? {
    do throws(JobError) {
      try await queue.enqueue([task(for: run, deadline: policy.timeout)])
      wakeUp.call()
      return nil
    } catch {
      options.logger.warning(
        "The queue took no task for the next attempt; the caller or the sweep will hand it over again.",
        metadata: ["jobId": "\(run.job)", "runId": "\(run.id)", "error": "\(error)"])
      return Handling(rejected: error, job: run.job)
    }
  }

  /// The task that delivers the next attempt of a run.
  func task(for run: Run, deadline: Duration) -> QueuedTask {
    var delivery = Delivery(job: run.job, trigger: run.trigger)
    delivery.run = run.id
    delivery.attempt = run.attempt.successor
    delivery.correlationID = run.correlationID
    return QueuedTask(
      name: run.nextTaskName, queue: run.queue, body: Envelope.native(for: delivery),
      notBefore: run.notBefore > run.createdAt ? run.notBefore : nil, deadline: deadline + settings.leaseMargin)
  }
}

extension Conclusion {
  /// The event that tells of the conclusion.
  var event: JobEvent.Name {
    switch self {
    case .succeeded: .succeeded
    case .retry: .retrying
    case .snoozed: .snoozed
    case .cancelled: .skipped
    case .dead: .failed
    }
  }
}
