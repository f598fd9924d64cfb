public import CloudJobsCore
public import Logging

/// The context of an attempt: its identity, its deadline, and the calls that enqueue and run other jobs.
///
/// Runs that are enqueued through a context are children of its run and share its correlation id.
public struct JobContext: JobClient {
  /// The id of the job.
  public let jobID: JobID
  /// The id of the run: the same in all attempts, and the key that makes external effects idempotent.
  public let runID: RunID
  /// The number of the attempt, from 1.
  public let attempt: Int
  /// The number of failures at which the run is given up.
  public let maxAttempts: Int
  /// The trigger of the run.
  public let trigger: Trigger
  /// The time that the run is for, if it has one.
  public let scheduledFor: Timestamp?
  /// The time by which the attempt must end, by ``clock``.
  public let deadline: Timestamp
  /// The id that all runs of one cause share.
  public let correlationID: String?
  /// The position in a distributed trace of the request for the run; nil if it had none.
  public let trace: TraceContext?
  /// The data that goes with the run: its job's, and what the request for the run added.
  public let metadata: [String: JSONValue]
  /// The fencing token: it grows with each attempt, so that writes of an older attempt can be told apart.
  public let fence: Int64
  /// A logger whose lines carry job, run and attempt, and are kept in the run's log from
  /// ``RuntimeOptions/runLogLevel`` on.
  public var logger: Logger
  /// The runtime's clock.
  public let clock: any JobClock
  let record: AttemptRecord
  /// The time at which the run was recorded.
  package let runCreatedAt: Timestamp
  let services: RuntimeServices
  private let redaction: AttemptRedaction?

  init(run: Run, deadline: Timestamp, _ record: AttemptRecord, _ services: RuntimeServices) {
    jobID = run.job
    runID = run.id
    attempt = run.attempt
    maxAttempts = run.maxAttempts
    trigger = run.trigger
    scheduledFor = run.scheduledFor
    runCreatedAt = run.createdAt
    self.deadline = deadline
    correlationID = run.correlationID
    trace = run.trace
    metadata = run.metadata
    fence = run.fence
    let redaction = services.redaction.map { AttemptRedaction(run.input, $0) }
    self.redaction = redaction
    var logger = services.logger
    logger[metadataKey: "jobId"] = "\(run.job)"
    logger[metadataKey: "runId"] = "\(run.id)"
    logger[metadataKey: "attempt"] = "\(run.attempt)"
    if let level = services.options.runLogLevel {
      logger.handler = RunLogHandler(
        over: logger, recordingIn: record, from: level, clock: services.clock, events: services.events)
    }
    // Outermost, so that neither the log nor the run's log has confidential values.
    if let redaction { logger.handler = RedactingLogHandler(logger.handler, redaction) }
    self.logger = logger
    clock = services.clock
    self.record = record
    self.services = services
  }

  /// The time left until ``deadline``; never below zero.
  public var timeRemaining: Duration { max(.zero, deadline - clock.now()) }

  /// Returns a text in which the confidential values of the run's input are replaced by `[redacted]`.
  ///
  /// Messages of failures and the lines of ``logger`` are redacted without it. It finds a value as it is and as JSON
  /// escapes it, not one that was transformed or cut.
  public func redacted(_ text: String) -> String { redaction?.redact(text) ?? text }

  /// Enqueues runs as children of this run.
  ///
  /// - Parameter requests: the runs to enqueue.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``JobClient/enqueue(_:)`` does.
  @discardableResult
  public func enqueue(_ requests: [EnqueueRequest]) async throws(JobError) -> [EnqueuedRun] {
    try await RunEnqueuer(services).enqueue(requests, by: record.run)
  }

  /// Runs a job here and now, with this run's correlation id.
  ///
  /// - Parameter request: the job, its input and its key; a later start is ignored.
  /// - Returns: the result of the first attempt.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``JobClient/run(_:)`` does.
  public func run(_ request: EnqueueRequest) async throws(JobError) -> DeliveryResult {
    if !request.isRecorded {
      return try await UnrecordedRun(services).execute(request, correlationID: correlationID ?? runID.rawValue)
    }
    let delivery = try request.delivery(correlationID: correlationID ?? runID.rawValue, services)
    return await DeliveryProcessor(services).process(delivery)
  }
}
