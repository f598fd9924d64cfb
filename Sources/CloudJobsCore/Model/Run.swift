/// The record of one occurrence: its request, its progress and its result.
public struct Run: Hashable, Sendable {
  /// The hash of job and occurrence.
  public var id: RunID
  /// The job that runs.
  public var job: JobID
  /// The reason for the run.
  public var trigger: Trigger
  /// The handler's input.
  public var input: JSONText?
  /// The handler's output.
  public var output: JSONText?
  /// The current status.
  public var status: RunStatus
  /// The number of attempts started; 0 before the first.
  public var attempt = 0
  /// The number of attempts that failed or were lost; a snooze does not count.
  public var failures = 0
  /// The number of attempts whose process ended; beyond ``maximumLosses``, further ones also count as failures.
  public var losses = 0
  /// The number of failures at which the run fails permanently, as of the last evaluation of the policy.
  public var maxAttempts: Int
  /// The time that the run is for: a time of the schedule, or the time that the caller requested.
  public var scheduledFor: Timestamp?
  /// The earliest start of the next attempt.
  public var notBefore: Timestamp
  /// The creation time, by the store's clock.
  public var createdAt: Timestamp
  /// The start of the first attempt.
  public var startedAt: Timestamp?
  /// The end of the run.
  public var finishedAt: Timestamp?
  /// The lease of the attempt in progress; nil if none is.
  public var lease: Lease?
  /// The last fencing token issued; 0 before the first claim.
  public var fence: Int64 = 0
  /// The number of times the next attempt was enqueued again, after the first time.
  public var reenqueues = 0
  /// The time at which the sweep must inspect the run if nothing else happens; nil once it has ended.
  public var wakeAt: Timestamp?
  /// The failure of the latest attempt.
  public var failure: RunFailure?
  /// A description of why the run was cancelled or is waiting.
  public var reason: String?
  /// An identifier shared by all runs with the same original cause.
  public var correlationID: String?
  /// The position of the request in a distributed trace.
  public var trace: TraceContext?
  /// The run that requested this one, or the dead letter that this one repeats.
  public var parent: RunID?
  /// The time limit of one attempt; nil means that of the job.
  public var timeout: Duration?
  /// The latest checkpoint, from which the next attempt resumes.
  public var checkpoint: JSONText?
  /// The number of attempts that ended to continue from a checkpoint.
  public var continuations = 0
  /// The progress that the handler has reported.
  public var progress: RunProgress?
  /// The reason why the attempt in progress was asked to stop; nil if it was not.
  public var cancellation: String?
  /// The runs that must end before this one starts.
  public var prerequisites: [RunID] = []
  /// The treatment of a prerequisite that did not succeed.
  public var failedPrerequisite = FailedPrerequisitePolicy.cancel
  /// The prerequisite whose end delivers this run; nil if it waits for none.
  public var awaiting: RunID?
  /// The runs to deliver when this one ends.
  public var dependents: [RunID] = []
  /// The number of changes made by others than the attempt in progress, such as a request to cancel it.
  public var amendments: Int64 = 0
  /// The caller's own key, if any.
  public var uniqueKey: String?
  /// The queue for the run's tasks; nil means the runtime's default queue.
  public var queue: String?
  /// The order among runs: higher first.
  public var priority = 0
  /// Data that goes with the run, such as that of its job.
  public var metadata: [String: JSONValue] = [:]
  /// The ledgers of which the current attempt holds a permit.
  public var permits: [LedgerID] = []
  /// The ledger of the limit for which the run waits; nil if it waits for nothing or for something else.
  public var waitsFor: LedgerID?
  /// The time after which the record may be deleted; nil until the run has ended.
  public var expireAt: Timestamp?

  /// The number of attempts that may end with their process before each further one counts as a failure.
  ///
  /// Restarts are not the run's fault, but an input that ends the process each time must not be retried forever.
  public static let maximumLosses = 10

