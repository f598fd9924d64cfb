/// The fields of a ``Run``, whose documentation describes them.
struct RunContent: Hashable, Sendable {
  var id: RunID
  var job: JobID
  var trigger: Trigger
  var input: JSONText?
  var output: JSONText?
  var status: RunStatus
  var attempt = 0
  var failures = 0
  var losses = 0
  var maxAttempts: Int
  var scheduledFor: Timestamp?
  var notBefore: Timestamp
  var createdAt: Timestamp
  var startedAt: Timestamp?
  var attemptStartedAt: Timestamp?
  var earlierAttempts: [RunAttempt] = []
  var finishedAt: Timestamp?
  var lease: Lease?
  var fence: Int64 = 0
  var reenqueues = 0
  var wakeAt: Timestamp?
  var failure: RunFailure?
  var reason: String?
  var correlationID: String?
  var trace: TraceContext?
  var parent: RunID?
  var timeout: Duration?
  var attemptLimit: Int?
  var checkpoint: JSONText?
  var continuations = 0
  var progress: RunProgress?
  var cancellation: String?
  var prerequisites: [RunID] = []
  var failedPrerequisite = FailedPrerequisitePolicy.cancel
  var awaiting: RunID?
  var dependents: [RunID] = []
  var amendments: Int64 = 0
  var uniqueKey: String?
  var queue: String?
  var priority = 0
  var metadata: [String: JSONValue] = [:]
  var permits: [LedgerID] = []
  var waitsFor: LedgerID?
  var expireAt: Timestamp?

  init(
    id: RunID, job: JobID, trigger: Trigger, input: JSONText?, status: RunStatus, maxAttempts: Int,
    scheduledFor: Timestamp?, notBefore: Timestamp, createdAt: Timestamp
  ) {
    (self.id, self.job, self.trigger, self.input) = (id, job, trigger, input)
    (self.status, self.maxAttempts, self.scheduledFor) = (status, maxAttempts, scheduledFor)
    (self.notBefore, self.createdAt) = (notBefore, createdAt)
  }
}
