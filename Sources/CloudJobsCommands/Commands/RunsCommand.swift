import ArgumentParser
import CloudJobs
import CloudJobsCore
import ProgramConsole

/// The commands about runs.
struct RunsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Shows and changes runs.",
    subcommands: [List.self, Show.self, Logs.self, Cancel.self, Retry.self, Redrive.self],
    defaultSubcommand: List.self)

  /// `runs list`.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists runs, latest first.")

    @OptionGroup var filter: RunFilterOptions
    @OptionGroup var size: RunPageOptions
    @Option(help: "The cursor that the previous page ended with.") var cursor: String?
    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await CommandFailure.reporting {
        let runtime = try await store.runtime()
        let wanted = try filter.filter()
        let page = try await runtime.runs(
          matching: wanted, after: try RunFilterOptions.cursor(cursor), limit: size.limit)
        if page.runs.isEmpty, cursor == nil { try await JobInventory(runtime).require(wanted.job) }
        var value = RunView.members(page)
        value["next"] = page.next.map { .string($0.text) }
        try output.show(.object(value)) { _, times in
          let lines = OutputOptions.lines(RunView.table(page.runs, times), none: "No run matches.")
          return lines + (page.next.map { ["", "More: --cursor \($0.text)"] } ?? [])
        }
      }
    }
  }

  /// `runs show`.
  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows a run with its input, output and attempts.")
    @OptionGroup var target: RunTarget

    func run() async throws {
      try await CommandFailure.reporting { try target.show(try await target.run(target.runtime())) }
    }
  }

  /// `runs logs`.
  struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows what a run has logged, oldest line first.")

    @OptionGroup var target: RunTarget
    @Flag(name: .shortAndLong, help: "Goes on until the run has ended.") var follow = false

    func run() async throws {
      try await CommandFailure.reporting {
        let runtime = try await target.runtime()
        var shown = 0
        while true {
          // The run first: what it logged before its end is read after that.
          let run = try await target.run(runtime)
          let lines = try await runtime.log(ofRun: run.id)
          for line in lines.dropFirst(shown) {
            try target.output.show(RunView.json(line)) { _, times in
              [RunView.line(line, times)]
            }
          }
          shown = max(shown, lines.count)
          if !follow || run.status.isTerminal { return }
          try await runtime.clock.sleep(until: runtime.clock.now() + .seconds(1))
        }
      }
    }
  }

  /// `runs cancel`.
  struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Cancels runs: a waiting one never starts, one under way is asked to stop.")

    @OptionGroup var selection: RunSelection
    @Option(help: "The reason, which is stored with the run.") var reason = "It was cancelled by an operator."

    func run() async throws {
      try await selection.change("Cancelled", .cancel, because: reason)
    }
  }

  /// `runs retry`.
  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Starts the next attempt of waiting runs now, without their delay.")

    @OptionGroup var selection: RunSelection

    func run() async throws {
      try await selection.change("Made due", .retry)
    }
  }

  /// `runs redrive`.
  struct Redrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Repeats failed runs as new ones, and by their ids cancelled ones; a run is repeated once.")

    @OptionGroup var selection: RunSelection

    func run() async throws {
      try await selection.change("Repeated", .redrive)
    }
  }
}

/// The options that select runs.
struct RunFilterOptions: ParsableArguments {
  @Option(help: "The id of their job.") var job: String?
  @Option(
    help: "Their status, one or more with commas: pending, scheduled, running, succeeded, failed, cancelled.",
    completion: .list(RunStatus.allCases.map(\.rawValue)))
  var status: String?
  @Option(help: "The earliest time of their creation, in RFC 3339.") var from: String?
  @Option(help: "The time before which they were created, in RFC 3339.") var before: String?
  @Option(help: "Their correlation id.") var correlation: String?

  /// Whether anything is asked for.
  var isEmpty: Bool { job == nil && status == nil && from == nil && before == nil && correlation == nil }

  /// The filter.
  func filter() throws(JobError) -> RunFilter {
    for (option, value) in [("--job", job), ("--status", status), ("--correlation", correlation)] where value == "" {
      throw JobError(.invalidField, "The option has no value. Leave it out, or name what is sought.", field: option)
    }
    var filter = RunFilter(correlationID: correlation)
    if let job { filter.job = try JobID(job) }
    if let status {
      filter.statuses = []
      for name in status.split(separator: ",") {
        guard let status = RunStatus(rawValue: String(name)) else {
          let names = RunStatus.allCases.map(\.rawValue).joined(separator: ", ")
          throw JobError(.invalidField, "\"\(name)\" is no status. The statuses are \(names).", field: "--status")
        }
        filter.statuses?.insert(status)
      }
    }
    filter.createdFrom = try Self.time(from, "--from")
    filter.createdBefore = try Self.time(before, "--before")
    return filter
  }

  /// Returns the time that an option gives; nil if it is left out.
  static func time(_ text: String?, _ option: String) throws(JobError) -> Timestamp? {
    guard let text else { return nil }
    guard let time = Timestamp(rfc3339: text) else {
      throw JobError(.invalidField, "\"\(text)\" is no time. Write it as 2026-01-31T09:00:00Z.", field: option)
    }
    return time
  }

  static func cursor(_ text: String?) throws(JobError) -> StoreCursor? {
    guard let text else { return nil }
    guard let cursor = StoreCursor(text: text) else {
      throw JobError(.invalidField, "\"\(text)\" is no cursor. Take the one of the previous page.", field: "--cursor")
    }
    return cursor
  }
}

/// The size of a page of runs.
struct RunPageOptions: ParsableArguments {
  @Option(help: "The number of runs, 1 to 500.") var limit = 50

  func validate() throws {
    guard (1...500).contains(limit) else { throw ValidationError("--limit is a number from 1 to 500.") }
  }
}

/// The run that a command is about.
struct RunTarget: ParsableArguments {
  @Argument(help: "The id of the run, or its first 8 digits or more.") var run: String
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func runtime() async throws(JobError) -> JobRuntime { try await store.runtime() }

  /// Returns the run.
  func run(_ runtime: JobRuntime) async throws(JobError) -> Run {
    try await RunLookup(runtime: runtime).run(run, otherwise: "List those that it has.")
  }

  func show(_ run: Run) throws {
    try output.show(RunView.json(run, withPayload: true)) { value, times in RunView.lines(value, times) }
  }
}
