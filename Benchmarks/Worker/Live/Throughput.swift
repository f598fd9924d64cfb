import ArgumentParser
import CloudJobs
import CloudJobsCore
import Foundation
import Synchronization

/// Enqueues runs of a job that does nothing, while a worker executes them, and measures the time until the last has
/// ended.
struct Throughput: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Enqueues and executes runs that do nothing; prints the runs a second, from the first enqueue to the end."
  )

  @OptionGroup var worker: WorkerOptions

  @Option(help: "The number of runs.")
  var runs = 20_000

  @Option(help: "The number of runs that are enqueued in one call.")
  var batch = 1_000

  func run() async throws {
    let done = Counter()
    let runtime = try await worker.runtime(try JobRegistry { EndpointJob("job") { _ in done.add() } })
    let clock = ContinuousClock()
    var (enqueued, ended) = (Duration.zero, Duration.zero)
    let start = clock.now
    try await worker.withWorker(runtime) {
      for first in stride(from: 0, to: runs, by: batch) {
        let count = min(batch, runs - first)
        try await runtime.enqueue((0..<count).map { _ in EnqueueRequest("job") })
      }
      enqueued = clock.now - start
      while done.value < runs { try await Task.sleep(for: .milliseconds(1)) }
    }
    ended = clock.now - start
    precondition(done.value == runs, "\(done.value) of \(runs) runs were executed.")
    show([
      "runsPerSecond": Double(runs) / ended.inSeconds, "enqueuedPerSecond": Double(runs) / enqueued.inSeconds,
    ])
  }
}

/// A counter that any thread may increase.
final class Counter: Sendable {
  private let count = Atomic(0)

  var value: Int { count.load(ordering: .acquiring) }

  func add() { count.add(1, ordering: .acquiringAndReleasing) }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
