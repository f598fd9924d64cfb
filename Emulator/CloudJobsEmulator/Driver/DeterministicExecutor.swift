import Synchronization

/// A task executor that queues its jobs and runs them in order on the thread that drains it.
///
/// Tasks that prefer it, their child tasks and the default actors they use run in an order that depends only on the
/// program, because no thread pool is involved. Detached tasks, custom actor executors and C threads are not covered.
package final class DeterministicExecutor: TaskExecutor {
  private struct Line {
    var jobs: [UnownedJob] = []
    var head = 0
    var outside = 0
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let line = Mutex(Line())

  /// Creates an executor without jobs.
  package init() {}

  /// Adds a job to the end of the queue.
  package func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    let waiter = line.withLock { line in
      line.jobs.append(unowned)
      defer { line.waiter = nil }
      return line.waiter
    }
    waiter?.resume()
  }

  /// Whether an operation of ``outside(_:)`` has not returned to this executor yet.
  package var hasOutsideWork: Bool { line.withLock { $0.outside > 0 } }

  /// Runs an operation that suspends on another thread, such as a call to a database.
  ///
  /// - Parameter operation: the operation, called by a task that prefers this executor.
  /// - Returns: its result.
  /// - Throws: its error.
  package func outside<Result, Failure: Error>(
    _ operation: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    line.withLock { $0.outside += 1 }
    // Ends on this executor, so that whatever follows is a job that the next drain runs.
    defer { line.withLock { $0.outside -= 1 } }
    return try await operation()
  }

  /// Suspends until a job is queued.
  package func nextJob() async {
    await withCheckedContinuation { continuation in
      let isQueued = line.withLock { line in
        if line.head < line.jobs.count { return true }
        line.waiter = continuation
        return false
      }
      if isQueued { continuation.resume() }
    }
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
