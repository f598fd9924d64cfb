import ArgumentParser
import CloudJobs
import CloudJobsCore
import Foundation

/// Measures a master pass with 10 due jobs and 10 due runs among many that wait.
struct Scale: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times master passes with 10 due jobs and 10 due runs among many; prints percentiles in milliseconds.")

  @OptionGroup var worker: WorkerOptions

  @Option(help: "The number of job documents that are not due.")
  var documents = 1_000

  @Option(help: "The number of runs that are not due.")
  var waiting = 1_000

  @Option(help: "The number of passes.")
  var passes = 100

  private static let due = 10

  func run() async throws {
    let runtime = try await worker.runtime(
      try JobRegistry {
        EndpointJob("run") { _ in .done }
        for number in 0..<Self.due { PeriodicJob(Self.job(number), every: .hours(1)) { _ in .done } }
      })
    try await runtime.prepare()
    try await fill(runtime)
    var spans: [Double] = []
    for _ in 0..<passes {
      try await makeDue(runtime)
      let start = ContinuousClock.now
      let summary = await runtime.runMasterPass()
      let span = ContinuousClock.now - start
      guard summary.error == nil, summary.due == Self.due, summary.recovered == Self.due else {
        throw ValidationError("The pass found \(summary.due) jobs and \(summary.recovered) runs.")
      }
      spans.append(Double(span.nanoseconds) / 1e6)
    }
    spans.sort()
    show([
      "documents": Double(documents), "waiting": Double(waiting), "p50": percentile(0.5, of: spans),
      "p99": percentile(0.99, of: spans),
    ])
  }

  private static func job(_ number: Int) -> JobID { JobID(stringLiteral: "due-\(number)") }

  /// Returns the write of a job's next time.
  private static func next(of job: JobID, _ time: Timestamp) -> Write {
    var patch = JobStatePatch()
    patch.set(nextRun: time)
    return .patchState(job, patch, .none)
  }

  /// Stores what is not due.
  private func fill(_ runtime: JobRuntime) async throws {
    let later = runtime.clock.now() + .days(365)
    for first in stride(from: 0, to: documents, by: StoreLimits.batch) {
      let numbers = first..<min(first + StoreLimits.batch, documents)
      _ = try await runtime.store.commit(
        numbers.map { Self.next(of: JobID(stringLiteral: "other-\($0)"), later + .seconds($0)) })
    }
    try await runtime.enqueue(
      contentsOf: (0..<waiting).lazy.map { EnqueueRequest("run", start: .at(later + .seconds($0))) })
  }

  /// Makes the jobs and some runs due.
  private func makeDue(_ runtime: JobRuntime) async throws {
    let earlier = runtime.clock.now() - .seconds(1)
    _ = try await runtime.store.commit((0..<Self.due).map { Self.next(of: Self.job($0), earlier) })
    try await runtime.enqueue((0..<Self.due).map { _ in EnqueueRequest("run") })
  }
}
