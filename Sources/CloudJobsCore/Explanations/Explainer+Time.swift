/// Explanations of times: of a schedule, or of a job without one.
extension Explainer {
  /// Explains a time of the schedule.
  func explain(_ occurrence: Timestamp) -> Explanation {
    if occurrence > now { return explainFuture(occurrence) }
    if let run = input.runs[RunID(job: input.id, occurrence: .scheduledFor(occurrence))] {
      var explanation = explain(run)
      explanation.facts += passFacts(decision(covering: occurrence))
      return explanation
    }
    if let decision = decision(covering: occurrence) { return explain(occurrence, by: decision) }
    return explainUndecided(occurrence)
  }

  /// Explains the present of a job without a run under way: by its latest time, or by the next one if nothing is known
  /// of the latest because it lies before the plan.
  func explainPresent() -> Explanation {
    var latest: Explanation?
    if let (occurrence, _) = input.occurrence {
      let explanation = explain(occurrence)
      let isBefore = [.notPlannedYet, .notScheduled, .recordExpired, .recordDeleted].contains(explanation.cause)
      if !isBefore { return explanation }
      latest = explanation
    }
    let next = job?.schedule?.next(after: now)
    return next.map(explainFuture) ?? latest ?? explainNoTime(now)
  }

  /// Explains a past time by its run or its decision alone; nil if neither is on record.
  func explainRecorded() -> Explanation? {
    guard input.time != nil, let (occurrence, isExact) = input.occurrence, isExact, occurrence <= now else {
      return nil
    }
    let isRecorded =
      input.runs[RunID(job: input.id, occurrence: .scheduledFor(occurrence))] != nil
      || decision(covering: occurrence) != nil
    return isRecorded ? explain(occurrence) : nil
  }

  // MARK: Decided times

  /// Returns the decision about a time: the last one that is final, or else the last one.
  private func decision(covering occurrence: Timestamp) -> ExplanationInput.Decision? {
    let covering = input.decisions.filter { decision in
      let line = decision.line
      // A change of the plan before the time came is not about it.
      if line.plan != nil, decision.time < occurrence, line.scheduledFor != occurrence || line.isPlanChange {
        return false
      }
      if line.scheduledFor == occurrence { return true }
      guard let missed = line.missed, let scheduledFor = line.scheduledFor else { return false }
      return missed.since <= occurrence && occurrence < scheduledFor
    }
    return covering.last { !$0.isTransient } ?? covering.last
  }

  private func explain(_ occurrence: Timestamp, by decision: ExplanationInput.Decision) -> Explanation {
    let line = decision.line
    let (cause, why) = cause(of: decision, for: occurrence)
    let late = decision.time - occurrence > .minutes(2) ? " That was the first look at it." : ""
    var explanation = Explanation(
      job: input.id, time: input.askedAbout, now: now, occurrence: occurrence,
      verdict: cause == .recordDeleted ? .unknown : .didNotRun, cause: cause, summary: why,
      trigger: line.isPlanChange
        ? "Its plan was changed at \(decision.time), before a run was made of it."
        : "It came: \(decision.owner) decided at \(decision.time).\(late)")
    if let skip = JobStatus(rawValue: line.verdict), line.scheduledFor == occurrence, cause.rawValue == line.verdict {
      explanation.gates = gates(for: occurrence, closedBy: Skip(skip, line.reason))
    } else {
      explanation.gates = unreachedGates(for: occurrence)
    }
    explanation.facts = passFacts(decision)
    return completed(explanation)
  }

  private func cause(
    of decision: ExplanationInput.Decision, for occurrence: Timestamp
  ) -> (ExplanationCause, String) {
    let line = decision.line
    if let missed = line.missed, let scheduledFor = line.scheduledFor, occurrence < scheduledFor {
      if let status = JobStatus(rawValue: line.verdict), let plan = line.plan, plan.nextRun == nil {
        return (ExplanationCause(status), "Nothing looked at the job until \(decision.time). \(line.reason)")
      }
      let outcome = line.run.map { "got the run \($0)" } ?? "was skipped: \(line.reason)"
      switch missed.policy {
      case .skip: return (.skippedMisfire, "It was missed. \(line.reason)")
      case .once:
        return (
          .collapsed,
          "It was missed: nothing looked at the job from \(missed.since) to \(decision.time). Of all missed times, the "
            + "latest counts alone: \(scheduledFor) \(outcome)"
        )
      case .catchUp(let count):
        return (
          .dropped,
          "It was missed: nothing looked at the job from \(missed.since) to \(decision.time). The latest \(count) "
            + "missed times are made up for, and this one is older."
        )
      }
    }
    if let status = JobStatus(rawValue: line.verdict) {
      return (ExplanationCause(status), "It was skipped. \(line.reason)")
    }
    switch PassJournalEntry.Verdict(rawValue: line.verdict) {
    case .run?, .queued?, .duplicate?:
      return (.recordDeleted, "It ran, or was to: its run \(line.run.map { "\($0)" } ?? "") is no longer stored.")
    case .waiting?: return (.waitingForEarlierTime, line.reason)
    case .unavailable?: return (.storeUnavailable, "The store was unavailable. \(line.reason)")
    case .quarantined?: return (.setAside, "The job's document was invalid. \(line.reason)")
    case .planned?: return (.rescheduled, "Before a run was made of it, the plan changed. \(line.reason)")
    case .removed?: return (.removed, line.reason)
    case .unplanned?: return (.unplanned, line.reason)
    // Journals of earlier versions tell lost races; actions are no decisions, and are not read.
    case .conflict?, .action?, nil: return (.unrecorded, line.reason)
    }
  }

