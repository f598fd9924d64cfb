/// Explains why a job ran, did not run, or will run: total, and a function of its input alone.
///
/// - Parameter input: what is stored about the job around the time.
/// - Returns: the explanation.
public func explain(_ input: ExplanationInput) -> Explanation {
  let explainer = Explainer(input)
  if let id = input.runID, let run = input.runs[id] { return explainer.explain(run) }
  if input.time == nil, let run = input.presentRun { return explainer.explain(run) }
  if input.isRemoved, input.askedAbout >= input.now { return explainer.explainRemoved() }
  if input.isRequested { return explainer.explainRecorded() ?? explainer.explainRequests() }
  if input.resolved == nil, input.askedAbout >= input.now { return explainer.explainFault() }
  if input.time == nil { return explainer.explainPresent() }
  guard let (occurrence, isExact) = input.occurrence else {
    return input.resolved == nil ? explainer.explainFault() : explainer.explainNoTime(input.askedAbout)
  }
  return isExact ? explainer.explain(occurrence) : explainer.explainTimeBetween(occurrence)
}

/// The parts of explanations that all of them share.
struct Explainer {
  let input: ExplanationInput

  init(_ input: ExplanationInput) {
    self.input = input
  }

  var now: Timestamp { input.now }
  var job: ResolvedJob? { input.resolved }

  /// Completes an explanation with what is true of every one: the next time, limits, and the state of the job.
  func completed(_ explanation: Explanation) -> Explanation {
    var explanation = explanation
    explanation.nextRun = nextRun
    let isRepeated = explanation.run.flatMap { input.runs[$0] }.map { repetition(of: $0) != nil } ?? false
    if !isRepeated { explanation.remedies += remedies(for: explanation.cause) }
    if !input.isRegistered {
      explanation.facts.append(Explanation.Fact("code", "in another program, which may say more"))
    }
    if let job {
      if let schedule = job.schedule, input.isRequested {
        explanation.facts.append(Explanation.Fact("schedule", "\(schedule.text) is ignored: an endpoint has none"))
      } else if let schedule = job.schedule {
        explanation.facts.append(
          Explanation.Fact("schedule", "\(schedule.text): \(schedule.summary), by the zone \(job.zone.name)"))
        if let note = explanation.occurrence.flatMap({ schedule.note(at: $0) }) {
          explanation.facts.append(Explanation.Fact("clock change", note))
        }
      }
      explanation.facts += input.limits.map(fact(of:))
      if case .failure(let error) = input.job { explanation.facts.append(Explanation.Fact("document", "\(error)")) }
    }
    if let previous = latestRun, previous.id != explanation.run {
      explanation.facts.append(Explanation.Fact("latest run", text(of: previous)))
    }
    if let workers = input.workers {
      explanation.facts.append(Explanation.Fact("workers", workers == 0 ? "none is alive" : "\(workers) alive"))
    }
    return explanation
  }

  var latestRun: Run? { input.state.lastRunID.flatMap { input.runs[$0] } }

  /// Returns a duration in a few characters, such as `30d` or `7m`.
  func span(_ duration: Duration) -> String { IntervalText.text(microseconds: duration.microseconds) }

  /// Returns a run in a few words.
  func text(of run: Run) -> String {
    var text = "\(run.id) is \(run.status.rawValue)"
    if let lease = run.lease { text += ", held by \(lease.owner) until \(lease.expiresAt)" }
    if let end = run.finishedAt { text += " since \(end)" }
    return text
  }

  private func fact(of reading: ExplanationInput.LimitReading) -> Explanation.Fact {
    let (limit, ledger) = (reading.limit, reading.ledger)
    var parts: [String] = []
    if let count = limit.maxConcurrent {
      var holders = ledger.holders.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map {
        "\($0.key) until \($0.value)"
      }
      if holders.count > 10 { holders = holders.prefix(10) + ["and \(holders.count - 10) more"] }
      parts.append(
        "\(ledger.holders.count) of \(count) at once"
          + (holders.isEmpty ? "" : ", held by \(holders.joined(separator: ", "))"))
    }
    if let rate = limit.rate {
      let count = ledger.starts.values.reduce(ledger.newStarts, +)
      parts.append("\(min(count, rate.count)) of \(rate.count) starts in \(span(rate.period))")
    }
    if ledger.hasWaiters { parts.append("\(ledger.waiters.count)\(ledger.hasMoreWaiters ? " or more" : "") wait") }
    return Explanation.Fact("limit \(limit.ledger)", parts.joined(separator: "; "))
  }

