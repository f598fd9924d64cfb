public import CloudJobsCore

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The calls that enqueue and run jobs: the same on a ``JobRuntime`` and on a handler's ``JobContext``.
///
/// ```swift
/// try await runtime.enqueue(WelcomeEmail(userID: "42"), after: .seconds(300), key: "welcome-42")
/// let receipt = try await runtime.run(SendInvoice(id: 7))
/// ```
public protocol JobClient: Sendable {
  /// Enqueues runs.
  ///
  /// Each run is recorded before the queue gets its task, so nothing that this call acknowledges can be lost.
  ///
  /// - Parameter requests: the runs to enqueue. Up to 500 are recorded together, all or none; more are recorded in
  ///   turn.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError``: `unknownJob`, `invalidInput`, `tooLarge` or `storeUnavailable`. A queue
  ///   that refuses the task of a recorded run is no error: the sweep enqueues it again.
  @discardableResult
  func enqueue(_ requests: [EnqueueRequest]) async throws(JobError) -> [EnqueuedRun]

  /// Runs a job here and now, past every gate but `enabled`, and waits for the end of the first attempt.
  ///
  /// - Parameter request: the job, its input, its key, and the values that differ from the job's; a later start is
  ///   ignored.
  /// - Returns: the result of the first attempt; later attempts follow the job's policy.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidInput`, `invalidField` (also for a unique run, and for one that
  ///   waits for others) or `tooLarge`.
  @discardableResult
  func run(_ request: EnqueueRequest) async throws(JobError) -> DeliveryResult
}

/// The input of a job, as the contract between its handler and its callers: the compiler checks both.
///
/// ```swift
/// struct WelcomeEmail: JobInput {
///   static let jobID: JobID = "send_welcome_email"
///   var userID: String
/// }
/// ```
public protocol JobInput: Codable, Sendable {
  /// The result of a run; ``NoOutput`` unless declared.
  associatedtype Output: Codable & Sendable = NoOutput

  /// The id of the job.
  static var jobID: JobID { get }
}

/// A request for a run.
public struct EnqueueRequest: Sendable {
  /// The job.
  public var job: JobID
  /// Its input.
  public var input: any Encodable & Sendable
  /// The time of its start; nil starts it at once.
  public var start: DeliveryStart?
  /// The caller's name for the work.
  ///
  /// A second request with the same key yields the same run; nil makes a new run each time.
  public var key: String?
  /// The time limit of one attempt, at most a day; nil means that of the job.
  public var timeout: Duration?
  /// The number of failures at which the run is given up, 1 to 1,000,000; nil means that of the job.
  ///
  /// A run of a job that is not retryable (``/CloudJobsCore/JobDescriptor/isRetryable``) has one attempt in any case.
  public var maxAttempts: Int?
  /// The order among runs that wait in one queue, or for one limit: higher first; nil means that of the job.
  ///
  /// It matters to a worker, a master pass and a limit; a queue of Cloud Tasks delivers without regard to it.
  public var priority: Int?
  /// The queue; nil means that of the job.
  public var queue: String?
  /// The runs that must end before this one starts, at most 200.
  public var prerequisites: [RunID] = []
  /// The treatment of a prerequisite that does not succeed.
  public var failedPrerequisite = FailedPrerequisitePolicy.cancel
  /// The id that all runs of one cause share; nil means that of the run that makes the request.
  public var correlationID: String?
  /// The position in a distributed trace; nil means that of the run that makes the request.
  public var trace: TraceContext?
  /// Data that goes with the run, in addition to its job's: up to 4 KiB as JSON, stored as it is.
  public var metadata: [String: JSONValue] = [:]
  /// Whether the run is recorded in the store; one that is not can only be run here and now.
  ///
  /// A run without a record costs one read of its job's document, and nothing else tells of it than events and metrics:
  /// it has one attempt, no lease, no log, and passes every gate and limit but `enabled`. What needs its record throws:
  /// ``JobContext/afterCommit(_:)``, and effects in the store. Heavy work needs a record.
  public var isRecorded = true
  /// The trigger of the run, if it is not the enqueuing itself.
  var trigger: Trigger?
  /// The uniqueness of the run among those of the job; nil allows any number.
  public var unique: Uniqueness?

  /// Creates a request for the job of an input.
  public init(
    _ input: some JobInput, start: DeliveryStart? = nil, key: String? = nil, unique: Uniqueness? = nil
  ) {
    self.init(type(of: input).jobID, input, start: start, key: key, unique: unique)
  }

  /// Creates a request for a job by its id.
  public init(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), start: DeliveryStart? = nil, key: String? = nil,
    unique: Uniqueness? = nil
  ) {
    self.unique = unique
    self.job = job
    self.input = input
    self.start = start
    self.key = key
  }
}

/// A run that was requested.
public struct EnqueuedRun: Hashable, Sendable {
  /// The id of the run.
  public var id: RunID
  /// Whether this call created it; false if the key was used before, or if a run with the same unique key counts.
  public var isNew: Bool
  /// The status of the run.
  public var status: RunStatus
}

