/// Explanations of runs.
extension Explainer {
  /// Explains a run as it stands.
  func explain(_ run: Run) -> Explanation {
    var (verdict, cause, why) = outcome(of: run)
    if let repetition = repetition(of: run) { why += " It was repeated: \(text(of: repetition))." }
    var explanation = Explanation(
      job: run.job, time: input.askedAbout, now: now, occurrence: run.scheduledFor, verdict: verdict, cause: cause,
      summary: why, trigger: trigger(of: run))
    explanation.run = run.id
    explanation.gates = gates(of: run, cause)
    explanation.facts = facts(of: run)
    return completed(explanation)
  }

  /// Returns the run by which an ended one was repeated; nil if none was.
  func repetition(of run: Run) -> Run? { input.runs[run.redriveID] }

  // MARK: The outcome

  private func outcome(of run: Run) -> (Explanation.Verdict, ExplanationCause, String) {
    switch run.status {
    case .succeeded:
      let attempts = run.attempt == 1 ? "" : " with attempt \(run.attempt)"
      return (.ran, .succeeded, "It ran, and succeeded at \(run.finishedAt ?? now)\(attempts).")
    case .failed: return (.failed, failureCause(of: run), failureText(of: run))
    case .cancelled: return (.cancelled, cancellationCause(of: run), "It was cancelled. \(run.reason ?? "")")
    case .running: return runningOutcome(of: run)
    case .scheduled, .pending:
      let cause = waitingCause(of: run)
      return (.waiting, cause, waitingText(of: run, cause))
    }
  }

  private func runningOutcome(of run: Run) -> (Explanation.Verdict, ExplanationCause, String) {
    guard let lease = run.lease, now < lease.expiresAt else {
      let end = run.lease.map { " It expired at \($0.expiresAt)." } ?? ""
      let next = run.cancellation == nil ? "counts it as failed" : "cancels the run, as was asked for"
      return (
        .running, .leaseExpired,
        "Attempt \(run.attempt) did not come back before its lease ended.\(end) The next sweep \(next)."
      )
    }
    if let reason = run.cancellation {
      return (
        .running, .stopping, "Attempt \(run.attempt) was asked to stop, and has not ended yet. \(reason)"
      )
    }
    return (
      .running, .running,
      "Attempt \(run.attempt) is under way at \(lease.owner), which may work until \(lease.expiresAt)."
    )
  }

  private func failureCause(of run: Run) -> ExplanationCause {
    switch (run.reason.flatMap { RunReason($0) }, run.failure?.kind) {
    case (.failureNotRetried?, _): .failureNotRetried
    case (_, "invalidInput"?): .invalidInput
    case (.permanentFailure?, _): .failedPermanently
    case (_, RunFailure.timeoutKind?): .attemptsTimedOut
    case (_, "leaseLost"?), (_, "processLost"?): .attemptsLost
    default: .attemptsUsedUp
    }
  }

  private func failureText(of run: Run) -> String {
    let failure = run.failure.map { " The last failure: \($0.kind): \($0.message)" } ?? ""
    return "It failed for good at \(run.finishedAt ?? now). \(run.reason ?? "")\(failure)"
  }

  private func cancellationCause(of run: Run) -> ExplanationCause {
    if run.cancellation != nil { return .cancelledByRequest }
    return switch run.reason.flatMap({ RunReason($0) }) {
    case .prerequisiteFailed?: .cancelledByPrerequisite
    case .replaced?: .replaced
    case .gate?: .cancelledByGate
    default: run.attempt > 0 ? .cancelledByHandler : .cancelledByRequest
    }
  }

  private func waitingCause(of run: Run) -> ExplanationCause {
    if run.awaiting != nil { return .waitingForPrerequisite }
    let reason = run.reason.flatMap { RunReason($0) }
    // A run that waits for room is woken as soon as there is some, and looks for it by itself at times.
    switch reason {
    case .concurrencyReached? where run.waitsFor != nil:
      return run.waitsFor?.rawValue.hasPrefix("group/") == true ? .waitingForGroup : .waitingForConcurrency
    case .rateReached? where run.waitsFor != nil: return .waitingForRate
    case .handedOver?: return .waitingForOtherService
    default: break
    }
    guard now < run.notBefore else {
      return input.settings.retryOwner == .pass ? .waitingForWorker : .waitingForDelivery
    }
    return switch reason {
    case .attemptFailed?: .waitingForRetry
    case .snoozed?: .snoozed
    case .continued?: .continuing
    case .gate(.skippedOverlap)?: .waitingForEarlierRun
    case .gate(.skippedBreakerOpen)?: .waitingForBreaker
    case .gate(.skippedPaused)?: .waitingForResume
    default: run.failures > 0 ? .waitingForRetry : .waitingForStart
    }
  }

