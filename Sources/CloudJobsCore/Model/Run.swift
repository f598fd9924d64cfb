/// One occurrence's record: what was asked for, how far it is, and how it ended.
public struct Run: Hashable, Sendable {
  /// The name: the hash of job and occurrence.
  public var id: RunID
  /// The job.
  public var job: JobID
  /// Why it exists.
  public var trigger: Trigger
  /// What the handler gets.
  public var input: JSONText?
  /// What the handler returned.
  public var output: JSONText?
  /// Where it stands.
  public var status: RunStatus
  /// The attempts begun so far; 0 before the first.
  public var attempt = 0
  /// The attempts that failed or were lost; a snooze is none.
  public var failures = 0
  /// The attempts that ended with their process, and count as failed only from ``maximumLosses`` on.
  public var losses = 0
  /// The failures at which it is given up, as of the last look at the policy.
  public var maxAttempts: Int
  /// The moment that it is for: its slot in the schedule, or the time that the caller asked for.
  public var scheduledFor: Timestamp?
  /// The earliest start of the next attempt.
  public var notBefore: Timestamp
  /// When the record was made, by the store's clock.
  public var createdAt: Timestamp
  /// When the first attempt began.
  public var startedAt: Timestamp?
  /// When it ended.
  public var finishedAt: Timestamp?
  /// Who executes it now; nil while nobody does.
  public var lease: Lease?
  /// The last fencing token given out; 0 before the first claim.
  public var fence: Int64 = 0
  /// How often a delivery was handed to the queue for the coming attempt beyond the first time.
  public var handoffs = 0
  /// When the sweep must look at it if nothing else has happened; nil once it has ended.
  public var wakeAt: Timestamp?
  /// Why the latest attempt failed.
  public var failure: RunFailure?
  /// Why it was cancelled or waits, in words.
  public var reason: String?
  /// What ties together all that one cause set in motion.
  public var correlationID: String?
  /// The run that asked for this one.
  public var parent: RunID?
  /// The caller's own key, where it gave one.
  public var uniqueKey: String?
  /// The queue that carries it; nil means the runtime's default.
  public var queue: String?
  /// The order among runs: higher first.
  public var priority = 0
  /// When the record may be deleted; nil while the run is under way.
  public var expireAt: Timestamp?

  /// How many attempts may end with their process before each further one counts as failed: a restart is nobody's
  /// fault, but an input that ends the process each time must not be tried for ever.
  public static let maximumLosses = 10

  /// A run that has not begun.
  public init(
    id: RunID, job: JobID, trigger: Trigger, input: JSONText? = nil, status: RunStatus = .pending, maxAttempts: Int,
    scheduledFor: Timestamp? = nil, notBefore: Timestamp, createdAt: Timestamp
  ) {
    self.id = id
    self.job = job
    self.trigger = trigger
    self.input = input
    self.status = status
    self.maxAttempts = maxAttempts
    self.scheduledFor = scheduledFor
    self.notBefore = notBefore
    self.createdAt = createdAt
  }
}
