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
