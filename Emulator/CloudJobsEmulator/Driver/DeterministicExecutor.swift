import Synchronization

/// A task executor that queues its jobs and runs them in order on the thread that drains it.
///
/// Tasks that prefer it, their child tasks and the default actors they use run in an order that depends only on the
/// program, because no thread pool is involved. Detached tasks, custom actor executors and C threads are not covered.
package final class DeterministicExecutor: TaskExecutor {
  private struct Line {
    var jobs: [UnownedJob] = []
    var head = 0
  }

  private let line = Mutex(Line())

  /// Creates an executor without jobs.
  package init() {}

  /// Adds a job to the end of the queue.
  package func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    line.withLock { $0.jobs.append(unowned) }
  }

  /// Runs jobs until the queue is empty.
  ///
  /// - Parameter limit: the maximum number of jobs to run.
  /// - Returns: the number of jobs run; less than the limit if the queue is empty.
  package func drain(limit: Int = .max) -> Int {
    var count = 0
    while count < limit, let job = next() {
      job.runSynchronously(on: asUnownedTaskExecutor())
      count += 1
    }
    return count
  }

  private func next() -> UnownedJob? {
    line.withLock { line in
      guard line.head < line.jobs.count else {
        line.jobs.removeAll(keepingCapacity: true)
        line.head = 0
        return nil
      }
      defer { line.head += 1 }
      return line.jobs[line.head]
    }
  }
}
