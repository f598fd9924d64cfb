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
      let page = try await store.runtime().runs(matching: filter, limit: size.limit)
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
        .init("worker"), .init("state"), .init("active", isNumeric: true), .init("of", isNumeric: true),
        .init("processed", isNumeric: true), .init("started"), .init("seen"),
      ],
      rows: workers.map { worker in
        [
          worker.record.name, worker.state.rawValue, "\(worker.record.active)", "\(worker.record.concurrency)",
          "\(worker.record.processed)", times.text(worker.record.startedAt), times.text(worker.seenAt),
        ]
      })
  }
}

/// `trigger`.
struct TriggerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trigger", abstract: "Enqueues a run of a job now, past every gate but `enabled`.",
    discussion: "It needs the job's code: use the command line of the program that has it.")

  @Argument(help: "The id of the job.") var job: String
  @Option(help: "The input, as JSON.") var input: String?
  @Option(help: "A name for the work: a second run of the same key is not made.") var key: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      guard JobCommand.registry != nil else {
        throw JobError(
          .unknownJob,
          "This tool has no job's code. Run the command line of the program that has \(job): JobCommand.main(jobs).",
          field: "jobId")
      }
      let value = try input.map { text throws(JobError) in try JSONValue(parsing: Array(text.utf8)) }
      let runtime = try await store.runtime()
      let id = try JobID(job)
      let run: EnqueuedRun
      if let value {
        run = try await runtime.trigger(id, JSONInput(value: value), key: key)
      } else {
        run = try await runtime.trigger(id, key: key)
      }
      let answer: JSONValue = [
        "run": .string(run.id.rawValue), "isNew": .bool(run.isNew), "status": .string(run.status.rawValue),
      ]
      try output.show(answer) { _, _ in ["\(run.id) is \(run.status.rawValue)\(run.isNew ? "" : ", as before")."] }
    }
  }
}

/// An input that is JSON already.
private struct JSONInput: Encodable, Sendable {
  let value: JSONValue

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch value {
    case .null: try container.encodeNil()
    case .bool(let truth): try container.encode(truth)
    case .integer(let number): try container.encode(number)
    case .double(let number): try container.encode(number)
    case .string(let text): try container.encode(text)
    case .array(let elements): try container.encode(elements.map { JSONInput(value: $0) })
    case .object(let members): try container.encode(members.mapValues { JSONInput(value: $0) })
    }
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
