#if HTTP
import CloudJobs
public import CloudJobsCore

/// What sync keeps in step, and where.
public struct CloudSyncConfiguration: Sendable {
  /// The Google Cloud project's id.
  public var project: String
  /// The location, such as `europe-west1`.
  public var location: String
  /// The address at which the handler is mounted, such as `https://service.example/jobs`.
  public var handler: String
  /// The queue that takes the tasks of jobs that name none.
  public var queue: String
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
  /// The service account in whose name Cloud Scheduler signs an OIDC token for the handler; nil for no token.
  public var serviceAccount: String?
  /// The audience of that token; nil means the address called.
  public var audience: String?
  /// When the master pass runs.
  public var masterSchedule = "* * * * *"
  /// How long Cloud Scheduler waits for a master pass; the next one begins no earlier.
  public var masterDeadline = Duration.minutes(3)
  /// How much longer than a job's time limit Cloud Scheduler waits for it.
  public var deadlineMargin = Duration.seconds(15)
  /// Cloud Tasks' address: Google's, or an emulator's.
  public var tasksEndpoint = "https://cloudtasks.googleapis.com"
  /// Cloud Scheduler's address: Google's, or an emulator's.
  public var schedulerEndpoint = "https://cloudscheduler.googleapis.com"
  /// The longest that one call may take.
  public var callTimeout = Duration.seconds(10)
  /// How often a call is tried while a service is ailing.
  public var retry = CallRetry()

  /// A configuration.
  public init(project: String, location: String, handler: String, queue: String) {
    self.project = project
    self.location = location
    self.handler = handler
    self.queue = queue
  }

  /// What the description of each owned job of Cloud Scheduler begins with.
  public var ownershipTag: String { "[cloud-jobs:\(owner)]" }

  /// The resource name of the job of Cloud Scheduler that fires a job.
  ///
  /// - Parameter job: the job; ``JobID/master`` for the master pass.
  /// - Returns: `projects/…/locations/…/jobs/…`.
  public func schedulerJobName(of job: JobID) -> String {
    "\(parent)/jobs/\(owner)-\(Self.escaped(job))"
  }

  /// The resource name of the location.
  var parent: String { "projects/\(project)/locations/\(location)" }

  /// A job's name in the letters that Cloud Scheduler takes; no two names become one.
  static func escaped(_ job: JobID) -> String {
    job.rawValue.reduce(into: "") { text, character in
      switch character {
      case "-": text += "--"
      case ".": text += "-d"
      case ":": text += "-c"
      default: text.append(character)
      }
    }
  }
}
#endif