// MARK: - Enqueue

extension JobClient {
  /// Enqueues a run of the input's job.
  ///
  /// - Parameters:
  ///   - input: the input.
  ///   - delay: the delay before the start.
  ///   - key: the caller's name for the work; a second call with the same key yields the same run.
  ///   - unique: the uniqueness of the run among those of the job; nil allows any number.
  /// - Returns: the run.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``enqueue(_:)`` does.
  @discardableResult
  public func enqueue(
    _ input: some JobInput, after delay: Duration = .zero, key: String? = nil, unique: Uniqueness? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue([EnqueueRequest(input, start: .delayed(by: delay), key: key, unique: unique)])[0]
  }

  /// Enqueues a run of the input's job that starts at a time.
  ///
  /// - Parameters:
  ///   - input: the input.
  ///   - time: the earliest start.
  ///   - key: the caller's name for the work; a second call with the same key yields the same run.
  ///   - unique: the uniqueness of the run among those of the job; nil allows any number.
  /// - Returns: the run.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``enqueue(_:)`` does.
  @discardableResult
  public func enqueue(
    _ input: some JobInput, at time: Timestamp, key: String? = nil, unique: Uniqueness? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue([EnqueueRequest(input, start: .at(time), key: key, unique: unique)])[0]
  }

  /// Enqueues a run of the input's job that starts at a date; otherwise like ``enqueue(_:at:key:unique:)``.
  @discardableResult
  public func enqueue(
    _ input: some JobInput, at date: Date, key: String? = nil, unique: Uniqueness? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue(input, at: Timestamp(date), key: key, unique: unique)
  }

  /// Enqueues a run of a job by its id.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - input: the input.
  ///   - delay: the delay before the start.
  ///   - key: the caller's name for the work; a second call with the same key yields the same run.
  ///   - unique: the uniqueness of the run among those of the job; nil allows any number.
  /// - Returns: the run.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``enqueue(_:)`` does.
  @discardableResult
  public func enqueue(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), after delay: Duration = .zero, key: String? = nil,
    unique: Uniqueness? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue([EnqueueRequest(job, input, start: .delayed(by: delay), key: key, unique: unique)])[0]
  }

  /// Enqueues a run of a job by its id that starts at a time.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - input: the input.
  ///   - time: the earliest start.
  ///   - key: the caller's name for the work; a second call with the same key yields the same run.
  ///   - unique: the uniqueness of the run among those of the job; nil allows any number.
  /// - Returns: the run.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``enqueue(_:)`` does.
  @discardableResult
  public func enqueue(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), at time: Timestamp, key: String? = nil,
    unique: Uniqueness? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue([EnqueueRequest(job, input, start: .at(time), key: key, unique: unique)])[0]
  }

  /// Enqueues a run of a job by its id that starts at a date; otherwise like ``enqueue(_:_:at:key:unique:)``.
  @discardableResult
  public func enqueue(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), at date: Date, key: String? = nil,
    unique: Uniqueness? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue(job, input, at: Timestamp(date), key: key, unique: unique)
  }
}

// MARK: - Order

extension JobClient {
  /// Enqueues a chain: each run starts after the success of the one before.
  ///
  /// If a run fails or is cancelled, those behind it are cancelled, unless their requests tolerate it.
  ///
  /// - Parameter requests: the runs in their order.
  /// - Returns: the runs in their order.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``enqueue(_:)`` does.
  @discardableResult
  public func enqueueChain(_ requests: [EnqueueRequest]) async throws(JobError) -> [EnqueuedRun] {
    var chain = [EnqueueRequest]()
    var previous: RunID?
    for request in requests {
      var request = request.withKey()
      if let previous { request.prerequisites.append(previous) }
      previous = try request.runID
      chain.append(request)
    }
    return try await enqueue(chain)
  }

  /// Enqueues runs that may execute at once, and one that starts after all of them.
  ///
  /// The last run gets their results by ``JobContext/prerequisiteResults(as:)``.
  ///
  /// - Parameters:
  ///   - requests: the runs that come first, at most 200.
  ///   - last: the run that comes after them.
  /// - Returns: the last run.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``enqueue(_:)`` does.
  @discardableResult
  public func enqueue(
    _ requests: [EnqueueRequest], then last: EnqueueRequest
  ) async throws(JobError) -> EnqueuedRun {
    var all = requests.map { $0.withKey() }
    var last = last
    for request in all { last.prerequisites.append(try request.runID) }
    all.append(last)
    let enqueued = try await enqueue(all)
    return enqueued[enqueued.count - 1]
  }
}

// MARK: - Run now

