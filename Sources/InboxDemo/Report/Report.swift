import CloudJobs
import CloudJobsCore

/// What `report.json` says.
struct Report: Codable, Hashable, Sendable {
  struct File: Codable, Hashable, Sendable {
    var path: String
    var bytes: Int
    var sha256: String
    var lines: Int
    var attempts: Int
  }

  struct DeadLetter: Codable, Hashable, Sendable {
    var path: String
    var attempts: Int
    var error: String
  }

  var files: [File]
  var deadLetters: [DeadLetter]
  var newRuns: Int
  var duplicateDeliveries: Int
  /// The runs of `ingest_file` whose documents can't be read: their files stand nowhere else.
  var unreadableRuns: Int

  /// The report over the runs of `ingest_file`: of several runs for one path the latest counts.
  init(runs: [Run], unreadableRuns: Int, inbox: String, newRuns: Int, duplicateDeliveries: Int) {
    var latest = [InboxPath: Run]()
    for run in runs {
      guard let input = run.input.flatMap({ try? $0.decode(IngestFile.self) }), input.inbox == inbox else { continue }
      if let known = latest[input.path], (known.createdAt, known.id) > (run.createdAt, run.id) { continue }
      latest[input.path] = run
    }
    files = []
    deadLetters = []
    for (path, run) in latest.sorted(by: { $0.key < $1.key }) {
      if run.status == .succeeded, let facts = run.output.flatMap({ try? $0.decode(FileFacts.self) }) {
        files.append(
          File(
            path: path.text, bytes: facts.bytes, sha256: facts.sha256, lines: facts.lines, attempts: run.attempt))
      } else if run.status == .failed {
        let error = run.failure?.message ?? "unknown"
        deadLetters.append(DeadLetter(path: path.text, attempts: run.attempt, error: error))
      }
    }
    self.newRuns = newRuns
    self.duplicateDeliveries = duplicateDeliveries
    self.unreadableRuns = unreadableRuns
  }
}
