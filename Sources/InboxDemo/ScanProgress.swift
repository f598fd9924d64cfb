import CloudJobs
import CloudJobsCore
import Synchronization

/// The results of this process's scans, for the event printer and for the end of the demo.
final class ScanProgress: Sendable {
  private struct State {
    var names: [RunID: String] = [:]
    var enqueued: Set<String> = []
    var newRuns = 0
    var duplicates = 0
    var scans = 0
    var lastScanWasQuiet = false
  }

  private let state = Mutex(State())

  /// Records the files of runs.
  func name(_ files: [(run: RunID, path: String)]) {
    state.withLock { state in
      for file in files { state.names[file.run] = file.path }
    }
  }

  /// Returns the files that no scan of this process has enqueued yet.
  ///
  /// The first scan enqueues all files, which resumes runs that an ended process had recorded but not enqueued.
  func notEnqueued(_ files: [(key: String, path: InboxPath)]) -> [(key: String, path: InboxPath)] {
    let enqueued = state.withLock { $0.enqueued }
    return files.filter { !enqueued.contains($0.key) }
  }

  /// Records the result of a scan.
  func record(_ runs: [EnqueuedRun], of keys: [String]) {
    state.withLock { state in
      state.enqueued.formUnion(keys)
      state.newRuns += runs.count { $0.isNew }
      state.scans += 1
      state.lastScanWasQuiet = runs.allSatisfy { $0.status.isTerminal }
    }
  }

  /// Counts a repeated delivery.
  func countDuplicate() {
    state.withLock { $0.duplicates += 1 }
  }

  /// Returns the file of a run.
  func name(of run: RunID) -> String? {
    state.withLock { $0.names[run] }
  }

  /// The number of runs that scans of this process created.
  var newRuns: Int { state.withLock { $0.newRuns } }
  /// The number of repeated deliveries.
  var duplicates: Int { state.withLock { $0.duplicates } }
  /// Whether the latest scan found no unfinished run.
  var isQuiet: Bool { state.withLock { $0.scans > 0 && $0.lastScanWasQuiet } }
}
