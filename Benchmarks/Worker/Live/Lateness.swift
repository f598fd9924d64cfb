import ArgumentParser
import CloudJobs
import CloudJobsCore
import Foundation

/// Enqueues runs whose times are spread over 20 s, and measures how late their handlers start.
struct Lateness: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Enqueues delayed runs; prints percentiles of the lateness of their handlers, in milliseconds.")

  @OptionGroup var worker: WorkerOptions

  @Option(help: "The number of runs.")
  var runs = 1_000

  struct Due: Codable {
    var at: Timestamp
  }

  func run() async throws {
    let spans = Spans()
    let runtime = try await worker.runtime(
      try JobRegistry {
        EndpointJob("job", input: Due.self) { due, context in
          spans.add(from: 0, to: (context.clock.now() - due.at).nanoseconds)
          return .done
        }
      })
    try await worker.withWorker(runtime) {
      let start = runtime.clock.now() + .seconds(2)
      let times = (0..<runs).map { start + .milliseconds($0 * 20_000 / runs) }
      for first in stride(from: 0, to: runs, by: 500) {
        try await runtime.enqueue(
          times[first..<min(first + 500, runs)].map { EnqueueRequest("job", Due(at: $0), start: .at($0)) })
      }
      while spans.count < runs { try await Task.sleep(for: .milliseconds(10)) }
    }
    let sorted = spans.milliseconds(after: 0)
    show(["p50": percentile(0.5, of: sorted), "p99": percentile(0.99, of: sorted), "max": sorted.last ?? .nan])
  }
}
