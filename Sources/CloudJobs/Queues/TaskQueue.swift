public import CloudJobsCore

/// What delivers a run later: Cloud Tasks, the emulator, or the store itself.
public protocol TaskQueue: Sendable {
  /// Who tries again when an attempt fails.
  var retryOwner: RetryOwner { get }

  /// Takes tasks for delivery.
  ///
  /// A name that the queue has seen before is a success and changes nothing.
  ///
  /// - Parameter tasks: what to deliver, each with its own name.
  /// - Throws: ``JobError`` `queueUnavailable` where at least one task was not taken; which, is not known.
  func enqueue(_ tasks: [QueuedTask]) async throws(JobError)
}

/// Who tries again when an attempt fails.
public enum RetryOwner: Hashable, Sendable {
  /// The runtime: it gives the queue a task of its own for the next attempt.
  case runtime
  /// The master pass: it finds in the store what has to be tried again.
  case pass
  /// The caller of the handler: it gets a 500 and delivers again when it likes.
  case caller
}

/// A delivery that a queue should make.
public struct QueuedTask: Hashable, Sendable {
  /// The name, the same for the same attempt of the same run.
  public var name: String
  /// The queue; nil means the default.
  public var queue: String?
  /// The envelope to deliver.
  public var body: JSONText
  /// The earliest time of delivery; nil means at once.
  public var notBefore: Timestamp?
  /// How long the handler may take to answer.
  public var deadline: Duration

  /// A task.
  public init(name: String, queue: String? = nil, body: JSONText, notBefore: Timestamp? = nil, deadline: Duration) {
    self.name = name
    self.queue = queue
    self.body = body
    self.notBefore = notBefore
    self.deadline = deadline
  }
}
