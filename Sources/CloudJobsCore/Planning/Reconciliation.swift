/// What a job's state lacks, so that the pass finds it: a `nextRun` for a new, edited or re-enabled job.
///
/// - Parameters:
///   - job: the job as it stands.
///   - state: its state; nil where it has no document yet.
///   - isListed: whether the store lists the job by its `nextRun`. A store whose index keeps types apart does not where
///     another program wrote the time as text or a number; it is then written anew.
///   - owner: what fires the schedules of scheduled jobs.
///   - now: the store's time.
/// - Returns: the change, or nil where nothing is to be done.
public func reconcile(
  _ job: ResolvedJob, state: JobState?, isListed: Bool = true, under owner: ScheduleOwner = .cloudScheduler,
  now: Timestamp
) -> JobStatePatch? {
  let state = state ?? JobState()
  // A job that nothing but another trigger fires has no next time; one that the pass no longer fires loses its own.
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
