import CloudJobsCore

/// A run that is asked for, checked, before the store has told its time.
struct RunDraft: Sendable {
  var id: RunID
  var definition: JobDefinition
  var request: EnqueueRequest
  var input: JSONText?
  var parent: RunID?
  var correlationID: String?

  /// The run, by the store's clock and by the policy as it stands.
  func run(_ policy: JobPolicy, settings: PlanSettings, now: Timestamp) -> Run {
    let start = max(now, request.notBefore ?? now)
    var run = Run(
      id: id, job: definition.id, trigger: parent == nil ? .task : .parent, input: input,
      status: start > now ? .scheduled : .pending, maxAttempts: policy.retry.maxAttempts,
      scheduledFor: request.notBefore, notBefore: start, createdAt: now)
    run.uniqueKey = request.key
    run.parent = parent
    run.correlationID = correlationID
    run.queue = policy.queue
    run.priority = policy.priority
    run.wakeAt = start + settings.sweepDelay
    return run
  }
}

/// What became of some drafts.
struct RunRecording: Sendable {
  /// The runs as they stand in the store, as far as they can be read.
  var runs: [RunID: Run] = [:]
  /// Those that this call made.
  var new: Set<RunID> = []
  /// The time limits of their jobs.
  var timeouts: [JobID: Duration] = [:]
}