  /// The next time at which the job is due and its calendar lets it run.
  private var nextRun: Timestamp? {
    guard let job, job.policy.isActive, input.state.quarantine == nil, !input.isRequested, !input.isRemoved,
      let schedule = job.schedule
    else { return nil }
    let isByPass = job.isRunByPass(under: input.settings.scheduleOwner)
    let first = firstRun(of: job, schedule, after: now)
    var next = isByPass ? input.state.nextRun ?? first : first
    // As many days in a row are left out as `skipDates` has.
    for _ in 0...job.policy.skipDates.count + 1 {
      guard let time = next else { return nil }
      let gateInput = GateInput(job: job, scheduledFor: time, trigger: .pass, now: now)
      if Gate.endAt.skip(of: gateInput) != nil { return nil }
      if Gate.startAt.skip(of: gateInput) != nil {
        next = firstRun(of: job, schedule, after: time)
      } else if Gate.skipDates.skip(of: gateInput) != nil {
        let day = CivilDate(daysSinceEpoch: job.zone.date(at: time).daysSinceEpoch + 1)
        next = schedule.next(after: job.zone.startOfDay(day) - .microseconds(1))
      } else {
        return time
      }
    }
    return nil
  }

  // MARK: Gates

  /// Returns the gates as they stand for a time.
  ///
  /// - Parameters:
  ///   - occurrence: the time.
  ///   - trigger: the trigger of the run.
  ///   - run: the run that is to pass them; nil if there is none yet.
  /// - Returns: the gates in their order.
  func gates(
    for occurrence: Timestamp, trigger: Trigger = .pass, run: RunID? = nil
  ) -> [Explanation.GateVerdict] {
    reports(for: occurrence, trigger, run).map { report in
      Explanation.GateVerdict(
        name: report.name, value: report.value, isOpen: report.skip == nil, reason: report.skip?.reason)
    }
  }

  /// Returns the gates of a time that passed them all, or the gates before the closed one.
  ///
  /// - Parameters:
  ///   - occurrence: the time.
  ///   - closed: the gate's skip; nil if all were open.
  /// - Returns: the gates in their order.
  func gates(for occurrence: Timestamp, closedBy closed: Skip?) -> [Explanation.GateVerdict] {
    let last = closed.flatMap { Gate.Name($0.status) }
    let place = last.flatMap { name in Gate.inOrder.firstIndex { $0.name == name } }
    return reports(for: occurrence, .pass).enumerated().map { index, report in
      let isOpen: Bool? = place.map { index < $0 ? true : index == $0 ? false : nil } ?? true
      return Explanation.GateVerdict(
        name: report.name, value: report.value, isOpen: isOpen, reason: isOpen == false ? closed?.reason : nil)
    }
  }

  /// Returns the gates of a time that never came to them.
  func unreachedGates(for occurrence: Timestamp) -> [Explanation.GateVerdict] {
    reports(for: occurrence, .pass).map { Explanation.GateVerdict(name: $0.name, value: $0.value, isOpen: nil) }
  }

  private func reports(for occurrence: Timestamp, _ trigger: Trigger, _ run: RunID? = nil) -> [GateReport] {
    gateInput(for: occurrence, trigger: trigger, run: run).map { Gate.reports(for: $0) } ?? []
  }

  func gateInput(for occurrence: Timestamp, trigger: Trigger, run: RunID? = nil) -> GateInput? {
    job.map { job in
      GateInput(
        job: job, scheduledFor: occurrence, trigger: trigger, dependencies: input.dependencies,
        // A run is not in its own way.
        previous: latestRun.flatMap { $0.id == run ? nil : $0 }, breakerOpenUntil: input.state.breakerOpenUntil,
        // An open breaker, or a run under way, is over by a time to come.
        now: max(now, occurrence))
    }
  }
}

