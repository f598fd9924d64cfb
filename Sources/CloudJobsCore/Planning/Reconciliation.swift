/// What a job's state lacks, so that the pass finds it: a `nextRun` for a new, edited or re-enabled job.
///
/// - Parameters:
///   - job: the job as it stands.
///   - state: its state; nil where it has no document yet.
///   - now: the store's time.
/// - Returns: the change, or nil where nothing is to be done.
public func reconcile(_ job: ResolvedJob, state: JobState?, now: Timestamp) -> JobStatePatch? {
  let state = state ?? JobState()
  let isPlanned = state.nextRun != nil && state.plannedFor.map { $0 == job.planKey } ?? true
  if isPlanned, state.quarantine == nil { return nil }
  var patch = JobStatePatch()
  if state.quarantine != nil { patch.set(quarantine: nil) }
  if !isPlanned {
    let next = firstRun(of: job, after: now)
    let key = next == nil ? nil : job.planKey
    if next != state.nextRun { patch.set(nextRun: next) }
    if key != state.plannedFor { patch.set(plannedFor: key) }
  }
  return patch.fields.isEmpty ? nil : patch
}
