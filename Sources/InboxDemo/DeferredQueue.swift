import CloudJobs
import CloudJobsCore
import Synchronization

/// A queue that is known only once both servers listen: each needs the other's port.
final class DeferredQueue: TaskQueue {
  private let queue = Mutex<(any TaskQueue)?>(nil)

  var retryOwner: RetryOwner { .runtime }

  func connect(_ queue: any TaskQueue) {
    self.queue.withLock { $0 = queue }
  }

  func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    try await connected().enqueue(tasks)
  }

  private func connected() throws(JobError) -> any TaskQueue {
    guard let queue = queue.withLock({ $0 }) else {
      throw JobError(.queueUnavailable, "The queue is not connected yet. Try again in a moment.")
    }
    return queue
  }
}