  private func passFacts(_ decision: ExplanationInput.Decision?) -> [Explanation.Fact] {
    guard let decision else { return [] }
    let (line, kind) = (decision.line, decision.line.isPlanChange ? "plan" : "decision")
    return [Explanation.Fact(kind, "\(line.verdict) at \(decision.time) by \(decision.owner): \(line.reason)")]
  }

  // MARK: Times without a decision

  private func explainUndecided(_ occurrence: Timestamp) -> Explanation {
    let (cause, why) = causeOfNoDecision(about: occurrence)
    let isOpen = cause == .noPass || cause == .unregistered
    var explanation = Explanation(
      job: input.id, time: input.askedAbout, now: now, occurrence: occurrence,
      verdict: [.unrecorded, .recordExpired, .recordDeleted].contains(cause) ? .unknown : .didNotRun, cause: cause,
      summary: why, trigger: "No trigger is on record for it.")
    if cause == .noDelivery { explanation.trigger = "Cloud Scheduler fires the job. No delivery is on record." }
    explanation.gates =
      JobStatus(rawValue: cause.rawValue).map { gates(for: occurrence, closedBy: Skip($0, why)) }
      ?? (isOpen ? gates(for: occurrence) : unreachedGates(for: occurrence))
    explanation.facts = passFacts(input.lastPlan(at: occurrence))
    return completed(explanation)
  }

  private func causeOfNoDecision(about occurrence: Timestamp) -> (ExplanationCause, String) {
    let plan = input.lastPlan(at: occurrence)
    if let plan, let found = cause(of: plan, inEffectAt: occurrence) { return found }
    if let next = input.state.nextRun, next <= occurrence { return causeOfDelay(of: occurrence, dueSince: next) }
    let change = input.decisions.first { $0.time > occurrence && $0.line.plan != nil }
    if let change, let found = cause(ofChange: change, after: occurrence, wasPlanned: plan != nil) { return found }
    // From here on the answer is what is not on record, as long as it would be.
    if let expired = expiry(of: occurrence, isPlanned: plan != nil) { return expired }
    if let job, case .cloudScheduler = job.route(under: input.settings.scheduleOwner) {
      return (.noDelivery, "Cloud Scheduler fires this job, and no delivery for the time was recorded.")
    }
    if let job, !job.policy.isActive, change == nil, plan == nil, input.state.nextRun == nil {
      let skip = Gate.enabled.skip(of: GateInput(job: job, scheduledFor: occurrence, trigger: .pass, now: now))
      if let skip { return (ExplanationCause(skip.status), "The job is not planned. \(skip.reason)") }
    }
    return (.unrecorded, "Neither a run nor a decision is on record for it.")
  }

  /// Returns why a time that is due still has no run.
  private func causeOfDelay(of occurrence: Timestamp, dueSince next: Timestamp) -> (ExplanationCause, String) {
    let skip = gateInput(for: occurrence, trigger: .pass).flatMap { Gate.enabled.skip(of: $0) }
    if let skip { return (ExplanationCause(skip.status), "No pass has looked at it yet. \(skip.reason)") }
    if case .catchUp? = job?.policy.misfire, let latestRun, !latestRun.status.isTerminal,
      latestRun.scheduledFor.map({ $0 < occurrence }) ?? false
    {
      return (.waitingForEarlierTime, "It waits for the run \(latestRun.id) of an earlier missed time.")
    }
    let workers = input.workers == 0 ? " No worker is alive." : ""
    if !input.isRegistered {
      return (
        .unregistered,
        "It has been due since \(next), and no pass of a program that has the job's code has looked.\(workers)"
      )
    }
    return (.noPass, "It has been due since \(next), and no pass has looked at it.\(workers)")
  }