  /// Creates a run that has not started.
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

/// The treatment of a run whose prerequisite was cancelled, became a dead letter, or no longer exists.
public enum FailedPrerequisitePolicy: String, Hashable, Sendable, CaseIterable {
  /// The run is cancelled.
  case cancel
  /// The run starts when all of its prerequisites have ended, whatever their results.
  case tolerate
}

/// The status of a run.
///
/// ```
/// scheduled ─▶ pending ─▶ running ─▶ succeeded
///     ▲           ▲          ├─────▶ failed      (a dead letter: attempts are used up, or the failure is permanent)
///     └───────────┴──────────┤
///        retry or snooze     └─────▶ cancelled
/// ```
public enum RunStatus: String, Hashable, Sendable, CaseIterable {
  /// Waiting for its start time.
  case scheduled
  /// Its start time has come; it waits for a delivery.
  case pending
  /// An attempt executes under a lease.
  case running
  /// Ended successfully.
  case succeeded
  /// Ended as a dead letter.
  case failed
  /// Ended without a result, on request.
  case cancelled

  /// Whether the status is final.
  public var isTerminal: Bool {
    switch self {
    case .scheduled, .pending, .running: false
    case .succeeded, .failed, .cancelled: true
    }
  }
}

/// The failure of an attempt, as stored with the run.
public struct RunFailure: Hashable, Sendable {
  /// The error's type, or `timeout`, `leaseLost` or `invalidInput`.
  public var kind: String
  /// The description of the failure from the handler.
  public var message: String

  /// The maximum length of a stored message, in characters.
  public static let maximumMessage = 2_000

  /// Creates a failure; a longer message is truncated.
  public init(kind: String, message: String) {
    self.kind = kind
    self.message = message.count > Self.maximumMessage ? String(message.prefix(Self.maximumMessage)) + "…" : message
  }
}

/// The exclusive right to execute an attempt until a time.
public struct Lease: Hashable, Sendable {
  /// The name of the instance that holds the lease.
  public var owner: String
  /// The fencing token, which grows with each claim of the run and accompanies each write under the lease.
  public var token: Int64
  /// The time from which other instances may take over.
  public var expiresAt: Timestamp

  /// Creates a lease.
  public init(owner: String, token: Int64, expiresAt: Timestamp) {
    self.owner = owner
    self.token = token
    self.expiresAt = expiresAt
  }
}

extension Run {
  /// Creates a run from a stored document.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - fields: the document's fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first missing or invalid field.
  public init(id: RunID, fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    self.init(
      id: id, job: try reader.required("job", reader.jobID("job")),
      trigger: try reader.required("trigger", reader.choice("trigger", Trigger.self)),
      input: try reader.text("input"),
      status: try reader.required("status", reader.choice("status", RunStatus.self)),
      maxAttempts: try reader.required("maxAttempts", reader.int("maxAttempts", 1...Int.max)),
      scheduledFor: try reader.timestamp("scheduledFor"),
      notBefore: try reader.required("notBefore", reader.timestamp("notBefore")),
      createdAt: try reader.required("createdAt", reader.timestamp("createdAt")))
    output = try reader.text("output")
    attempt = try reader.int("attempt", 0...Int.max) ?? 0
    failures = try reader.int("failures", 0...Int.max) ?? 0
    losses = try reader.int("losses", 0...Int.max) ?? 0
    startedAt = try reader.timestamp("startedAt")
    finishedAt = try reader.timestamp("finishedAt")
    lease = try reader.value("lease").map { (lease) throws(JobError) in try Lease(fields: lease) }
    fence = try reader.long("fence") ?? 0
    reenqueues = try reader.int("handoffs", 0...Int.max) ?? 0
    wakeAt = try reader.timestamp("wakeAt")
    failure = try reader.value("error").map { (error) throws(JobError) in try RunFailure(fields: error) }
    reason = try reader.string("reason")
    correlationID = try reader.string("correlationId")
    trace = try reader.read("trace", "a traceparent") { $0.string.flatMap { TraceContext(traceparent: $0) } }
    parent = try reader.runID("parent")
    timeout = try reader.span("timeout", seconds: 0...86_400)
    checkpoint = try reader.read("checkpoint", "JSON in a string") { value in
      value.string.flatMap { try? JSONText(checking: Array($0.utf8), limits: .payload) }
    }
    continuations = try reader.int("continuations", 0...Int.max) ?? 0
    progress = try reader.value("progress").map { (value) throws(JobError) in try RunProgress(fields: value) }
    cancellation = try reader.string("cancellation")
    prerequisites = try reader.runIDs("after") ?? []
    failedPrerequisite = try reader.choice("afterFailure", FailedPrerequisitePolicy.self) ?? .cancel
    awaiting = try reader.runID("awaiting")
    dependents = try reader.runIDs("dependents") ?? []
    amendments = try reader.long("amendments") ?? 0
    uniqueKey = try reader.string("uniqueKey")
    queue = try reader.string("queue")
    priority = try reader.int("priority") ?? 0
    metadata = try reader.read("metadata", "an object") { $0.object } ?? [:]
    permits = try reader.ledgers("permits")
    waitsFor = try reader.ledger("waitsFor")
    expireAt = try reader.timestamp("expireAt")
  }

