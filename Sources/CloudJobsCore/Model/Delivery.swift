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

/// How much an execution may occupy the process, which decides where it runs.
public enum Weight: String, Hashable, Sendable, CaseIterable {
  /// Short, mostly waiting: the cooperative pool.
  case light
  /// Computes for a while: an executor of its own.
  case medium
  /// Computes for long: another service, or a process of its own.
  case heavy
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
  /// The weight that a task descriptor asks for.
  public var weight: Weight?
  /// When the execution was meant to start, where the sender says so.
  public var scheduledFor: Timestamp?
  /// What the delivering service says about the delivery; nil where none is recognised.
  public var transport: DeliveryTransport?

  /// A delivery of a job; all else may be absent.
  public init(
    job: JobID, trigger: Trigger, occurrence: Occurrence? = nil, run: RunID? = nil, attempt: Int? = nil,
    payload: JSONText? = nil, correlationID: String? = nil, weight: Weight? = nil, scheduledFor: Timestamp? = nil,
    transport: DeliveryTransport? = nil
  ) {
    self.job = job
    self.trigger = trigger
    self.occurrence = occurrence
    self.run = run
    self.attempt = attempt
    self.payload = payload
    self.correlationID = correlationID
    self.weight = weight
    self.scheduledFor = scheduledFor
    self.transport = transport
  }
}