extension Gate.Name {
  /// Creates the name of the gate that a skip comes from; nil for a missed time, which none closes.
  init?(_ status: JobStatus) {
    switch status {
    case .skippedDisabled, .skippedPaused: self = .enabled
    case .skippedNotStarted: self = .startAt
    case .skippedEnded: self = .endAt
    case .skippedDateExclusion: self = .skipDates
    case .skippedDependencyFailed: self = .dependencies
    case .skippedBreakerOpen: self = .breaker
    case .skippedOverlap: self = .overlap
    case .skippedMisfire, .success, .failure: return nil
    }
  }
}

extension Explainer {
  /// Returns the changes that would lead to another outcome.
  func remedies(for cause: ExplanationCause) -> [String] {
    switch cause {
    case .succeeded, .running, .stopping, .due, .snoozed, .continuing, .waitingForStart, .replaced: []
    case .attemptsUsedUp, .failedPermanently, .failureNotRetried, .cancelledByHandler:
      ["Remove the cause of the failure that the facts name, then redrive the run."]
    case .attemptsTimedOut: ["Raise the job's timeout, or save checkpoints, then redrive the run."]
    case .attemptsLost: ["Look for what ended the process, such as its memory limit, then redrive the run."]
    case .invalidInput: ["Enqueue a new run with an input that the job takes."]
    case .cancelledByRequest, .cancelledByGate, .cancelledByPrerequisite:
      ["Redrive the run, once the reason no longer holds."]
    case .leaseExpired: ["The next sweep or worker begins another attempt. Check that one of them runs."]
    case .waitingForRetry: ["Retry the run now, without its delay, if the failure's cause is gone."]
    case .waitingForDelivery: ["Check that the queue is not paused, and that it reaches the service."]
    case .waitingForWorker:
      [input.workers == 0 ? "Start a worker." : "Check that the workers have the job's code, and have room."]
    case .waitingForOtherService: ["Check that the service for heavy work runs, and that its queue reaches it."]
    case .waitingForPrerequisite: ["Wait for the run that must come first, or cancel it."]
    case .waitingForEarlierRun, .skippedOverlap, .waitingForEarlierTime:
      ["Wait for the earlier run or cancel it; or set overlap to allow, or a longer interval."]
    case .waitingForBreaker, .skippedBreakerOpen:
      ["Remove the cause of the failures; after the cooldown one run is a probe. Trigger the job to try at once."]
    case .waitingForResume, .skippedPaused: ["Resume the job."]
    case .waitingForConcurrency: ["Wait for a run to end, or raise maxConcurrent."]
    case .waitingForGroup: ["Wait for a run of the group to end, or raise groupMaxConcurrent."]
    case .waitingForRate: ["Wait for the period to pass, or raise rate."]
    case .skippedDisabled: ["Enable the job."]
    case .skippedNotStarted: ["Set an earlier startAt, or remove it."]
    case .skippedEnded: ["Set a later endAt, or remove it."]
    case .skippedDateExclusion: ["Remove the day from skipDates."]
    case .skippedDependencyFailed: ["Make the job that it depends on succeed."]
    case .skippedMisfire, .collapsed, .dropped:
      ["Keep passes or workers running; or set misfire to once or catchUp(n), so that missed times are made up for."]
    case .notScheduled, .noTrigger: ["Trigger the job, or edit its schedule."]
    case .noPass: [input.workers == 0 ? "Start a worker." : "Check that the master pass is called once a minute."]
    case .noDelivery: ["Check the job in Cloud Scheduler: that it exists, is not paused, and reaches the service."]
    case .unregistered: ["Check that the program that has the job's code runs; if there is none, remove the document."]
    case .setAside: ["Fix the field of the document; the next housekeeping takes the job back."]
    case .rescheduled, .notPlannedYet, .unplanned, .removed: ["Trigger the job if the time should be made up for."]
    case .storeUnavailable: ["The next pass tries again."]
    case .recordDeleted, .recordExpired: ["Keep records for longer: retention, journalRetention."]
    case .unrecorded: []
    }
  }
}