  /// Returns that the records of a time are no longer kept; nil if they are.
  ///
  /// - Parameters:
  ///   - occurrence: the time.
  ///   - isPlanned: whether the plan is on record by which a run was to be made.
  /// - Returns: the cause and the answer, or nil.
  private func expiry(of occurrence: Timestamp, isPlanned: Bool) -> (ExplanationCause, String)? {
    if occurrence < now - input.journalRetention {
      let kept = input.journalRetention
      return (.recordExpired, "The decisions of that time are no longer stored; they are kept for \(span(kept)).")
    }
    guard let kept = retention, occurrence + kept < now else { return nil }
    let ran = isPlanned ? "It ran, as far as is known: no skip is on record." : "It may have run."
    return (.recordDeleted, "\(ran) A run of that time is no longer stored after \(span(kept)).")
  }

  /// The time for which every run of the job is kept after its end.
  private var retention: Duration? {
    job.map { min($0.policy.retention.span(for: .succeeded), $0.policy.retention.span(for: .failed)) }
  }

  /// Returns why a plan did not lead to a time; nil if it did.
  private func cause(
    of plan: ExplanationInput.Decision, inEffectAt occurrence: Timestamp
  ) -> (ExplanationCause, String)? {
    let line = plan.line
    guard let next = line.plan?.nextRun else {
      if let status = JobStatus(rawValue: line.verdict) {
        return (ExplanationCause(status), "The job has not been planned since \(plan.time). \(line.reason)")
      }
      return switch PassJournalEntry.Verdict(rawValue: line.verdict) {
      case .quarantined?: (.setAside, "The job's document has been invalid since \(plan.time). \(line.reason)")
      case .removed?: (.removed, "The job's document was removed at \(plan.time).")
      default: (.unplanned, "The job has not been planned since \(plan.time). \(line.reason)")
      }
    }
    if next <= occurrence { return nil }
    if let skip = gateInput(for: occurrence, trigger: .pass).flatMap({ Gate.startAt.skip(of: $0) }) {
      return (.skippedNotStarted, "\(skip.reason) The first time was \(next).")
    }
    return (.notPlannedYet, "The job was planned at \(plan.time) for \(next) and later.")
  }

  /// Returns how a change of the plan after a time kept it from running; nil if it did not.
  private func cause(
    ofChange change: ExplanationInput.Decision, after occurrence: Timestamp, wasPlanned: Bool
  ) -> (ExplanationCause, String)? {
    let line = change.line
    guard let replaced = line.scheduledFor else {
      if wasPlanned || line.plan?.replaced != nil || occurrence < now - input.journalRetention { return nil }
      return (.notPlannedYet, "The job was not planned before \(change.time).")
    }
    if replaced > occurrence { return nil }
    return cause(of: change, for: occurrence)
  }

  // MARK: Times to come

  private func explainFuture(_ occurrence: Timestamp) -> Explanation {
    let isByPass = job?.isRunByPass(under: input.settings.scheduleOwner) ?? true
    let skip = gateInput(for: occurrence, trigger: isByPass ? .pass : .schedule).flatMap { Gate.firstClosed(for: $0) }
    var verdict = Explanation.Verdict.willRun
    var cause = ExplanationCause.due
    var why = "It will run: as things stand, nothing is in its way."
    if let reason = input.state.quarantine {
      (verdict, cause) = (.willNotRun, .setAside)
      why = "It will not run: the job's document is invalid. \(reason)"
    } else if let skip {
      (verdict, cause) = (.willNotRun, ExplanationCause(skip.status))
      why = "As things stand it will not run. \(skip.reason)"
    } else if isLeft {
      (verdict, cause) = (.willNotRun, .unplanned)
      why = "As things stand it will not run: the program that has the job's code does not plan it."
    } else if isFull {
      why = "A run will be made of it, which waits for room: a limit of the job is reached at present."
    }
    var explanation = Explanation(
      job: input.id, time: input.askedAbout, now: now, occurrence: occurrence, verdict: verdict, cause: cause,
      summary: why,
      trigger: isByPass
        ? "The first master pass or worker that looks at \(occurrence) or later." : "Cloud Scheduler, at \(occurrence)."
    )
    explanation.gates = gates(for: occurrence)
    return completed(explanation)
  }

  /// Whether a program that has the job's code has looked at the document as it is, and planned nothing.
  private var isLeft: Bool {
    let last = input.lastPlan(at: now)
    return !input.isRegistered && input.state.nextRun == nil && last?.line.plan?.schedule == job?.planKey
      && last?.line.verdict == PassJournalEntry.Verdict.unplanned.rawValue
  }

