import CloudJobs
import CloudJobsCore
import Foundation

/// Writes `report.json` from what the store holds.
struct ReportWriter: Sendable {
  let store: any JobStore
  let inbox: String
  let file: URL
  let board: ScanBoard

  /// Reads all runs of `ingest_file` and writes the report as a whole: a reader sees the old one or the new one.
  func write() async throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try PrivateFile.replace(file.path, with: Array(encoder.encode(try await report())))
  }

  /// The report as of now.
  func report() async throws -> Report {
    var runs = [Run]()
    var unreadable = 0
    var cursor: StoreCursor?
    repeat {
      let page = try await Patience.insist {
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
      runs: runs, unreadableRuns: unreadable, inbox: inbox, newRuns: board.newRuns,
      duplicateDeliveries: board.duplicates)
  }

  /// Whether a run of `ingest_file` has not ended yet; one that can't be read never will, and is not waited for.
  func isAnythingWaiting() async throws -> Bool {
    let filter = RunFilter(job: DemoJobs.ingest, statuses: [.scheduled, .pending, .running])
    var cursor: StoreCursor?
    repeat {
      let page = try await Patience.insist {
        try await store.runs(matching: filter, after: cursor, limit: StoreLimits.batch)
      }
      if page.records.contains(where: { (try? $0.run.get()) != nil }) { return true }
      cursor = page.next
    } while cursor != nil
    return false
  }
}

/// Files that their owner alone may read.
enum PrivateFile {
  /// Replaces a file as a whole.
  ///
  /// - Throws: ``JobFailure``, which says in words what the system said.
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
