/// The requested start time of a run.
public enum DeliveryStart: Hashable, Sendable {
  /// A delay after the request.
  case after(Duration)
  /// An absolute time.
  case at(Timestamp)

  /// Returns the start time.
  ///
  /// - Parameter now: the current time of the store.
  /// - Returns: a time, which may be in the past.
  public func time(from now: Timestamp) -> Timestamp {
    switch self {
    case .after(let delay): now + delay
    case .at(let time): time
    }
  }
}

/// A request to execute a job, independent of the envelope it arrived in.
public struct Delivery: Hashable, Sendable {
  /// The requested job.
  public var job: JobID
  /// The reason for the run.
  public var trigger: Trigger
  /// The requested occurrence; nil if the caller sent nothing that identifies a repetition.
  public var occurrence: Occurrence?
  /// The run, if the envelope names an existing one; takes precedence over ``occurrence``.
  public var runID: RunID?
  /// The attempt that the sender expects, from 1; a delivery for an earlier attempt is a duplicate.
  public var attempt: Int?
  /// The number of times the attempt's task had been enqueued again when the sending task was.
  ///
  /// A delivery by a task that a later one has replaced is a duplicate.
  public var reenqueues: Int?
  /// The job's input as received.
  public var payload: JSONText?
  /// An identifier shared by all runs with the same original cause.
  public var correlationID: String?
  /// The position of the request in a distributed trace.
  public var trace: TraceContext?
  /// The intended start time, if the sender provides it.
  public var scheduledFor: Timestamp?
  /// The start time of a new run; nil means immediately.
  public var start: DeliveryStart?
  /// The time limit of one attempt of a new run; nil means that of the job.
  public var timeout: Duration?
  /// The number of failures at which a new run is given up; nil means that of the job.
  public var maxAttempts: Int?
  /// The order of a new run among those that wait: higher first; nil means that of the job.
  public var priority: Int?
  /// The queue of a new run's tasks; nil means that of the job.
  public var queue: String?
  /// Data that goes with a new run, in addition to its job's.
  public var metadata: [String: JSONValue] = [:]
  /// Delivery metadata from the delivering service; nil if no service is recognized.
  public var transport: DeliveryTransport?

  /// Creates a delivery of a job.
  public init(
    job: JobID, trigger: Trigger, occurrence: Occurrence? = nil, runID: RunID? = nil, attempt: Int? = nil,
    payload: JSONText? = nil, correlationID: String? = nil, trace: TraceContext? = nil, scheduledFor: Timestamp? = nil,
    transport: DeliveryTransport? = nil
  ) {
    self.job = job
    self.trigger = trigger
    self.occurrence = occurrence
    self.runID = runID
    self.attempt = attempt
    self.payload = payload
    self.correlationID = correlationID
    self.trace = trace
    self.scheduledFor = scheduledFor
    self.transport = transport
  }
}

/// Metadata that the delivering service sends along with a request.
///
/// It is logged at level debug and never identifies a run: a count can repeat and a header can be missing, so no
/// decision depends on it.
public struct DeliveryTransport: Hashable, Sendable {
  /// The Cloud Tasks queue's short name.
  public var queueName: String?
  /// The Cloud Tasks task's short name.
  public var taskName: String?
  /// The number of retries of the task by Cloud Tasks, from 0.
  public var retryCount: Int?
  /// The number of responses that Cloud Tasks has received for the task; 5xx failures do not count.
  public var executionCount: Int?
  /// The Cloud Scheduler job's short name.
  public var schedulerJobName: String?

  /// Creates delivery metadata.
  public init(
    queueName: String? = nil, taskName: String? = nil, retryCount: Int? = nil, executionCount: Int? = nil,
    schedulerJobName: String? = nil
  ) {
    self.queueName = queueName
    self.taskName = taskName
    self.retryCount = retryCount
    self.executionCount = executionCount
    self.schedulerJobName = schedulerJobName
  }
}
