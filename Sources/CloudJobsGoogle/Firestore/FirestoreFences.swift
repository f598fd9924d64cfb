#if HTTP
import CloudJobs
import CloudJobsCore
import Synchronization

/// The fencing tokens that this process has written, and when: a claim's own heartbeats and finish need not read them.
///
/// What is remembered is only ever used as a precondition that the service checks, so that it may be out of date.
final class FirestoreFences: Sendable {
  /// A run's token, and when the run last changed.
  struct Entry: Hashable, Sendable {
    var fence: Int64
    var updateTime: Timestamp
  }

  /// Where more runs than these are under way in one process, older ones are read again.
  private static let limit = 10_000
  private let entries = Mutex<[RunID: Entry]>([:])

  /// When runs last changed, of those whose tokens are known to be these.
  func times(_ fences: [RunID: Int64]) -> [RunID: Timestamp] {
    entries.withLock { entries in
      var times: [RunID: Timestamp] = [:]
      for (id, fence) in fences {
        if let entry = entries[id], entry.fence == fence { times[id] = entry.updateTime }
      }
      return times
    }
  }

  /// Forgets runs of which something else was remembered than the service says.
  func forget(_ runs: some Sequence<RunID>) {
    entries.withLock { entries in
      for id in runs { entries[id] = nil }
    }
  }

  /// Remembers what a commit wrote: runs under a lease.
  func remember(_ writes: [Write], _ updateTimes: [Timestamp?]) {
    entries.withLock { entries in
      for (write, updateTime) in zip(writes, updateTimes) {
        switch write {
        case .putRun(let run, _):
          let entry = updateTime.map { Entry(fence: run.fence, updateTime: $0) }
          if entries.count >= Self.limit { entries.removeAll(keepingCapacity: true) }
          entries[run.id] = run.lease == nil ? nil : entry
        case .deleteRun(let id, _): entries[id] = nil
        default: continue
        }
      }
    }
  }
}
#endif
