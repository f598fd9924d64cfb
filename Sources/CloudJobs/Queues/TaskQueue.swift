public import CloudJobsCore

/// A queue that delivers runs later: Cloud Tasks, the emulator, or the store itself.
public protocol TaskQueue: Sendable {
  /// The party that delivers a failed attempt again.
  var retryOwner: RetryOwner { get }

  /// Enqueues tasks.
  ///
  /// A name that the queue has seen before is a success and changes nothing.
  ///
  /// - Parameter tasks: the tasks, each with its own name.
  /// - Throws: ``/CloudJobsCore/JobError`` `queueUnavailable` if any task was not enqueued. The error does not identify
  ///   which.
  func enqueue(_ tasks: [QueuedTask]) async throws(JobError)

  /// Removes a task that has not been delivered; a task that does not exist is no error.
  ///
  /// - Parameters:
  ///   - name: the name of the task.
  ///   - queue: its queue; nil means the default.
  /// - Throws: ``/CloudJobsCore/JobError`` `queueUnavailable`: a delivery of the task finds that its run has ended.
  func cancel(_ name: String, in queue: String?) async throws(JobError)
}

extension TaskQueue {
  /// Does nothing: for a queue that can't remove tasks.
  public func cancel(_ name: String, in queue: String?) async throws(JobError) {}
}

/// A task: a delivery for a queue to make.
public struct QueuedTask: Hashable, Sendable {
  /// The name: the same for the same attempt of a run.
  public var name: String
  /// The queue; nil means the default.
  public var queue: String?
  /// The envelope to deliver.
  public var body: JSONText
  /// The earliest time of delivery; nil delivers at once.
  public var notBefore: Timestamp?
  /// The time that the handler may take to respond.
  public var deadline: Duration
  /// The position in a distributed trace, for the header `traceparent` of the delivery; nil if it belongs to none.
  public var trace: TraceContext?

  /// Creates a task.
  public init(
    name: String, queue: String? = nil, body: JSONText, notBefore: Timestamp? = nil, deadline: Duration,
    trace: TraceContext? = nil
  ) {
    self.name = name
    self.queue = queue
    self.body = body
    self.notBefore = notBefore
    self.deadline = deadline
    self.trace = trace
  }
}

/// The store as the queue: a worker or the master pass executes what comes due in it.
public struct StoreQueue: TaskQueue {
  /// Creates the queue.
  public init() {}

  /// The master pass or a worker.
  public var retryOwner: RetryOwner { .pass }
  /// Does nothing: the run is in the store already.
  public func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {}
}

extension TaskQueue where Self == StoreQueue {
  /// The store as the queue: a worker or the master pass executes what comes due in it.
  public static var store: StoreQueue { StoreQueue() }
}

/// No queue: the caller of the handler repeats a delivery that was answered 500.
public struct CallerQueue: TaskQueue {
  /// Creates the queue.
  public init() {}

  /// The caller.
  public var retryOwner: RetryOwner { .caller }
  /// Throws `queueUnavailable`.
  public func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    throw .noQueue
  }
}

extension TaskQueue where Self == CallerQueue {
  /// No queue: the caller of the handler repeats a delivery that was answered 500.
  public static var caller: CallerQueue { CallerQueue() }
}
