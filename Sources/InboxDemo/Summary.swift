import CloudJobs
import CloudJobsCore
import Foundation

/// What ran, how often, and what failed and why.
struct Summary {
  let writer: ReportWriter
  let store: any JobStore
  let report: URL
  let start: Timestamp
  let end: Timestamp

  private struct Count {
    var runs = 0
    var attempts = 0
    var succeeded = 0
    var retried = 0
    var dead = 0
  }

  /// How many dead letters are listed one by one.
  static let listed = 50

  func show() async throws {
    let counts = try await count()
    Console.write("")
    Console.write("Since \(start), in this database:")
    Console.write(Self.row("job", ["runs", "attempts", "succeeded", "retried", "dead letters"]))
    for (job, count) in counts.sorted(by: { $0.key < $1.key }) {
      let numbers = [count.runs, count.attempts, count.succeeded, count.retried, count.dead].map { String($0) }
      Console.write(Self.row(job.rawValue, numbers))
    }
    let report = try await writer.report()
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
  }

  private func count() async throws -> [JobID: Count] {
    var counts = [JobID: Count]()
    var cursor: StoreCursor?
    repeat {
      let page = try await Patience.insist {
        try await store.runs(matching: RunFilter(createdFrom: start), after: cursor, limit: StoreLimits.batch)
      }
      cursor = page.next
      for run in page.records.compactMap({ try? $0.run.get() }) {
        counts[run.job, default: Count()].runs += 1
        counts[run.job, default: Count()].attempts += run.attempt
        counts[run.job, default: Count()].succeeded += run.status == .succeeded ? 1 : 0
        counts[run.job, default: Count()].retried += max(0, run.attempt - 1)
        counts[run.job, default: Count()].dead += run.status == .failed ? 1 : 0
      }
    } while cursor != nil
    return counts
  }

  private static func row(_ name: String, _ cells: [String]) -> String {
    let head = name.padding(toLength: 16, withPad: " ", startingAt: 0)
    return "  " + head + cells.map { String(repeating: " ", count: max(0, 14 - $0.count)) + $0 }.joined()
  }
}
