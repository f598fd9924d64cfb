import CloudJobs
import CloudJobsCore
import Synchronization

/// What the scans of this process have found, for the timeline and for the end of the demo.
final class ScanBoard: Sendable {
  private struct State {
    var names: [RunID: String] = [:]
    var asked: Set<String> = []
    var newRuns = 0
    var duplicates = 0
    var scans = 0
    var lastScanWasQuiet = false
  }

  private let state = Mutex(State())

  /// Keeps which files runs are about.
  func name(_ files: [(run: RunID, path: String)]) {
    state.withLock { state in
      for file in files { state.names[file.run] = file.path }
    }
  }

  /// The files that no scan of this process has asked for yet.
  ///
  /// The first scan after a start asks for all, which sets going again what a dead process had recorded only.
  func unasked(_ files: [(key: String, path: InboxPath)]) -> [(key: String, path: InboxPath)] {
    let asked = state.withLock { $0.asked }
    return files.filter { !asked.contains($0.key) }
  }

  /// Keeps the result of a scan.
  func record(_ runs: [EnqueuedRun], of keys: [String]) {
    state.withLock { state in
      state.asked.formUnion(keys)
      state.newRuns += runs.count { $0.isNew }
      state.scans += 1
      state.lastScanWasQuiet = runs.allSatisfy { $0.status.isTerminal }
    }
  }

  /// Counts a repeated delivery.
  func countDuplicate() {
    state.withLock { $0.duplicates += 1 }
  }

  /// The file that a run is about.
  func name(of run: RunID) -> String? {
    state.withLock { $0.names[run] }
  }

  /// The runs that scans of this process asked for first.
  var newRuns: Int { state.withLock { $0.newRuns } }
  /// The deliveries that repeated an earlier one.
  var duplicates: Int { state.withLock { $0.duplicates } }
  /// Whether the latest scan found nothing that is not done.
  var isQuiet: Bool { state.withLock { $0.scans > 0 && $0.lastScanWasQuiet } }
}