  private var isFull: Bool {
    input.limits.contains { reading in
      reading.ledger.refusal(
        of: LimitPermit(RunID(job: input.id, occurrence: .scheduledFor(now)), until: now, reading.limit),
        changedAt: nil, at: now) != nil
    }
  }

  // MARK: Other times

  /// Explains a time that is none of the schedule.
  func explainTimeBetween(_ occurrence: Timestamp) -> Explanation {
    let asked = input.askedAbout
    let other = explain(occurrence)
    let schedule = input.plan(at: asked).schedule
    let after = occurrence > asked ? nil : schedule?.next(after: asked)
    let place = occurrence > asked ? "after" : "before"
    var explanation = Explanation(
      job: input.id, time: asked, now: now, occurrence: nil, verdict: asked > now ? .willNotRun : .didNotRun,
      cause: .notScheduled,
      summary: "\(asked) is no time of the schedule. The one \(place) it is \(occurrence)"
        + "\(after.map { ", the next one \($0)" } ?? ""). Of \(occurrence): \(other.summary)",
      trigger: "The schedule has no such time.")
    explanation.gates = unreachedGates(for: asked)
    return completed(explanation)
  }

  /// Explains that a schedule has no time at all on the side that is asked about.
  func explainNoTime(_ asked: Timestamp) -> Explanation {
    var explanation = Explanation(
      job: input.id, time: asked, now: now, occurrence: nil, verdict: asked > now ? .willNotRun : .didNotRun,
      cause: .notScheduled, summary: "The schedule has no time \(asked > now ? "after" : "up to") \(asked).",
      trigger: "The schedule has no such time.")
    explanation.gates = unreachedGates(for: asked)
    return completed(explanation)
  }

  /// Explains a job whose runs are asked for: by its latest run, or by the lack of one.
  func explainRequests() -> Explanation {
    let asked = input.askedAbout
    if let run = input.requestedRun { return explain(run) }
    let last =
      input.earlierRuns.first.map { " The latest run before it, \(text(of: $0))." } ?? " No earlier run is stored."
    let isForgotten = retention.map { asked + $0 < now } ?? false
    let subject = input.isRegistered ? "The job has no schedule" : "As far as the store tells, the job has no schedule"
    var explanation = Explanation(
      job: input.id, time: asked, now: now, occurrence: nil,
      verdict: isForgotten ? .unknown : asked > now ? .willNotRun : .didNotRun,
      cause: isForgotten ? .recordDeleted : .noTrigger,
      summary: isForgotten
        ? "Runs of that time are no longer stored." : "\(subject), and nothing asked for a run.\(last)",
      trigger: "None is on record: a run follows when it is enqueued, or when a task asks for it.")
    explanation.gates = gates(for: asked, trigger: .task)
    return completed(explanation)
  }

  /// Explains a job whose document was removed, and whose code is not here.
  func explainRemoved() -> Explanation {
    let asked = input.askedAbout
    let last = input.lastPlan(at: now)
    let since = last.map { " at \($0.time) by \($0.owner)" } ?? ""
    return completed(
      Explanation(
        job: input.id, time: asked, now: now, occurrence: nil, verdict: asked > now ? .willNotRun : .didNotRun,
        cause: .removed, summary: "The job's document was removed\(since).",
        trigger: "None: passes see a job by its document. A program that has its code makes a new one at its start."))
  }

  /// Explains a job whose document is invalid.
  func explainFault() -> Explanation {
    var reason = input.state.quarantine ?? ""
    if case .failure(let error) = input.job { reason = error.description }
    return completed(
      Explanation(
        job: input.id, time: input.askedAbout, now: now, occurrence: nil,
        verdict: input.askedAbout > now ? .willNotRun : .didNotRun, cause: .setAside,
        summary: "The job's document is invalid, so it does not run by its schedule. \(reason)",
        trigger: "Passes leave the job alone until the document is fixed."))
  }
}

extension ExplanationInput.Decision {
  /// Whether another decision follows, because the job stays due.
  fileprivate var isTransient: Bool {
    [.conflict, .unavailable, .waiting].contains(PassJournalEntry.Verdict(rawValue: line.verdict))
  }
}

extension PassJournalEntry.Line {
  /// Whether the line tells a change of the plan and no decision about a due time.
  fileprivate var isPlanChange: Bool {
    [.planned, .unplanned, .removed, .quarantined].contains(PassJournalEntry.Verdict(rawValue: verdict))
  }
}
