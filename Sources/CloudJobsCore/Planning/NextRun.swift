/// Returns the first time after an instant at which the pass has to process a job, or nil if there is none.
///
/// - Parameters:
///   - job: the job: its definition under its document.
///   - time: the instant.
///   - owner: the party that fires the schedules of scheduled jobs.
/// - Returns: a time after `time` and not after `endAt`.
public func firstRun(
  of job: ResolvedJob, after time: Timestamp, under owner: ScheduleOwner = .cloudScheduler
) -> Timestamp? {
  guard job.isRunByPass(under: owner), job.policy.isActive, let schedule = job.schedule else { return nil }
  let first = firstRun(of: job, schedule, after: time)
  guard let first, let end = job.policy.endAt?.day(in: job.zone), job.zone.date(at: first) > end else { return first }
  return nil
}

func firstRun(of job: ResolvedJob, _ schedule: Schedule, after time: Timestamp) -> Timestamp? {
  switch job.policy.startAt {
  case .instant(let start)? where start > time: schedule.next(after: start - .microseconds(1))
  case .day(let start)? where time < job.zone.startOfDay(start):
    schedule.next(after: job.zone.startOfDay(start) - .microseconds(1))
  default: schedule.next(after: time)
  }
}

/// Returns the change that a job's state needs so that the pass finds the job: a `nextRun` for a new, edited or
/// re-enabled job.
///
/// - Parameters:
///   - job: the job: its definition under its document.
///   - state: its state; nil if it has no document yet.
///   - isListed: whether the store lists the job by its `nextRun`. A store whose index keeps types apart does not list
///     a time that another program wrote as text or as a number; such a time is written again.
///   - owner: the party that fires the schedules of scheduled jobs.
///   - now: the store's time.
/// - Returns: the change, or nil if none is needed.
public func reconcile(
  _ job: ResolvedJob, state: JobState?, isListed: Bool = true, under owner: ScheduleOwner = .cloudScheduler,
  now: Timestamp
) -> JobStatePatch? {
  let state = state ?? JobState()
  // A job that only another trigger fires has no next time; one that the pass no longer fires loses its own.
  let isForPass = job.isRunByPass(under: owner)
  let isPlanned = isForPass && state.nextRun != nil && state.plannedFor.map { $0 == job.planKey } ?? true
  if isPlanned, isListed, state.quarantine == nil { return nil }
  var patch = JobStatePatch()
  if state.quarantine != nil { patch.set(quarantine: nil) }
  let next = isPlanned ? state.nextRun : firstRun(of: job, after: now, under: owner)
  if next != state.nextRun || (state.nextRun != nil && !isListed) { patch.set(nextRun: next) }
  if !isPlanned {
    let key = next == nil ? nil : job.planKey
    if key != state.plannedFor { patch.set(plannedFor: key) }
  }
  return patch.fields.isEmpty ? nil : patch
}

extension PassJournalEntry.Line {
  /// Creates the line that tells that an invalid document was set aside.
  ///
  /// - Parameters:
  ///   - job: the id of the document.
  ///   - due: the next time that it had; for a due one, the latest time.
  ///   - reason: the fault.
  package init(settingAside job: String, dueAt due: Timestamp?, because reason: String) {
    self.init(
      job: job, scheduledFor: due, verdict: PassJournalEntry.Verdict.quarantined.rawValue, reason: reason,
      plan: PassJournalEntry.JobPlan(nextRun: nil, schedule: nil))
  }

  /// Creates the line that tells that a document was removed.
  ///
  /// - Parameters:
  ///   - job: the id of the document.
  ///   - state: the state that it had.
  package init(removing job: String, state: JobState?) {
    self.init(
      job: job, scheduledFor: state?.nextRun, verdict: PassJournalEntry.Verdict.removed.rawValue,
      reason: "The job's document was removed.",
      plan: PassJournalEntry.JobPlan(nextRun: nil, schedule: nil, replaced: state?.plannedFor))
  }

  /// Creates the line that tells the change of a job's plan by ``reconcile(_:state:isListed:under:now:)``; nil if the
  /// plan stays as it was.
  ///
  /// - Parameters:
  ///   - job: the job: its definition under its document.
  ///   - state: its state before; nil if it had no document.
  ///   - patch: the change.
  ///   - now: the store's time.
  package init?(replanning job: ResolvedJob, state: JobState?, _ patch: JobStatePatch, now: Timestamp) {
    let next = patch.fields["nextRun"].map { $0.string.flatMap { Timestamp(rfc3339: $0) } } ?? state?.nextRun
    let isEdited = next != nil && state?.plannedFor != job.planKey
    guard next != state?.nextRun || isEdited || state?.quarantine != nil else { return nil }
    let verdict: String
    let reason: String
    if let next {
      verdict = PassJournalEntry.Verdict.planned.rawValue
      let cause =
        if state?.quarantine != nil {
          "The document is valid again."
        } else if state?.nextRun != nil {
          "The schedule was edited."
        } else {
          "The job may run."
        }
      reason = "\(cause) Its next time is \(next)."
    } else if let skip = Gate.enabled.skip(of: GateInput(job: job, scheduledFor: now, trigger: .pass, now: now)) {
      (verdict, reason) = (skip.status.rawValue, skip.reason)
    } else if let end = job.policy.endAt {
      verdict = JobStatus.skippedEnded.rawValue
      reason = "No time of the schedule is left until endAt, \(end.day(in: job.zone))."
    } else {
      (verdict, reason) = (
        PassJournalEntry.Verdict.unplanned.rawValue, "The pass has no next time of the job to serve."
      )
    }
    self.init(
      job: job.id.rawValue, scheduledFor: state?.nextRun, verdict: verdict, reason: reason,
      plan: PassJournalEntry.JobPlan(nextRun: next, schedule: job.planKey, replaced: state?.plannedFor))
  }

  /// Creates the line that tells an edit of the schedule of a job that is not planned.
  ///
  /// - Parameters:
  ///   - job: the job after the edit.
  ///   - key: the text of the ``PlanKey`` before it.
  package init(editing job: ResolvedJob, from key: String?) {
    let skip = Gate.enabled.skip(of: GateInput(job: job, scheduledFor: .epoch, trigger: .pass, now: .epoch))
    self.init(
      job: job.id.rawValue, scheduledFor: nil,
      verdict: skip?.status.rawValue ?? PassJournalEntry.Verdict.unplanned.rawValue,
      reason: skip?.reason ?? "The pass has no next time of the job to serve.",
      plan: PassJournalEntry.JobPlan(nextRun: nil, schedule: job.planKey, replaced: key))
  }
}
