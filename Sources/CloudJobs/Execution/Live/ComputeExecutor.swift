import CloudJobsCore
import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A task executor with a fixed number of threads of its own, on which work may compute without keeping other work
/// waiting.
///
/// Threads start when they are needed, and end after some seconds without work. Tasks of a higher priority go first.
final class ComputeExecutor: TaskExecutor {
  /// A job that waits for a thread.
  private struct Entry: Comparable, Sendable {
    var priority: UInt8
    var number: Int
    var job: UnownedJob

    static func < (left: Entry, right: Entry) -> Bool {
      left.priority == right.priority ? left.number < right.number : left.priority > right.priority
    }

    static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
  }

  private struct Line {
    var waiting = MinimumHeap<Entry>()
    var lastNumber = 0
    var threads = 0
    var idle = 0
  }

  /// The time after which a thread without work ends.
  private static let idleLimit = DispatchTimeInterval.seconds(10)

  private let limit: Int
  private let line = Mutex(Line())
  private let available = DispatchSemaphore(value: 0)

  /// Creates an executor.
  ///
  /// - Parameter threads: the maximum number of threads; nil for one per processor.
  init(threads: Int? = nil) {
    limit = max(1, threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }

  /// The number of jobs that wait for a thread.
  var waiting: Int { line.withLock { $0.waiting.count } }
  /// Whether no thread executes a job.
  var isIdle: Bool { line.withLock { $0.threads == $0.idle } }

  /// Adds a job.
  func enqueue(_ job: consuming ExecutorJob) {
    let priority = job.priority.rawValue
    let unowned = UnownedJob(job)
    let startsThread = line.withLock { line in
      line.lastNumber += 1
      line.waiting.insert(Entry(priority: priority, number: line.lastNumber, job: unowned))
      guard line.threads < limit, line.idle < line.waiting.count else { return false }
      line.threads += 1
      return true
    }
    available.signal()
    guard startsThread, !DedicatedThread.start({ self.work() }) else { return }
    // Without another thread, the job waits for one of those there are, or for a thread of Dispatch.
    let isStuck = line.withLock { line in
      line.threads -= 1
      if line.threads == 0 { line.threads = 1 }
      return line.threads == 1
    }
    if isStuck { DispatchQueue(label: "cloud-jobs.compute").async { self.work() } }
  }

  private func work() {
    while true {
      line.withLock { $0.idle += 1 }
      let isIdle = available.wait(timeout: .now() + Self.idleLimit) == .timedOut
      let entry = line.withLock { line in
        line.idle -= 1
        let entry = line.waiting.removeFirst()
        if entry == nil, isIdle { line.threads -= 1 }
        return entry
      }
      if let entry {
        entry.job.runSynchronously(on: asUnownedTaskExecutor())
      } else if isIdle {
        return
      }
    }
  }
}
