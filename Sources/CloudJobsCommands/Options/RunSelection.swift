import ArgumentParser
import CloudJobs
import CloudJobsCore
import ProgramConsole

/// The runs that a command changes: by their ids, or by a filter.
struct RunSelection: ParsableArguments {
  @Argument(help: "The ids of the runs, or their first 8 digits or more; without any, those that the filter selects.")
  var runs: [String] = []
  @OptionGroup var filter: RunFilterOptions
  @Option(help: "The largest number of runs that a filter selects.") var limit = 10_000
  @OptionGroup var confirmation: Confirmation
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard runs.isEmpty || filter.isEmpty else {
      throw ValidationError("Name the runs by their ids, or select them by --job, --status and the like, not both.")
    }
    guard !runs.isEmpty || !filter.isEmpty else {
      throw ValidationError("Name the runs by their ids, or select them by --job, --status and the like.")
    }
    guard limit > 0 else { throw ValidationError("--limit is a number from 1.") }
  }

  /// Changes each run and tells what came of it.
  ///
  /// What was done stays done if the command ends early, and a second call goes on with the rest.
  ///
  /// - Parameters:
  ///   - verb: what was done, as the first word of a sentence.
  ///   - change: the change.
  ///   - reason: the reason of a cancellation.
  /// - Throws: what ends the process: `ExitCode` 2 if a run was left as it was.
  func change(_ verb: String, _ change: RunChange, because reason: String = "") async throws {
    var result = Result()
    do {
      let runtime = try await store.runtime()
      let selected = try await selected(in: runtime, statuses: change.statuses)
      if !filter.isEmpty {
        try confirmation.require("This concerns \(selected.count) \(selected.count == 1 ? "run" : "runs").")
      }
      for (index, run) in selected.enumerated() {
        switch try await change.apply(to: run, in: runtime, because: reason) {
        case .done: result.note(run.id, nil)
        case .requested: result.note(run.id, "is running")
        case .unchanged(let reason), .failed(let reason): result.note(run.id, reason)
        }
        if (index + 1).isMultiple(of: 1_000) {
          StandardStreams.writeErrorLine("\(index + 1) of \(selected.count)")
        }
      }
    } catch {
      throw CommandFailure.report(error)
    }
    try output.show(result.json) { _, _ in result.lines(verb) }
    // What a filter selects may be as it should be already.
    if !result.unchanged.isEmpty, filter.isEmpty { throw ExitCode(2) }
  }

  /// What came of the runs.
  private struct Result {
    var done: [RunID] = []
    var unchanged: [(run: RunID, reason: String)] = []

    mutating func note(_ run: RunID, _ reason: String?) {
      if let reason { unchanged.append((run, reason)) } else { done.append(run) }
    }

    var json: JSONValue {
      [
        "done": .array(done.map { .string($0.rawValue) }),
        "unchanged": .array(unchanged.map { ["run": .string($0.run.rawValue), "reason": .string($0.reason)] }),
      ]
    }

    func lines(_ verb: String) -> [String] {
      unchanged.map { "\($0.run): \($0.reason)" } + ["\(verb) \(done.count) \(done.count == 1 ? "run" : "runs")."]
    }
  }

  private func selected(in runtime: JobRuntime, statuses: Set<RunStatus>) async throws(JobError) -> [Run] {
    var found: [Run] = []
    for text in runs {
      let run = try await RunLookup(runtime: runtime).run(text, otherwise: "None of the runs was changed.")
      if !found.contains(where: { $0.id == run.id }) { found.append(run) }
    }
    if filter.isEmpty { return found }
    var filter = try filter.filter()
    filter.statuses = filter.statuses ?? statuses
    var cursor: StoreCursor?
    repeat {
      let page = try await runtime.runs(matching: filter, after: cursor, limit: min(500, limit - found.count))
      found += page.runs
      cursor = page.next
    } while cursor != nil && found.count < limit
    if found.isEmpty { try await JobInventory(runtime).require(filter.job) }
    return found
  }
}
