#if Server
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import CloudJobsStores
import Foundation
import Logging
import ProgramConsole

/// The entry point.
@main
enum Main {
  static func main() async {
    await WorkerDemo.main()
  }
}

/// Workers in several processes that share one store.
///
/// ```sh
/// swift run worker-demo work --store postgres://localhost/jobs --name A     # in one terminal
/// swift run worker-demo work --store postgres://localhost/jobs --name B     # in another
/// swift run worker-demo enqueue --store postgres://localhost/jobs --count 1000
/// swift run worker-demo status --store postgres://localhost/jobs
/// ```
struct WorkerDemo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker-demo", abstract: "Workers in several processes that share one store.",
    subcommands: [Work.self, Enqueue.self, Status.self])
}

/// The options that the subcommands share.
struct StoreOptions: ParsableArguments {
  @Option(help: "sqlite:FILE or postgres://…; the variable CLOUD_JOBS_STORE if it is left out.")
  var store: String?

  /// Calls a function with a runtime over the store, under the settings of the environment.
  ///
  /// - Parameters:
  ///   - report: gets a line for each attempt.
  ///   - body: the function.
  /// - Throws: ``ProgramFailure`` for any error, so that the program ends with one line.
  func withRuntime(
    _ report: @escaping @Sendable (String) -> Void = { _ in },
    _ body: (JobRuntime, JobSettings) async throws -> Void
  ) async throws {
    do {
      var settings = try await JobSettings.load()
      settings.runtime.logger.logLevel = .warning
      guard let text = store ?? settings.store else {
        throw JobError(.invalidField, "Name the store: --store sqlite:jobs.db, or postgres://…", field: "--store")
      }
      let runtime = JobRuntime(
        try DemoJobs.registry(report), store: try await StoreAddress(text).open(), authentication: .trustLoopback,
        options: settings.runtime)
      try await body(runtime, settings)
    } catch {
      throw ProgramFailure(error)
    }
  }
}

/// The demo's jobs.
enum DemoJobs {
  static let greet: JobID = "greet"
  static let tick: JobID = "tick"

  /// Returns the registry; each attempt tells what it does.
  static func registry(_ report: @escaping @Sendable (String) -> Void) throws(RegistryError) -> JobRegistry {
    try JobRegistry {
      EndpointJob(greet, input: Int.self) { number, context in
        try await context.clock.sleep(for: .milliseconds(100))
        report("greet \(number), attempt \(context.attempt)")
        return .done
      }
      PeriodicJob(tick, every: .seconds(10)) { context in
        report("tick of \(context.scheduledFor?.description ?? "now")")
        return .done
      }
    }
  }
}

/// Executes runs and schedules until a signal.
struct Work: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Executes what comes due, until SIGTERM or Ctrl-C. The settings are those of the environment.")

  @OptionGroup var options: StoreOptions
  @Option(help: "The worker's name in the list of workers.")
  var name: String?

  func run() async throws {
    let label = name ?? "worker"
    try await options.withRuntime({ Line.write("\(label): \($0)") }) { runtime, settings in
      var configuration = settings.server
      if let name { configuration.worker?.name = name }
      Line.write("\(label) works. Stop it with Ctrl-C.")
      try await JobRuntimeService(runtime, configuration).runUntilSignal()
      Line.write("\(label) has stopped.")
    }
  }
}

/// Enqueues runs.
struct Enqueue: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Enqueues runs of the job greet.")

  @OptionGroup var options: StoreOptions
  @Option(help: "The number of runs, 1 to 10,000,000.")
  var count = 20

  func validate() throws {
    guard (1...10_000_000).contains(count) else { throw ValidationError("--count is a number from 1 to 10,000,000.") }
  }

  func run() async throws {
    try await options.withRuntime { runtime, _ in
      let begin = runtime.clock.now()
      let summary = try await runtime.enqueue(contentsOf: (1...count).lazy.map { EnqueueRequest(DemoJobs.greet, $0) })
      Line.write("Enqueued \(summary.created) runs in \(runtime.clock.now() - begin).")
    }
  }
}

/// Shows the workers and the number of runs.
struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Shows the workers and what waits.")

  @OptionGroup var options: StoreOptions

  func run() async throws {
    try await options.withRuntime { runtime, _ in
      let workers = try await runtime.workers()
      for worker in workers {
        Line.write(
          "\(worker.record.name): \(worker.state.rawValue), \(worker.record.active) of \(worker.record.concurrency) "
            + "in process, \(worker.record.processed) processed, last seen \(worker.seenAt)")
      }
      if workers.isEmpty { Line.write("No worker.") }
      for job in [DemoJobs.greet, DemoJobs.tick] {
        let statistics = try await runtime.statistics(of: job)
        Line.write(
          "\(job): \(statistics.waiting) waiting, \(statistics.running) running, \(statistics.succeeded) succeeded, "
            + "\(statistics.failed) failed\(statistics.isCut ? " among the latest \(statistics.runs)" : "")")
      }
    }
  }
}

/// Lines on standard output, each written as a whole.
enum Line {
  static func write(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
#else
/// The demo needs the trait Server.
@main
enum WorkerDemo {
  static func main() {}
}
#endif
