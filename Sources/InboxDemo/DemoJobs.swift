import CloudJobs
import CloudJobsCore

/// The demo's three jobs.
enum DemoJobs {
  static let ingest: JobID = "ingest_file"
  static let scan: JobID = "scan_inbox"
  static let report: JobID = "nightly_report"

  /// The registry.
  ///
  /// - Parameters:
  ///   - inbox: the folder to process.
  ///   - board: where the scans tell what they found.
  ///   - writeReport: writes the report.
  /// - Returns: the registry.
  /// - Throws: ``RegistryError``; the jobs here are sound.
  static func registry(
    inbox: Inbox, board: ScanBoard, writeReport: @escaping @Sendable () async throws -> Void
  ) throws(RegistryError) -> JobRegistry {
    try JobRegistry {
      PeriodicJob(scan, every: .seconds(2)) { context in
        let files = board.unasked(inbox.scan().map { (key: $0.key(inbox: inbox.root), path: $0.path) })
        board.name(files.map { (RunID(job: ingest, occurrence: .key($0.key)), $0.path.text) })
        let runs = try await context.enqueue(
          files.map { EnqueueRequest(ingest, IngestFile(inbox: inbox.root, path: $0.path), key: $0.key) })
        board.record(runs, of: files.map(\.key))
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
