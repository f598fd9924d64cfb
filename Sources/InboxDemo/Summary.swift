import CloudJobs
import CloudJobsCore
import Foundation

/// The summary at the end of the demo: runs per job, and failures with their reasons.
struct Summary {
  let writer: ReportWriter
  let store: any JobStore
  let report: URL
  let start: Timestamp

  private struct Count {
    var runs = 0
    var attempts = 0
    var succeeded = 0
    var retried = 0
    var dead = 0

    mutating func add(_ run: Run) {
      runs += 1
      attempts += run.attempt
      succeeded += run.status == .succeeded ? 1 : 0
      retried += max(0, run.attempt - 1)
      dead += run.status == .failed ? 1 : 0
    }
  }

  private struct Counts {
    var jobs = [JobID: Count]()
    var unreadable = 0
    var firstReason: String?
  }

  /// The maximum number of dead letters listed individually.
  static let listed = 50

  /// Writes the summary.
  ///
  /// - Returns: whether nothing was lost: every stored run is readable, and the report was written if it was due.
  func show() async throws -> Bool {
    let counts = try await count()
    let report = try await writer.report()
    Console.write("")
    Console.write("Since \(start), in this database:")
    Console.write(Self.row("job", ["runs", "attempts", "succeeded", "retried", "dead letters"]))
    for (job, count) in counts.jobs.sorted(by: { $0.key < $1.key }) {
      let numbers = [count.runs, count.attempts, count.succeeded, count.retried, count.dead].map { String($0) }
      Console.write(Self.row(job.rawValue, numbers))
    }
    Console.write("")
    Console.write(
      "Files ingested in all: \(report.files.count). New runs: \(report.newRuns). "
        + "Repeated deliveries: \(report.duplicateDeliveries). Dead letters: \(report.deadLetters.count).")
    for letter in report.deadLetters.prefix(Self.listed) {
      Console.write(
        "  ✘ \(Console.printable(letter.path)): \(Console.printable(letter.error)) (\(letter.attempts) attempts)")
    }
    if report.deadLetters.count > Self.listed {
      Console.write("  … and \(report.deadLetters.count - Self.listed) more in \(self.report.lastPathComponent).")
    }
    return tellLosses(counts)
  }

  private func tellLosses(_ counts: Counts) -> Bool {
    if counts.unreadable > 0 {
      let (noun, verb, them) = counts.unreadable == 1 ? ("run", "is", "it") : ("runs", "are", "them")
      let first = counts.firstReason.map { ", the first with: \(Console.printable($0))" } ?? "."
      Console.write(
        "! \(counts.unreadable) stored \(noun) can't be read and \(verb) counted in no line above; "
          + "restore \(them) from a backup, or delete \(them) so that the files are ingested again\(first)")
    }
    let reports = counts.jobs[DemoJobs.report]
    let isReportLost = reports.map { $0.dead > 0 && $0.succeeded == 0 } ?? false
    if isReportLost { Console.write("! \(report.lastPathComponent) could not be written; see nightly_report above.") }
    return counts.unreadable == 0 && !isReportLost
  }

  /// Counts the runs since the start, and all unreadable ones.
  private func count() async throws -> Counts {
    var counts = Counts()
    var cursor: StoreCursor?
    repeat {
      let page = try await Retry.whileUnavailable {
        try await store.runs(matching: RunFilter(), after: cursor, limit: StoreLimits.batch)
      }
      cursor = page.next
      for record in page.records {
        switch record.run {
        case .success(let run): if run.createdAt >= start { counts.jobs[run.job, default: Count()].add(run) }
        case .failure(let error):
          counts.unreadable += 1
          counts.firstReason = counts.firstReason ?? error.message
        }
      }
    } while cursor != nil
    return counts
  }

  private static func row(_ name: String, _ cells: [String]) -> String {
    let head = name.padding(toLength: 16, withPad: " ", startingAt: 0)
    return "  " + head + cells.map { String(repeating: " ", count: max(0, 14 - $0.count)) + $0 }.joined()
  }
}
