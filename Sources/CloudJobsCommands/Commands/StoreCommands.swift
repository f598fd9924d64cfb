import ArgumentParser
import CloudJobs
import CloudJobsCore

/// `dead-letters`.
struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters", abstract: "Lists runs that failed for good, latest first.",
    discussion: "Repeat them with `runs redrive`.")

  @Option(help: "The id of their job.") var job: String?
  @OptionGroup var size: RunPageOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      var filter = RunFilter(statuses: [.failed])
      if let job { filter.job = try JobID(job) }
      let runtime = try await store.runtime()
      let page = try await runtime.runs(matching: filter, limit: size.limit)
      if page.runs.isEmpty { try await JobInventory(runtime).require(filter.job) }
      try output.show(.object(RunView.members(page))) { _, times in
        OutputOptions.lines(RunView.table(page.runs, times), none: "There are no dead letters.")
      }
    }
  }
}

/// `workers`.
struct WorkersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workers", abstract: "Lists the workers of a store, by the time of their start.")

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      let workers = try await store.runtime().workers()
      try output.show(["workers": .array(workers.map(\.json))]) { _, times in
        OutputOptions.lines(Self.table(workers, times), none: "No worker has been heard of within the last hour.")
      }
    }
  }

  private static func table(_ workers: [WorkerStatus], _ times: TimeText) -> TextTable {
    TextTable(
      columns: [
        .init("worker"), .init("state", as: .status), .init("active", as: .number), .init("of", as: .number),
        .init("processed", as: .number, drop: 2), .init("started", as: .time, drop: 1),
        .init("seen", as: .time, drop: 3),
      ],
      rows: workers.map { worker in
        [
          worker.record.name, worker.state.rawValue, "\(worker.record.active)", "\(worker.record.concurrency)",
          "\(worker.record.processed)", times.text(worker.record.startedAt), times.text(worker.seenAt),
        ]
      })
  }
}

/// `migrate`.
struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Creates a store, or brings its schema to this version.",
    discussion: "Programs do so at their start, unless they are told not to. It is harmless to repeat.")

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      let address = try store.address()
      _ = try await store.runtime(creates: true).runs(limit: 1)
      try output.show(["store": .string("\(address)"), "isCurrent": true]) { _, _ in ["\(address) is at this version."]
      }
    }
  }
}