extension JobClient {
  /// Runs the input's job here and now, and waits for its result.
  ///
  /// - Parameters:
  ///   - input: the input.
  ///   - key: the caller's name for the work; if a run of this key has succeeded before, its stored result is returned.
  ///   - timeout: the time limit of an attempt, at most a day; nil means that of the job.
  ///   - isRecorded: whether the run is recorded; see ``EnqueueRequest/isRecorded``.
  /// - Returns: the result of the run.
  /// - Throws: ``/CloudJobsCore/JobError``: `handlerFailed` if the first attempt failed (later attempts follow the
  ///   job's policy), `busy` if the run continues later or another attempt of it is under way, `cancelled` if it was
  ///   cancelled or a gate is closed, or the errors of ``run(_:)``.
  @discardableResult
  public func run<Input: JobInput>(
    _ input: Input, key: String? = nil, timeout: Duration? = nil, isRecorded: Bool = true
  ) async throws(JobError) -> Input.Output {
    var request = EnqueueRequest(input, key: key)
    request.timeout = timeout
    request.isRecorded = isRecorded
    return try await run(request).output(as: Input.Output.self)
  }

  /// Runs a job by its id here and now, and waits for the end of the first attempt.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - input: the input.
  ///   - key: the caller's name for the work.
  /// - Returns: the result of the first attempt.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``run(_:)`` does.
  @discardableResult
  public func run(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil
  ) async throws(JobError) -> DeliveryResult {
    try await run(EnqueueRequest(job, input, key: key))
  }

  /// Runs the job of some inputs here and now, several at once.
  ///
  /// - Parameters:
  ///   - inputs: the inputs.
  ///   - concurrency: the maximum number of runs at once.
  ///   - stopOnError: whether no further run begins after the first error. Runs under way go on; those that did not
  ///     begin yield the error `cancelled`.
  ///   - isRecorded: whether the runs are recorded; see ``EnqueueRequest/isRecorded``.
  /// - Returns: the results, in the order of the inputs.
  public func runBatch<Input: JobInput>(
    _ inputs: [Input], concurrency: Int = 8, stopOnError: Bool = false, isRecorded: Bool = true
  ) async -> [Result<Input.Output, JobError>] {
    await withTaskGroup(of: (Int, Result<Input.Output, JobError>).self) { group in
      let notBegun = JobError(.cancelled, "The batch stopped at an earlier error. Run this input again.")
      var results = [Result<Input.Output, JobError>](repeating: .failure(notBegun), count: inputs.count)
      var isStopped = false
      func collect(_ next: (Int, Result<Input.Output, JobError>)) {
        results[next.0] = next.1
        if case .failure = next.1, stopOnError { isStopped = true }
      }
      for (index, input) in inputs.enumerated() {
        if index >= max(1, concurrency), let next = await group.next() { collect(next) }
        if isStopped || Task.isCancelled { break }
        group.addTask {
          let result = await Result(awaiting: { () async throws(JobError) in
            try await self.run(input, isRecorded: isRecorded)
          })
          return (index, result)
        }
      }
      for await next in group { collect(next) }
      return results
    }
  }
}

extension DeliveryStart {
  fileprivate static func delayed(by delay: Duration) -> DeliveryStart? { delay > .zero ? .after(delay) : nil }
}

extension DeliveryResult {
  /// Returns the handler's result.
  fileprivate func output<Output: Codable & Sendable>(as type: Output.Type) throws(JobError) -> Output {
    let next = retryAt.map { " The run continues at \($0)." } ?? ""
    let text = reason ?? "The run ended as \(status.rawValue)."
    switch status {
    case .succeeded: return try decode(type)
    case .duplicate where runStatus == .succeeded: return try decode(type)
    case .duplicate where runStatus == .failed: throw JobError(.handlerFailed, text)
    case .duplicate where runStatus == .cancelled: throw JobError(.cancelled, text)
    case .retrying, .failed, .deadLettered: throw JobError(.handlerFailed, text + next)
    case .duplicate, .scheduled, .snoozed, .waiting, .early, .busy: throw JobError(.busy, text + next)
    case .cancelled, .skipped: throw JobError(.cancelled, text)
    case .leaseLost: throw JobError(.leaseLost, text)
    case .rejected: throw error ?? JobError(.internalError, text)
    }
  }

  private func decode<Output: Codable & Sendable>(_ type: Output.Type) throws(JobError) -> Output {
    if let none = NoOutput() as? Output { return none }
    if let outputError { throw outputError }
    do {
      return try PayloadCoding.decode(type, from: output)
    } catch {
      throw JobError(
        .internalError, "The stored result of the run is no \(type): \(PayloadCoding.describe(error))", field: "output")
    }
  }
}

extension Timestamp {
  /// Creates the timestamp of a date, to the microsecond; a date out of range becomes the nearest timestamp.
  public init(_ date: Date) {
    let microseconds = (date.timeIntervalSince1970 * 1_000_000).rounded()
    self.init(microseconds: Int64(exactly: microseconds) ?? (microseconds > 0 ? .max : .min))
  }

  /// The timestamp as a date.
  public var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }
}
