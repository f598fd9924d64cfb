#if SQLite
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import Foundation
import Logging

/// Measures what a worker costs while nothing is due.
struct Idle: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a worker without work over an SQLite file; prints the processor's time and the calls to the store.")

  @Option(help: "The file.")
  var file = "idle.db"

  @Option(help: "The time to go on for, in seconds.")
  var seconds = 60

  func run() async throws {
    let store = CountingStore(try SQLiteStore(path: file))
    var options = RuntimeOptions()
    options.logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
    let runtime = JobRuntime(
      try JobRegistry { PeriodicJob("daily", cron: "0 2 * * *") { _ in .done } }, store: store,
      authentication: .trustLoopback, options: options)
    try await WorkerOptions().withWorker(runtime) {
      try await Task.sleep(for: .seconds(1))
      store.reset()
      let before = processorSeconds()
      try await Task.sleep(for: .seconds(seconds))
      let used = processorSeconds() - before
      let calls = Double(store.counts.values.reduce(0, +))
      show([
        "processorMillisecondsPerMinute": used * 60_000 / Double(seconds),
        "storeCallsPerMinute": calls * 60 / Double(seconds),
      ])
    }
  }

  private func processorSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
}
#endif
