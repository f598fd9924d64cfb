import CloudJobs
import CloudJobsCore
import Foundation

/// The content of `report.json`.
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
  /// The number of `ingest_file` runs with unreadable documents, whose files appear nowhere else.
  var unreadableRuns: Int

  /// Creates the report from the runs of `ingest_file`; of several runs for one path the latest counts.
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

/// A writer of `report.json` from the content of the store.
struct ReportWriter: Sendable {
  let store: any JobStore
  let inbox: String
  let file: URL
  let progress: ScanProgress

  /// Reads all runs of `ingest_file` and replaces the report atomically.
  func write() async throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try PrivateFile.replace(file.path, with: Array(encoder.encode(try await report())))
  }

  /// Returns the current report.
  func report() async throws -> Report {
    var runs = [Run]()
    var unreadable = 0
    var cursor: StoreCursor?
    repeat {
      let page = try await Retry.whileUnavailable {
        try await store.runs(matching: RunFilter(job: DemoJobs.ingest), after: cursor, limit: StoreLimits.batch)
      }
      for record in page.records {
        switch record.run {
        case .success(let run): runs.append(run)
        case .failure: unreadable += 1
        }
      }
      cursor = page.next
    } while cursor != nil
    return Report(
      runs: runs, unreadableRuns: unreadable, inbox: inbox, newRuns: progress.newRuns,
      duplicateDeliveries: progress.duplicates)
  }

  /// Returns whether a run of `ingest_file` has not ended; unreadable runs never end and are ignored.
  func isAnythingWaiting() async throws -> Bool {
    let filter = RunFilter(job: DemoJobs.ingest, statuses: [.scheduled, .pending, .running])
    var cursor: StoreCursor?
    repeat {
      let page = try await Retry.whileUnavailable {
        try await store.runs(matching: filter, after: cursor, limit: StoreLimits.batch)
      }
      if page.records.contains(where: { (try? $0.run.get()) != nil }) { return true }
      cursor = page.next
    } while cursor != nil
    return false
  }
}

/// Files that only their owner may read.
enum PrivateFile {
  /// Replaces a file atomically.
  ///
  /// - Throws: ``JobFailure`` with the system's error message.
  static func replace(_ path: String, with bytes: [UInt8]) throws {
    let temporary = "\(path).new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure(path) }
    defer { close(file) }
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(path, removing: temporary) }
      written += count
    }
    guard fsync(file) == 0, rename(temporary, path) == 0 else { throw failure(path, removing: temporary) }
  }

  private static func failure(_ path: String, removing temporary: String? = nil) -> JobFailure {
    let reason = String(cString: strerror(errno))
    if let temporary { unlink(temporary) }
    return JobFailure.failed("\(path) can't be written: \(reason).", kind: "unwritableReport")
  }
}