  private func waitingText(of run: Run, _ cause: ExplanationCause) -> String {
    let reason = run.reason.map { " \($0)" } ?? ""
    switch cause {
    case .waitingForDelivery:
      return "It has been due since \(run.notBefore), and the queue has not delivered it."
    case .waitingForWorker:
      let workers = input.workers == 0 ? "no worker is alive" : "no worker has taken it"
      return "It has been due since \(run.notBefore), and \(workers)."
    case .waitingForStart: return "It is to start at \(run.notBefore).\(reason)"
    case .waitingForPrerequisite: return "\(reason.dropFirst()) That one has not ended."
    case .waitingForConcurrency, .waitingForGroup, .waitingForRate:
      return "It waits for room.\(reason) It looks again at \(run.notBefore) at the latest."
    case .waitingForOtherService: return "It waits.\(reason)"
    default: return "It waits until \(run.notBefore).\(reason)"
    }
  }

  // MARK: Trigger, gates, facts

  private func trigger(of run: Run) -> String {
    let created = "at \(run.createdAt)"
    let time = run.scheduledFor.map { " for \($0)" } ?? ""
    return switch run.trigger {
    case .pass: "A master pass created the run \(created)\(time)."
    case .schedule: "A scheduler's delivery created the run \(created)\(time)."
    case .task: "A task or a message asked for the run \(created)\(time)."
    case .manual: "A person or a program asked for the run \(created)\(time)."
    case .parent:
      "\(run.parent.map { "The run \($0)" } ?? "Another run") asked for it, or is repeated by it, \(created)\(time)."
    }
  }

  private func gates(of run: Run, _ cause: ExplanationCause) -> [Explanation.GateVerdict] {
    let time = run.scheduledFor ?? run.createdAt
    let isHeld = !run.status.isTerminal || cause == .cancelledByGate
    if let reason = run.reason, case .gate(let status)? = RunReason(reason), isHeld {
      return gates(for: time, closedBy: Skip(status, reason))
    }
    // It passes them with its first attempt.
    return run.attempt == 0 && !run.status.isTerminal
      ? gates(for: time, trigger: run.trigger, run: run.id) : gates(for: time, closedBy: nil)
  }

  /// The number of earlier attempts that an explanation tells.
  private static let maximumAttempts = 5

  private func fact(of attempt: RunAttempt) -> Explanation.Fact {
    let took = attempt.endedAt.map { " after \(span($0 - attempt.startedAt))" } ?? ""
    let failure = attempt.failure.map { ", \($0.kind): \($0.message)" } ?? ""
    let outcome = attempt.outcome?.rawValue ?? "under way"
    return Explanation.Fact("attempt \(attempt.number)", "from \(attempt.startedAt), \(outcome)\(took)\(failure)")
  }

  private func facts(of run: Run) -> [Explanation.Fact] {
    var facts = [Explanation.Fact("run", text(of: run))]
    if let scheduledFor = run.scheduledFor, run.trigger == .pass || run.trigger == .schedule {
      let delay = run.createdAt - scheduledFor
      if delay > .minutes(1) {
        facts.append(
          Explanation.Fact("lateness", "it was due at \(scheduledFor), and the trigger came \(span(delay)) later"))
      }
    }
    var attempts = "\(run.attempt) of at most \(run.maxAttempts) failed ones"
    attempts += ", \(run.failures) failed, \(run.losses) lost with their process"
    if run.continuations > 0 { attempts += ", \(run.continuations) continued from a checkpoint" }
    facts.append(Explanation.Fact("attempts", attempts))
    facts += run.earlierAttempts.suffix(Self.maximumAttempts).map { fact(of: $0) }
    if let failure = run.failure { facts.append(Explanation.Fact("failure", "\(failure.kind): \(failure.message)")) }
    if !run.status.isTerminal, run.status != .running {
      facts.append(Explanation.Fact("next attempt", "not before \(run.notBefore)"))
    }
    if run.reenqueues > 0 {
      facts.append(Explanation.Fact("deliveries", "the next attempt was enqueued \(run.reenqueues + 1) times"))
    }
    if let repetition = repetition(of: run) {
      facts.append(Explanation.Fact("repeated as", text(of: repetition)))
    }
    if let parent = run.parent { facts.append(Explanation.Fact("parent", input.runs[parent].map(text) ?? "\(parent)")) }
    for id in run.prerequisites {
      facts.append(Explanation.Fact("must come first", input.runs[id].map(text) ?? "\(id) does not exist"))
    }
    for id in run.dependents { facts.append(Explanation.Fact("waits for it", "\(id)")) }
    return facts
  }
}
