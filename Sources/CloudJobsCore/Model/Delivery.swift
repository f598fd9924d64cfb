/// Why a run exists.
public enum Trigger: String, Hashable, Sendable, CaseIterable {
  /// A task of a queue, or a message, asked for it.
  case task
  /// A scheduler fired the job's own schedule.
  case schedule
  /// The master pass found the job due.
  case pass
  /// A person or a program asked for it directly.
  case manual
  /// Another run asked for it.
  case parent
}

/// When a run that a caller asks for should start.
public enum DeliveryStart: Hashable, Sendable {
  /// Some time after the request.
  case after(Duration)
  /// At a time.
  case at(Timestamp)

  /// The time of the start.
  ///
  /// - Parameter now: the store's time.
  /// - Returns: a time, which may have passed.
  public func time(from now: Timestamp) -> Timestamp {
    switch self {
    case .after(let delay): now + delay
    case .at(let time): time
    }
  }
}

/// One request to execute a job, whatever envelope it came in.
public struct Delivery: Hashable, Sendable {
  /// The job that is asked for.
  public var job: JobID
  /// Why.
  public var trigger: Trigger
  /// What is asked for, once; nil where the caller named nothing that would recognise a repetition.
  public var occurrence: Occurrence?
  /// The run, where the envelope names an existing one; it goes before ``occurrence``.
  public var run: RunID?
  /// The attempt that the sender meant, from 1; a delivery for an attempt that has passed is a duplicate.
  public var attempt: Int?
  /// The input, as it came.
  public var payload: JSONText?
  /// The identifier that ties together what one cause set in motion.
  public var correlationID: String?
  /// When the execution was meant to start, where the sender says so.
  public var scheduledFor: Timestamp?
  /// When a new run should start; nil means at once.
  public var start: DeliveryStart?
  /// What the delivering service says about the delivery; nil where none is recognised.
  public var transport: DeliveryTransport?

  /// A delivery of a job; all else may be absent.
  public init(
    job: JobID, trigger: Trigger, occurrence: Occurrence? = nil, run: RunID? = nil, attempt: Int? = nil,
    payload: JSONText? = nil, correlationID: String? = nil, scheduledFor: Timestamp? = nil,
    transport: DeliveryTransport? = nil
  ) {
    self.job = job
    self.trigger = trigger
    self.occurrence = occurrence
    self.run = run
    self.attempt = attempt
    self.payload = payload
    self.correlationID = correlationID
    self.scheduledFor = scheduledFor
    self.transport = transport
  }
}
