import ArgumentParser
import CloudJobs
import CloudJobsCore

/// `why`.
struct WhyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Says why a job ran, did not run, or will run.",
    discussion: """
      Without options: the run under way, or else the latest time of the schedule. Past times are explained by runs \
      and the pass journal, future ones by evaluating the job as it stands.
      """)

  @Argument(help: "The id of the job; not needed with --run.") var job: String?
  @Option(help: "The time to explain, in RFC 3339, past or future.") var at: String?
  @Option(help: "The id of a run to explain, or its first 8 digits or more.") var run: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (job == nil) != (run == nil) else { throw ValidationError("Name either a job or a run: --run ID.") }
    guard run == nil || at == nil else {
      throw ValidationError("A run is explained as it stands. Leave --at out, or name the job in place of the run.")
    }
  }

  func run() async throws {
    try await CommandFailure.reporting {
      let time = try RunFilterOptions.time(at, "--at")
      let explanation: Explanation
      if let run {
        let runtime = try await store.runtime()
        let found = try await RunLookup(runtime: runtime).run(run, otherwise: "List those that it has.")
        explanation = try await runtime.why(run: found.id)
      } else {
        explanation = try await store.runtime().why(try JobID(job ?? ""), at: time)
      }
      try output.show(explanation.fields) { _, times in ExplanationText(explanation, times).lines }
    }
  }
}

/// An explanation for people: pure.
struct ExplanationText {
  private let explanation: Explanation
  private let times: TimeText

  init(_ explanation: Explanation, _ times: TimeText) {
    self.explanation = explanation
    self.times = times
  }

  /// The lines: the answer, then what it rests on, then what to do.
  var lines: [String] {
    var lines = [times.rewriting(explanation.summary), ""]
    func add(_ name: String, _ text: String?) {
      guard let text else { return }
      lines.append("  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + times.rewriting(text))
    }
    add("verdict", "\(explanation.verdict.rawValue), \(explanation.cause.rawValue)")
    add("time", explanation.occurrence.map { times.text($0) })
    add("trigger", explanation.trigger)
    for fact in explanation.facts { add(fact.name, fact.text) }
    add("next time", explanation.nextRun.map { times.text($0) } ?? "none")
    if !explanation.gates.isEmpty {
      lines.append("  gates:")
      for gate in explanation.gates {
        let verdict = gate.isOpen.map { $0 ? "open" : "CLOSED" } ?? "not reached"
        let name = gate.name.rawValue + String(repeating: " ", count: max(1, 14 - gate.name.rawValue.count))
        lines.append(
          "    " + name + verdict + String(repeating: " ", count: 13 - verdict.count) + times.rewriting(gate.value))
      }
    }
    if !explanation.remedies.isEmpty {
      lines.append("")
      lines += explanation.remedies.map { "What would change it: \($0)" }
    }
    return lines
  }
}
