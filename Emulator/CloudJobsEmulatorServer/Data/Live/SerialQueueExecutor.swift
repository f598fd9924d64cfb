import Dispatch

/// Runs an actor on a queue of its own, off the threads that all tasks share.
final class SerialQueueExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// An executor over a new queue.
  init(label: String) {
    queue = DispatchQueue(label: label)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
