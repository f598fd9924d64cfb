public import CloudJobsCore
public import Logging

/// What a handler knows about its attempt, and what it may use.
public struct JobContext: Sendable {
  /// The job.
  public let jobID: JobID
  /// The run: the same in all attempts, and the key that makes outside effects idempotent.
  public let runID: RunID
  /// The attempt, from 1.
  public let attempt: Int
  /// The attempts allowed.
  public let maxAttempts: Int
  /// Why the run exists.
  public let trigger: Trigger
  /// The moment that the run is for, where it has one.
  public let scheduledFor: Timestamp?
  /// When the attempt must have ended, by ``clock``.
  public let deadline: Timestamp
  /// What ties together all that one cause set in motion.
  public let correlationID: String?
  /// The fencing token: grows with each attempt, so that what an older attempt writes can be told apart.
  public let fence: Int64
  /// A log whose lines carry job, run and attempt.
  public let logger: Logger
  /// The runtime's clock.
  public let clock: any JobClock
  /// The runtime, to enqueue other jobs; what is enqueued through ``enqueue(_:_:key:in:)`` names this run as its
  /// parent.
  public let runtime: JobRuntime

  init(run: Run, deadline: Timestamp, runtime: JobRuntime) {
    jobID = run.job
    runID = run.id
    attempt = run.attempt
    maxAttempts = run.maxAttempts
    trigger = run.trigger
    scheduledFor = run.scheduledFor
    self.deadline = deadline
    correlationID = run.correlationID
    fence = run.fence
    var logger = runtime.options.logger
    logger[metadataKey: "jobId"] = "\(run.job)"
    logger[metadataKey: "runId"] = "\(run.id)"
    logger[metadataKey: "attempt"] = "\(run.attempt)"
    self.logger = logger
    clock = runtime.clock
    self.runtime = runtime
  }

  /// The time left until ``deadline``; never below zero.
  public var timeRemaining: Duration { max(.zero, deadline - clock.now()) }

  /// Asks for a run of another job, as a child of this run and with its correlation id.
  ///
  /// - Parameters:
  ///   - job: the job.
  ///   - input: its input.
  ///   - key: what is asked for, once; a second call with the same key yields the same run. Nil means a new run each
  ///     time.
  ///   - delay: how long to wait at least.
  /// - Returns: the run.
  /// - Throws: ``JobError``.
  @discardableResult
  public func enqueue(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil, in delay: Duration = .zero
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue([EnqueueRequest(job, input, key: key, notBefore: delay > .zero ? clock.now() + delay : nil)])[0]
  }

  /// Asks for many runs at once, as children of this run and with its correlation id.
  ///
  /// - Parameter requests: what is asked for.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``JobError``.
  @discardableResult
  public func enqueue(_ requests: [EnqueueRequest]) async throws(JobError) -> [EnqueuedRun] {
    try await runtime.enqueue(requests, parent: runID, correlationID: correlationID ?? runID.rawValue)
  }
}
