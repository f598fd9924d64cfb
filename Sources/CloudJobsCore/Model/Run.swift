/// The record of one occurrence: its request, its progress and its result.
///
/// A copy is cheap: the fields lie in one place until one of the copies is changed.
public struct Run: Hashable, Sendable {
  // One element: an array shares its place among copies, and copies it when one of them changes.
  private var content: [RunContent]

  /// The hash of job and occurrence.
  public var id: RunID {
    get { content[0].id }
    set { content[0].id = newValue }
  }
  /// The job that runs.
  public var job: JobID {
    get { content[0].job }
    set { content[0].job = newValue }
  }
  /// The reason for the run.
  public var trigger: Trigger {
    get { content[0].trigger }
    set { content[0].trigger = newValue }
  }
  /// The handler's input.
  public var input: JSONText? {
    get { content[0].input }
    set { content[0].input = newValue }
  }
  /// The handler's output.
  public var output: JSONText? {
    get { content[0].output }
    set { content[0].output = newValue }
  }
  /// The current status.
  public var status: RunStatus {
    get { content[0].status }
    set { content[0].status = newValue }
  }
  /// The number of attempts started; 0 before the first.
  public var attempt: Int {
    get { content[0].attempt }
    set { content[0].attempt = newValue }
  }
  /// The number of attempts that failed or were lost; a snooze does not count.
  public var failures: Int {
    get { content[0].failures }
    set { content[0].failures = newValue }
  }
  /// The number of attempts whose process ended; beyond ``maximumLosses``, further ones also count as failures.
  public var losses: Int {
    get { content[0].losses }
    set { content[0].losses = newValue }
  }
  /// The number of failures at which the run fails permanently, as of the last evaluation of the policy.
  public var maxAttempts: Int {
    get { content[0].maxAttempts }
    set { content[0].maxAttempts = newValue }
  }
  /// The time that the run is for: a time of the schedule, or the time that the caller requested.
  public var scheduledFor: Timestamp? {
    get { content[0].scheduledFor }
    set { content[0].scheduledFor = newValue }
  }
  /// The earliest start of the next attempt.
  public var notBefore: Timestamp {
    get { content[0].notBefore }
    set { content[0].notBefore = newValue }
  }
  /// The creation time, by the store's clock.
  public var createdAt: Timestamp {
    get { content[0].createdAt }
    set { content[0].createdAt = newValue }
  }
  /// The start of the first attempt.
  public var startedAt: Timestamp? {
    get { content[0].startedAt }
    set { content[0].startedAt = newValue }
  }
  /// The start of the latest attempt if it is not the first; nil otherwise.
  ///
  /// ``latestStart`` has it for all.
  public var attemptStartedAt: Timestamp? {
    get { content[0].attemptStartedAt }
    set { content[0].attemptStartedAt = newValue }
  }
  /// The attempts that ended without ending the run, oldest first: the last ``RunAttempt/maximumKept``.
  public var earlierAttempts: [RunAttempt] {
    get { content[0].earlierAttempts }
    set { content[0].earlierAttempts = newValue }
  }
  /// The end of the run.
  public var finishedAt: Timestamp? {
    get { content[0].finishedAt }
    set { content[0].finishedAt = newValue }
  }
  /// The lease of the attempt in progress; nil if none is.
  public var lease: Lease? {
    get { content[0].lease }
    set { content[0].lease = newValue }
  }
  /// The last fencing token issued; 0 before the first claim.
  public var fence: Int64 {
    get { content[0].fence }
    set { content[0].fence = newValue }
  }
  /// The number of times the next attempt was enqueued again, after the first time.
  public var reenqueues: Int {
    get { content[0].reenqueues }
    set { content[0].reenqueues = newValue }
  }
  /// The time at which the sweep must inspect the run if nothing else happens; nil once it has ended.
  public var wakeAt: Timestamp? {
    get { content[0].wakeAt }
    set { content[0].wakeAt = newValue }
  }
  /// The failure of the latest attempt.
  public var failure: RunFailure? {
    get { content[0].failure }
    set { content[0].failure = newValue }
  }
  /// A description of why the run was cancelled or is waiting.
  public var reason: String? {
    get { content[0].reason }
    set { content[0].reason = newValue }
  }
  /// An identifier shared by all runs with the same original cause.
  public var correlationID: String? {
    get { content[0].correlationID }
    set { content[0].correlationID = newValue }
  }
  /// The position of the request in a distributed trace.
  public var trace: TraceContext? {
    get { content[0].trace }
    set { content[0].trace = newValue }
  }
  /// The run that requested this one, or the dead letter that this one repeats.
  public var parent: RunID? {
    get { content[0].parent }
    set { content[0].parent = newValue }
  }
  /// The time limit of one attempt; nil means that of the job.
  public var timeout: Duration? {
    get { content[0].timeout }
    set { content[0].timeout = newValue }
  }
  /// The number of failures at which the run is given up, as its request set it; nil means that of the job.
  public var attemptLimit: Int? {
    get { content[0].attemptLimit }
    set { content[0].attemptLimit = newValue }
  }
  /// The latest checkpoint, from which the next attempt resumes.
  public var checkpoint: JSONText? {
    get { content[0].checkpoint }
    set { content[0].checkpoint = newValue }
  }
  /// The number of attempts that ended to continue from a checkpoint.
  public var continuations: Int {
    get { content[0].continuations }
    set { content[0].continuations = newValue }
  }
  /// The progress that the handler has reported.
  public var progress: RunProgress? {
    get { content[0].progress }
    set { content[0].progress = newValue }
  }
  /// The reason why the attempt in progress was asked to stop; nil if it was not.
  public var cancellation: String? {
    get { content[0].cancellation }
    set { content[0].cancellation = newValue }
  }
  /// The runs that must end before this one starts.
  public var prerequisites: [RunID] {
    get { content[0].prerequisites }
    set { content[0].prerequisites = newValue }
  }
  /// The treatment of a prerequisite that did not succeed.
  public var failedPrerequisite: FailedPrerequisitePolicy {
    get { content[0].failedPrerequisite }
    set { content[0].failedPrerequisite = newValue }
  }
  /// The prerequisite whose end delivers this run; nil if it waits for none.
  public var awaiting: RunID? {
    get { content[0].awaiting }
    set { content[0].awaiting = newValue }
  }
  /// The runs to deliver when this one ends.
  public var dependents: [RunID] {
    get { content[0].dependents }
    set { content[0].dependents = newValue }
  }
  /// The number of changes made by others than the attempt in progress, such as a request to cancel it.
  public var amendments: Int64 {
    get { content[0].amendments }
    set { content[0].amendments = newValue }
  }
  /// The caller's own key, if any.
  public var uniqueKey: String? {
    get { content[0].uniqueKey }
    set { content[0].uniqueKey = newValue }
  }
  /// The queue for the run's tasks; nil means the runtime's default queue.
  public var queue: String? {
    get { content[0].queue }
    set { content[0].queue = newValue }
  }
  /// The order among runs: higher first.
  public var priority: Int {
    get { content[0].priority }
    set { content[0].priority = newValue }
  }
  /// Data that goes with the run, such as that of its job.
  public var metadata: [String: JSONValue] {
    get { content[0].metadata }
    set { content[0].metadata = newValue }
  }
  /// The ledgers of which the current attempt holds a permit.
  public var permits: [LedgerID] {
    get { content[0].permits }
    set { content[0].permits = newValue }
  }
  /// The ledger of the limit for which the run waits; nil if it waits for nothing or for something else.
  public var waitsFor: LedgerID? {
    get { content[0].waitsFor }
    set { content[0].waitsFor = newValue }
  }
  /// The time after which the record may be deleted; nil until the run has ended.
  public var expireAt: Timestamp? {
    get { content[0].expireAt }
    set { content[0].expireAt = newValue }
  }

