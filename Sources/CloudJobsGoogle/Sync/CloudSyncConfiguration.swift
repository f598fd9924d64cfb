#if HTTP
import CloudJobs
public import CloudJobsCore

/// What sync keeps in step, and where.
public struct CloudSyncConfiguration: Sendable {
  /// Project, location, the queue of jobs that name none, and the handler with the token that is sent to it.
  public var tasks: CloudTasksConfiguration
  /// Who owns what sync makes: letters, digits, `_` and `-`.
  ///
  /// A job of Cloud Scheduler is owned where its name begins with the owner and its description with
  /// ``ownershipTag``; no other is ever changed. Services that share a location need an owner each. Queues have no
  /// description: sync makes and sets those that jobs name, and never deletes one, as its tasks would go with it.
  public var owner = "cloud-jobs"
  /// How queues are set that ``queues`` does not name.
  public var queueSettings = QueueSettings()
  /// How queues are set, by name.
  public var queues: [String: QueueSettings] = [:]
  /// When the master pass runs.
  public var masterSchedule = "* * * * *"
  /// How long Cloud Scheduler waits for a master pass; the next one begins no earlier.
  public var masterDeadline = Duration.minutes(3)
  /// How much longer than a job's time limit Cloud Scheduler waits for it.
  public var deadlineMargin = Duration.seconds(15)
  /// The longest that one call may take.
  public var callTimeout = Duration.seconds(10)
  /// How often a call is tried while a service is ailing.
  public var retry = CallRetry()

  /// A configuration for the same project, location, queue and handler as a queue's.
  public init(_ tasks: CloudTasksConfiguration) {
    self.tasks = tasks
  }

  /// What the description of each owned job of Cloud Scheduler begins with.
  public var ownershipTag: String { "[cloud-jobs:\(owner)]" }

  /// The resource name of the job of Cloud Scheduler that fires a job.
  ///
  /// - Parameter job: the job; ``JobID/master`` for the master pass.
  /// - Returns: `projects/…/locations/…/jobs/…`.
  public func schedulerJobName(of job: JobID) -> String {
    "\(parent)/jobs/\(owner)-\(job.schedulerName)"
  }

  /// The resource name of the location.
  var parent: String { tasks.parent }
}
#endif
