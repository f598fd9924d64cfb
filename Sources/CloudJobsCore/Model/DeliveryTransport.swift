/// What the service that delivered a request says about the delivery.
///
/// These facts inform the log, at level debug. They are never an identity: a count can repeat and a header can be
/// missing, so nothing that decides reads them.
public struct DeliveryTransport: Hashable, Sendable {
  /// The Cloud Tasks queue's short name.
  public var queueName: String?
  /// The Cloud Tasks task's short name.
  public var taskName: String?
  /// How often Cloud Tasks has retried the task, from 0.
  public var retryCount: Int?
  /// How many answers Cloud Tasks has had for the task; failures with 5xx do not count.
  public var executionCount: Int?
  /// The Cloud Scheduler job's short name.
  public var schedulerJobName: String?

  /// The facts of a delivery; each may be absent.
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