  /// The number of attempts that may end with their process before each further one counts as a failure.
  ///
  /// Restarts are not the run's fault, but an input that ends the process each time must not be retried forever.
  public static let maximumLosses = 10

  /// Creates a run that has not started.
  public init(
    id: RunID, job: JobID, trigger: Trigger, input: JSONText? = nil, status: RunStatus = .pending, maxAttempts: Int,
    scheduledFor: Timestamp? = nil, notBefore: Timestamp, createdAt: Timestamp
  ) {
    content = [
      RunContent(
        id: id, job: job, trigger: trigger, input: input, status: status, maxAttempts: maxAttempts,
        scheduledFor: scheduledFor, notBefore: notBefore, createdAt: createdAt)
    ]
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

  /// The maximum length of a stored message, in Unicode scalars.
  public static let maximumMessage = 2_000

  /// The maximum length of a stored kind, in Unicode scalars.
  public static let maximumKind = 200

  /// Creates a failure; a longer kind or message is truncated.
  public init(kind: String, message: String) {
    self.kind = kind.cut(to: Self.maximumKind)
    self.message = message.cut(to: Self.maximumMessage)
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
  private init(_ content: RunContent) {
    self.content = [content]
  }

  /// Creates a run from the text of a stored document.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - document: the text, in UTF-8.
  /// - Throws: ``JobError`` `malformedJSON`, or as ``init(id:fields:)`` does.
  package init(id: RunID, document: [UInt8]) throws(JobError) {
    if let content = RunDocumentReader.read(document, id: id) {
      self.init(content)
    } else {
      try self.init(id: id, fields: JSONValue(parsing: document, limits: JSONLimits(bytes: .max, depth: 512)))
    }
  }

  /// Creates a run from a stored document.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - fields: the document's fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first missing or invalid field.
  public init(id: RunID, fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    var content = RunContent(
      id: id, job: try reader.required("job", reader.jobID("job")),
      trigger: try reader.required("trigger", reader.choice("trigger", Trigger.self)),
      input: try reader.text("input"),
      status: try reader.required("status", reader.choice("status", RunStatus.self)),
      maxAttempts: try reader.required("maxAttempts", reader.int("maxAttempts", 1...Int.max)),
      scheduledFor: try reader.timestamp("scheduledFor"),
      notBefore: try reader.required("notBefore", reader.timestamp("notBefore")),
      createdAt: try reader.required("createdAt", reader.timestamp("createdAt")))
    content.output = try reader.text("output")
    content.attempt = try reader.int("attempt", 0...Int.max) ?? 0
    content.failures = try reader.int("failures", 0...Int.max) ?? 0
    content.losses = try reader.int("losses", 0...Int.max) ?? 0
    content.startedAt = try reader.timestamp("startedAt")
    content.attemptStartedAt = try reader.timestamp("attemptStartedAt")
    content.earlierAttempts = try RunAttempt.list(reader.value("earlierAttempts"))
    content.finishedAt = try reader.timestamp("finishedAt")
    content.lease = try reader.value("lease").map { (lease) throws(JobError) in try Lease(fields: lease) }
    content.fence = try reader.long("fence") ?? 0
    content.reenqueues = try reader.int("handoffs", 0...Int.max) ?? 0
    content.wakeAt = try reader.timestamp("wakeAt")
    content.failure = try reader.value("error").map { (error) throws(JobError) in try RunFailure(fields: error) }
    content.reason = try reader.string("reason")
    content.correlationID = try reader.string("correlationId")
    content.trace = try reader.read("trace", "a traceparent") { $0.string.flatMap { TraceContext(traceparent: $0) } }
    content.parent = try reader.runID("parent")
    content.timeout = try reader.span("timeout", seconds: 0...86_400)
    content.attemptLimit = try reader.int("attemptLimit", 1...Int.max)
    content.checkpoint = try reader.read("checkpoint", "JSON in a string") { value in
      value.string.flatMap { try? JSONText(checking: Array($0.utf8), limits: .payload) }
    }
    content.continuations = try reader.int("continuations", 0...Int.max) ?? 0
    content.progress = try reader.value("progress").map { (value) throws(JobError) in try RunProgress(fields: value) }
    content.cancellation = try reader.string("cancellation")
    content.prerequisites = try reader.runIDs("after") ?? []
    content.failedPrerequisite = try reader.choice("afterFailure", FailedPrerequisitePolicy.self) ?? .cancel
    content.awaiting = try reader.runID("awaiting")
    content.dependents = try reader.runIDs("dependents") ?? []
    content.amendments = try reader.long("amendments") ?? 0
    content.uniqueKey = try reader.string("uniqueKey")
    content.queue = try reader.string("queue")
    content.priority = try reader.int("priority") ?? 0
    content.metadata = try reader.read("metadata", "an object") { $0.object } ?? [:]
    content.permits = try reader.ledgers("permits")
    content.waitsFor = try reader.ledger("waitsFor")
    content.expireAt = try reader.timestamp("expireAt")
    self.content = [content]
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
