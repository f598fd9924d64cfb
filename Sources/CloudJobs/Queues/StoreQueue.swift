public import CloudJobsCore

/// No queue beside the store: the master pass executes what is due in it.
public struct StoreQueue: TaskQueue {
  /// The queue.
  public init() {}

  /// The master pass tries again.
  public var retryOwner: RetryOwner { .pass }
  /// Does nothing: the run is in the store already.
  public func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {}
}

extension TaskQueue where Self == StoreQueue {
  /// No queue beside the store: the master pass executes what is due in it.
  public static var store: StoreQueue { StoreQueue() }
}

/// No queue of our own: whoever calls the handler delivers again what answered 500.
public struct CallerQueue: TaskQueue {
  /// The queue.
  public init() {}

  /// The caller tries again.
  public var retryOwner: RetryOwner { .caller }
  /// Refuses: there is nothing to enqueue into.
  public func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    throw JobError(.queueUnavailable, "This runtime has no queue. Give it one to enqueue jobs.")
  }
}

extension TaskQueue where Self == CallerQueue {
  /// No queue of our own: whoever calls the handler delivers again what answered 500.
  public static var caller: CallerQueue { CallerQueue() }
}
