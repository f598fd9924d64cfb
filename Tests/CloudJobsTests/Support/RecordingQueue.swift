import CloudJobs
import CloudJobsCore
import Synchronization

/// A queue that keeps its tasks until a test delivers them; a name that it has seen is not taken twice.
final class RecordingQueue: TaskQueue {
  private struct State {
    var seen: Set<String> = []
    var tasks: [QueuedTask] = []
    var isDown = false
    var calls = 0
  }

  private let state = Mutex(State())
  let retryOwner: RetryOwner

  init(_ owner: RetryOwner = .runtime) {
    retryOwner = owner
  }

  var isDown: Bool {
    get { state.withLock { $0.isDown } }
    set { state.withLock { $0.isDown = newValue } }
  }

  /// The tasks that wait.
  var tasks: [QueuedTask] { state.withLock { $0.tasks } }

  /// All names that were ever taken.
  var names: Set<String> { state.withLock { $0.seen } }

  func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    let isTaken = state.withLock { state in
      if state.isDown { return false }
      state.calls += 1
      for task in tasks where state.seen.insert(task.name).inserted { state.tasks.append(task) }
      return true
    }
    if !isTaken { throw JobError(.queueUnavailable, "The queue of the test is down.") }
  }

  /// Takes out the tasks whose time has come.
  func due(at time: Timestamp) -> [QueuedTask] {
    state.withLock { state in
      let due = state.tasks.filter { ($0.notBefore ?? time) <= time }
      state.tasks.removeAll { ($0.notBefore ?? time) <= time }
      return due
    }
  }

  /// Puts a task back, as a queue does whose delivery was refused.
  func putBack(_ task: QueuedTask) {
    state.withLock { $0.tasks.append(task) }
  }

  /// Loses all tasks.
  func lose() { state.withLock { $0.tasks = [] } }
}
