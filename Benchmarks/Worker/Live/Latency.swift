import ArgumentParser
import CloudJobs
import CloudJobsCore
import Foundation
import Synchronization

/// Enqueues runs one by one at a rate, and measures the time from the call to the start of each handler.
struct Latency: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Enqueues runs at a rate; prints percentiles of the time from the call to the handler, in milliseconds.")

  @OptionGroup var worker: WorkerOptions

  @Option(help: "The number of runs a second.")
  var rate = 1_000

  @Option(help: "The time to go on for, in seconds.")
  var seconds = 10

  @Option(help: "The time to go on for before the measurement, in seconds.")
  var warmUp = 2

  struct Sent: Codable {
    /// The time of the call, in nanoseconds of a clock of the process.
    var at: Int64
  }

  func run() async throws {
    let (clock, origin) = (ContinuousClock(), ContinuousClock.now)
    let spans = Spans()
    let runtime = try await worker.runtime(
      try JobRegistry {
        EndpointJob("job", input: Sent.self) { sent, _ in
          spans.add(from: sent.at, to: (clock.now - origin).nanoseconds)
          return .done
        }
      })
    let count = rate * (seconds + warmUp)
    try await worker.withWorker(runtime) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        let start = clock.now
        for number in 0..<count {
          try await Task.sleep(until: start + .nanoseconds(1_000_000_000 / rate) * number, clock: clock)
          group.addTask {
            try await runtime.enqueue("job", Sent(at: (clock.now - origin).nanoseconds))
          }
        }
        try await group.waitForAll()
      }
      while spans.count < count { try await Task.sleep(for: .milliseconds(1)) }
    }
    let sorted = spans.milliseconds(after: Int64(warmUp) * 1_000_000_000)
    show([
      "runs": Double(sorted.count), "p50": percentile(0.5, of: sorted), "p99": percentile(0.99, of: sorted),
      "max": sorted.last ?? .nan,
    ])
  }
}

/// The times between calls and handlers.
final class Spans: Sendable {
  private let spans = Mutex<[(from: Int64, to: Int64)]>([])

  var count: Int { spans.withLock { $0.count } }

  func add(from: Int64, to: Int64) { spans.withLock { $0.append((from, to)) } }

  /// Returns the spans that began at or after a time, sorted.
  func milliseconds(after start: Int64) -> [Double] {
    spans.withLock { spans in
      spans.filter { $0.from >= start }.map { Double($0.to - $0.from) / 1e6 }.sorted()
    }
  }
}

extension Duration {
  /// The whole nanoseconds.
  var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