  /// The stored form: the fields that are set; times are RFC 3339 text.
  public var fields: JSONValue {
    var members: [String: JSONValue] = [
      "job": .string(job.rawValue), "trigger": .string(trigger.rawValue), "status": .string(status.rawValue),
      "attempt": .integer(Int64(attempt)), "maxAttempts": .integer(Int64(maxAttempts)),
      "failures": .integer(Int64(failures)),
      "notBefore": .string(notBefore.description), "createdAt": .string(createdAt.description),
      "fence": .integer(fence), "handoffs": .integer(Int64(reenqueues)), "priority": .integer(Int64(priority)),
    ]
    members["input"] = input?.value
    members["output"] = output?.value
    if losses > 0 { members["losses"] = .integer(Int64(losses)) }
    members["scheduledFor"] = scheduledFor.map { .string($0.description) }
    members["startedAt"] = startedAt.map { .string($0.description) }
    members["finishedAt"] = finishedAt.map { .string($0.description) }
    members["lease"] = lease?.fields
    members["wakeAt"] = wakeAt.map { .string($0.description) }
    members["error"] = failure?.fields
    members["reason"] = reason.map { .string($0) }
    members["correlationId"] = correlationID.map { .string($0) }
    members["parent"] = parent.map { .string($0.rawValue) }
    addOptionalFields(to: &members)
    members["uniqueKey"] = uniqueKey.map { .string($0) }
    members["queue"] = queue.map { .string($0) }
    if !permits.isEmpty { members["permits"] = .array(permits.map { .string($0.rawValue) }) }
    members["waitsFor"] = waitsFor.map { .string($0.rawValue) }
    members["expireAt"] = expireAt.map { .string($0.description) }
    return .object(members)
  }

  /// Adds the fields that most runs lack.
  private func addOptionalFields(to members: inout [String: JSONValue]) {
    members["trace"] = trace.map { .string($0.description) }
    members["timeout"] = timeout?.field
    members["checkpoint"] = checkpoint.map { .string($0.description) }
    if continuations > 0 { members["continuations"] = .integer(Int64(continuations)) }
    members["progress"] = progress?.fields
    members["cancellation"] = cancellation.map { .string($0) }
    if !prerequisites.isEmpty {
      members["after"] = .array(prerequisites.map { .string($0.rawValue) })
      members["afterFailure"] = .string(failedPrerequisite.rawValue)
    }
    members["awaiting"] = awaiting.map { .string($0.rawValue) }
    if !dependents.isEmpty { members["dependents"] = .array(dependents.map { .string($0.rawValue) }) }
    if amendments > 0 { members["amendments"] = .integer(amendments) }
    if !metadata.isEmpty { members["metadata"] = .object(metadata) }
  }
}

extension Lease {
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "lease.", field: "lease")
    self.init(
      owner: try reader.required("owner", reader.string("owner")),
      token: try reader.required("token", reader.long("token")),
      expiresAt: try reader.required("expiresAt", reader.timestamp("expiresAt")))
  }

  var fields: JSONValue {
    ["owner": .string(owner), "token": .integer(token), "expiresAt": .string(expiresAt.description)]
  }
}

extension RunFailure {
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "error.", field: "error")
    self.init(kind: try reader.string("kind") ?? "error", message: try reader.string("message") ?? "")
  }

  var fields: JSONValue {
    ["kind": .string(kind), "message": .string(message)]
  }
}
