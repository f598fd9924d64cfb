import CloudJobs
import CloudJobsCore

/// The demo's three jobs.
enum DemoJobs {
  static let ingest: JobID = "ingest_file"
  static let scan: JobID = "scan_inbox"
  static let report: JobID = "nightly_report"

  /// Returns the registry.
  ///
  /// - Parameters:
  ///   - inbox: the folder to process.
  ///   - progress: the record of the scans' results.
  ///   - writeReport: writes the report.
  /// - Returns: the registry.
  /// - Throws: ``RegistryError``; does not happen for these jobs.
  static func registry(
    inbox: Inbox, progress: ScanProgress, writeReport: @escaping @Sendable () async throws -> Void
  ) throws(RegistryError) -> JobRegistry {
    try JobRegistry {
      PeriodicJob(scan, every: .seconds(2)) { context in
        let files = progress.notEnqueued(inbox.scan().map { (key: $0.key(inbox: inbox.root), path: $0.path) })
        progress.name(files.map { (RunID(job: ingest, occurrence: .key($0.key)), $0.path.text) })
        let runs = try await context.enqueue(
          files.map { EnqueueRequest(ingest, IngestFile(inbox: inbox.root, path: $0.path), key: $0.key) })
        progress.record(runs, of: files.map(\.key))
        return .done
      }
      .retry(.never)
      .timeout(.seconds(30))
      .retention(.hours(1))

      EndpointJob(ingest, input: IngestFile.self, output: FileFacts.self) { file, _ in
        .done(try await FileFacts.read(file.path, in: Inbox(root: file.inbox, excluded: nil)))
      }
      .retry(RetryPolicy(maxAttempts: 3, backoff: .exponential(.milliseconds(500)), jitter: .none))
      .timeout(.minutes(2))

      ScheduledJob(report, cron: "0 2 * * *") { _ in
        try await writeReport()
        return .done
      }
    }
  }
}

/// The input of `ingest_file`.
struct IngestFile: Codable, Hashable, Sendable {
  /// The inbox's absolute path.
  var inbox: String
  /// The file's path relative to the inbox.
  var path: InboxPath
}
