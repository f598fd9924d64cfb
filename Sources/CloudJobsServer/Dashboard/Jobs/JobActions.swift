#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// A change of all jobs.
enum AllJobsChange: String {
  /// Their schedules are skipped, and their runs wait.
  case pause
  /// They run again.
  case resume

  /// Creates a change of a parameter; nil for another text.
  init?(_ text: String?) {
    guard let text, let change = AllJobsChange(rawValue: text) else { return nil }
    self = change
  }

  /// The verb of the question.
  var verb: String { self == .pause ? "Pause" : "Resume" }
  /// The text of the button.
  var button: String { self == .pause ? "Pause all jobs" : "Resume all jobs" }
  /// What the change does.
  var effect: String {
    self == .pause
      ? "Their schedules are skipped and their enqueued runs wait, until they are resumed. Attempts under way go on."
      : "Their schedules run again from the next time on, and the runs that wait are executed."
  }

  /// Returns whether the change concerns a job: one whose document can be changed, and that is not so already.
  func concerns(_ listing: JobListing) -> Bool {
    guard listing.jobID != nil, let job = listing.job else { return false }
    return job.policy.paused == (self == .resume)
  }
}

/// What a visitor does with jobs.
struct JobActions: Sendable {
  /// A change of one job by a button.
  enum Switch: String {
    /// Lets the job run.
    case enable
    /// Keeps the job from running.
    case disable
    /// Skips the job's schedule, and lets its runs wait.
    case pause
    /// Ends a pause.
    case resume

    /// The message after it, and what is recorded.
    fileprivate var done: (message: DashboardMessage, action: String) {
      switch self {
      case .enable: (.enabled, "Enabled the job.")
      case .disable: (.disabled, "Disabled the job.")
      case .pause: (.paused, "Paused the job.")
      case .resume: (.resumed, "Resumed the job.")
      }
    }

    /// Changes a configuration.
    ///
    /// - Parameters:
    ///   - configuration: the document's configuration.
    ///   - policy: what the code says; nil if it is in another program.
    fileprivate func apply(to configuration: inout JobConfiguration, over policy: JobPolicy?) {
      switch self {
      case .enable: configuration.enabled = true
      case .disable: configuration.enabled = false
      case .pause: configuration.paused = true
      // Without the field the code counts, which may pause the job too.
      case .resume: configuration.paused = policy?.paused == true ? false : nil
      }
    }
  }

  private let context: DashboardContext
  private var runtime: JobRuntime { context.runtime }
  private var inventory: JobInventory { JobInventory(runtime) }

  init(_ context: DashboardContext) { self.context = context }

  /// Enables, disables, pauses or resumes a job.
  ///
  /// - Throws: ``JobError`` as ``JobInventory/configure(_:_:)`` does.
  func apply(_ change: Switch, to job: JobID) async throws(JobError) -> Dashboard.Reply {
    let policy = try await inventory.listing(of: job).job.definition?.policy
    try await inventory.configure(job) { change.apply(to: &$0, over: policy) }
    await context.record(change.done.action, job: job)
    return context.redirect(to: context.link("jobs", job.rawValue), after: change.done.message)
  }

  /// Pauses or resumes jobs, one after the other.
  ///
  /// - Returns: why some could not be changed.
  func change(_ listings: [JobListing], _ change: AllJobsChange) async -> [String] {
    var failures: [String] = []
    let one: Switch = change == .pause ? .pause : .resume
    for listing in listings {
      guard let job = listing.jobID else { continue }
      do throws(JobError) {
        try await inventory.configure(job) { one.apply(to: &$0, over: listing.definition?.policy) }
      } catch {
        failures.append("\(job): \(error.message)")
      }
    }
    let count = listings.count - failures.count
    if count > 0 {
      await context.record("\(change == .pause ? "Paused" : "Resumed") \(PageNumber.text(count, "job")).", job: nil)
    }
    return failures
  }

  /// Enqueues a run.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - listing: the job.
  ///   - isManual: whether the run passes every gate but `enabled`.
  /// - Throws: ``JobError`` as ``JobRuntime/enqueue(_:)`` does; `busy` for a manual run of a disabled job.
  func enqueue(
    _ request: EnqueueRequest, _ listing: JobListing, isManual: Bool
  ) async throws(JobError) -> Dashboard.Reply {
    if isManual, listing.job?.policy.enabled == false {
      throw JobError(.busy, "The job \(request.job) is disabled. Enable it first.")
    }
    let client = try await runtime.enqueuing(request.job)
    let run = isManual ? try await client.trigger(request) : try await client.enqueue([request])[0]
    if run.isNew {
      await context.record(isManual ? "Ran the job now." : "Enqueued a run.", job: request.job, run: run.id)
    }
    let done: DashboardMessage = run.isNew ? (isManual ? .triggered : .enqueued) : .enqueuedBefore
    return context.redirect(to: context.link("jobs", request.job.rawValue), after: done)
  }

  /// Removes the document of a job.
  ///
  /// - Throws: ``JobError`` `unknownJob` or `storeUnavailable`.
  func remove(_ job: JobID) async throws(JobError) -> Dashboard.Reply {
    try await inventory.removeDocument(of: job)
    await context.record("Removed the job's document.", job: job)
    return context.redirect(to: context.link("jobs"), after: .removed)
  }
}
#endif
