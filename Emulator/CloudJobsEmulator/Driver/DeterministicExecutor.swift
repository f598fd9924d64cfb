import Synchronization

/// A task executor that keeps its jobs in a line and runs them, one after the other, on the thread that drains it.
///
/// Tasks that prefer it, their child tasks and the default actors that they use run in an order that depends on nothing
/// but the program: no thread pool is involved. Detached tasks, custom actor executors and C threads escape it.
public final class DeterministicExecutor: TaskExecutor {
  private struct Line {
    var jobs: [UnownedJob] = []
    var head = 0
  }

  private let line = Mutex(Line())

  /// An executor without jobs.
  public init() {}

  /// Puts a job at the end of the line.
  public func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    line.withLock { $0.jobs.append(unowned) }
  }

  /// Runs jobs until the line is empty.
  ///
  /// - Parameter limit: the most jobs to run.
  /// - Returns: how many jobs were run; less than the limit where the line is empty.
  public func drain(limit: Int = .max) -> Int {
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
