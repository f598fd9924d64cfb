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
    try encoder.encode(try await report()).write(to: file, options: .atomic)
  }

  /// The report as of now.
  func report() async throws -> Report {
    var runs = [Run]()
    var cursor: StoreCursor?
    repeat {
      let page = try await Patience.insist {
        try await store.runs(matching: RunFilter(job: DemoJobs.ingest), after: cursor, limit: StoreLimits.batch)
      }
      runs += page.records.compactMap { try? $0.run.get() }
      cursor = page.next
    } while cursor != nil
    return Report(
      runs: runs, inbox: inbox, newRuns: board.newRuns, duplicateDeliveries: board.duplicates)
  }

  /// Whether a run of `ingest_file` has not ended yet.
  func isAnythingWaiting() async throws -> Bool {
    let filter = RunFilter(job: DemoJobs.ingest, statuses: [.scheduled, .pending, .running])
    return try await Patience.insist { try await !store.runs(matching: filter, after: nil, limit: 1).records.isEmpty }
  }
}
