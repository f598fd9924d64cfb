package import CloudJobsCore
import Tracing

/// A request for a run that has been checked.
struct RunDraft: Sendable {
  let id: RunID
  let definition: JobDefinition
  let input: JSONText?
  let prerequisites: [RunID]
  let unique: Uniqueness?
  private let request: EnqueueRequest
  private let parent: Run?
  /// The position in a distributed trace.
  private let trace: TraceContext?

  /// Whether the id is random, so that no run has it yet.
  var hasRandomID: Bool { request.key == nil && request.unique == nil }
  /// The ledger of the unique key, if there is one.
  var ledger: LedgerID? { unique.map { .unique(definition.id, key: $0.key) } }

  init(
    _ request: EnqueueRequest, by parent: Run?, trace: TraceContext? = nil, _ services: RuntimeServices
  ) throws(JobError) {
    self.trace = trace ?? request.trace ?? ServiceContext.current?.trace ?? parent?.trace
    guard let registered = services.registry.jobs[request.job] else { throw .unknownJob(request.job) }
    definition = registered.definition
    let payload = try request.payload()
    let effective = payload ?? definition.policy.input.map { JSONText($0) }
    if !registered.takes(request.input), let error = registered.fault(in: effective) { throw error }
    id = RunID(job: request.job, occurrence: .key(try request.occurrenceKey(services)))
    if !request.isRecorded {
      throw JobError(
        .invalidField, "A run without a record can't wait. Run it here and now, or record it.", field: "isRecorded")
    }
    input = try services.payloads.sealed(payload, job: request.job, run: id, "input")
    try request.check()
    prerequisites = request.prerequisites
    unique = try request.checkedUniqueness()
    self.request = request
    self.parent = parent
  }

  /// Returns the run, by the store's clock and by the job's policy.
  func run(_ policy: JobPolicy, settings: PlanSettings, now: Timestamp) -> Run {
    let requested = request.start?.time(from: now)
    let start = max(now, requested ?? now)
    var run = Run(
      id: id, job: definition.id, trigger: request.trigger ?? (parent == nil ? .task : .parent), input: input,
      status: start > now ? .scheduled : .pending, maxAttempts: policy.retry.maxAttempts, scheduledFor: requested,
      notBefore: start, createdAt: now)
    run.uniqueKey = request.key ?? unique?.key
    run.parent = parent?.id
    run.correlationID = request.correlationID ?? parent.map { $0.correlationID ?? $0.id.rawValue }
    run.trace = trace
    run.queue = request.queue ?? policy.queue
    run.priority = request.priority ?? policy.priority
    run.metadata = policy.metadata.merging(request.metadata) { $1 }
    run.timeout = request.timeout
    run.limitAttempts(to: request.maxAttempts, under: policy)
    run.prerequisites = request.prerequisites
    run.failedPrerequisite = request.failedPrerequisite
    run.wakeAt = start + settings.sweepDelay
    return run
  }
}

extension Run {
  /// Whether the run waits for a delivery, and for no other run.
  var isDeliverable: Bool { (status == .scheduled || status == .pending) && awaiting == nil }
}

extension EnqueueRequest {
  /// Returns the request with a key, a random one if it has none, so that its run id is known beforehand.
  func withKey() -> EnqueueRequest {
    var request = self
    request.key = key ?? RandomSource.system.token()
    return request
  }

  /// The id of the run that a request with a key yields.
  var runID: RunID {
    get throws(JobError) {
      guard let key else { throw JobError(.internalError, "The request has no key.") }
      return RunID(job: job, occurrence: .key(key))
    }
  }

  /// Returns the delivery that runs the job now.
  func delivery(correlationID: String? = nil, _ services: RuntimeServices) throws(JobError) -> Delivery {
    if unique != nil {
      throw JobError(
        .invalidField, "A unique run is enqueued, not run here and now. Enqueue it, or use the key.", field: "unique")
    }
    if !prerequisites.isEmpty {
      throw JobError(
        .invalidField, "A run that waits for others is enqueued, not run here and now. Enqueue it.", field: "after")
    }
    try check()
    var delivery = Delivery(
      job: job, trigger: .manual, occurrence: .key(try occurrenceKey(services)), payload: try payload(),
      correlationID: self.correlationID ?? correlationID, trace: trace)
    (delivery.timeout, delivery.priority, delivery.queue) = (timeout, priority, queue)
    delivery.maxAttempts = maxAttempts
    delivery.metadata = metadata
    return delivery
  }

  /// Checks the values that the type does not.
  func check() throws(JobError) {
    if let timeout, timeout <= .zero || timeout > .days(1) {
      throw JobError(.invalidField, "The time limit must be above zero and at most a day.", field: "timeout")
    }
    if let maxAttempts, !(1...1_000_000).contains(maxAttempts) {
      throw JobError(.invalidField, "The number of attempts must be from 1 to 1,000,000.", field: "maxAttempts")
    }
    if !isRecorded, key != nil {
      throw JobError(
        .invalidField, "A run without a record has no key: nothing would know it again. Record it.", field: "key")
    }
    let size = metadata.isEmpty ? 0 : JSONValue.object(metadata).encoded.count
    if size > Self.maximumMetadata {
      throw JobError(
        .tooLarge, "The metadata has \(size) bytes as JSON; at most \(Self.maximumMetadata) are allowed.",
        field: "metadata")
    }
    if prerequisites.count > Self.maximumPrerequisites {
      throw JobError(
        .tooLarge, "A run may wait for at most \(Self.maximumPrerequisites) others. Wait in stages.", field: "after")
    }
    if let correlationID, correlationID.isEmpty || correlationID.utf8.count > EnvelopeLimits.standard.correlationBytes {
      throw JobError(
        .invalidField,
        "The correlation id must have 1 to \(EnvelopeLimits.standard.correlationBytes) bytes.", field: "correlationId")
    }
  }

  /// The maximum size of a run's metadata as JSON, in bytes.
  static let maximumMetadata = 4_096
  /// The maximum number of runs that one may wait for.
  static let maximumPrerequisites = 200

  /// Returns the input as JSON; nil for a job without one.
  ///
  /// - Returns: the payload.
  /// - Throws: ``JobError`` `invalidInput` or `tooLarge`.
  package func payload() throws(JobError) -> JSONText? {
    if input is NoInput { return nil }
    do {
      return try PayloadCoding.encode(input, limits: .payload)
    } catch let error as JobError {
      throw error
    } catch {
      throw JobError(.invalidInput, "The input can't be encoded as JSON.", field: "payload")
    }
  }

  /// Returns the uniqueness, whose key obeys the rules of keys.
  func checkedUniqueness() throws(JobError) -> Uniqueness? {
    if let unique { try Self.check(unique.key, field: "unique") }
    return unique
  }

  /// Returns the caller's key, or a random one.
  func occurrenceKey(_ services: RuntimeServices) throws(JobError) -> String {
    guard let key else { return services.options.random.token() }
    try Self.check(key, field: "key")
    return key
  }

  private static func check(_ key: String, field: String) throws(JobError) {
    let limit = EnvelopeLimits.standard.keyBytes
    if key.isEmpty { throw JobError(.invalidField, "The key is empty. Omit it, or name the work.", field: field) }
    if key.utf8.count > limit {
      throw JobError(.tooLarge, "The key has \(key.utf8.count) bytes; at most \(limit) are allowed.", field: field)
    }
  }
}
