import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsStores
import Foundation
import Logging

/// Measures workers.
///
///     swift run -c release worker-benchmark throughput --store sqlite:/tmp/jobs.db --runs 20000
@main
struct WorkerBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker-benchmark", abstract: "Measures workers over a store.",
    subcommands: [Throughput.self, Latency.self, Lateness.self, Scale.self] + local)

  private static var local: [any ParsableCommand.Type] {
    #if SQLite
    [Idle.self]
    #else
    []
    #endif
  }
}

/// The options of a benchmark's worker.
struct WorkerOptions: ParsableArguments {
  @Option(help: "memory, sqlite:FILE or postgres://…")
  var store = "memory"

  @Option(help: "The maximum number of attempts at once.")
  var concurrency = 64

  /// Creates a runtime over the store; jobs are the handlers by name.
  func runtime(_ registry: JobRegistry) async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
    return JobRuntime(registry, store: try await openStore(), authentication: .trustLoopback, options: options)
  }

  /// Executes an operation while a worker runs, and drains.
  func withWorker(_ runtime: JobRuntime, _ operation: () async throws -> Void) async throws {
    var options = JobWorker.Options()
    options.concurrency = concurrency
    try await withThrowingTaskGroup(of: Void.self) { [options] group in
      group.addTask { await JobWorker(runtime, options: options).run() }
      try await operation()
      await runtime.drain(within: .seconds(30))
    }
  }

  private func openStore() async throws -> any JobStore {
    try await StoreAddress(store).open()
  }
}

/// Prints figures as one line of JSON.
func show(_ figures: KeyValuePairs<String, Double>) {
  let fields = figures.map { "\"\($0.key)\": \(String(format: "%.3f", $0.value))" }
  FileHandle.standardOutput.write(Data("{\(fields.joined(separator: ", "))}\n".utf8))
}

/// Returns the value below which a part of sorted values lies.
func percentile(_ part: Double, of sorted: [Double]) -> Double {
  sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
}
