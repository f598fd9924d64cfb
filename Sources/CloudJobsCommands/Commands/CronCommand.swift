import ArgumentParser
import CloudJobsCore

/// The commands about schedules, which need no store.
struct CronCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cron", abstract: "Explains schedules.", subcommands: [Explain.self])

  /// `cron explain`.
  struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says in words when a schedule runs, with its next times and what clock changes do to them.",
      discussion: """
        The schedule is a cron expression of five or six fields, an interval such as 30m, Cloud Scheduler's English, \
        or a single time.
        """)

    @Argument(help: "The schedule, such as \"0 9 * * 1-5\".")
    var schedule: String

    @Option(help: "The IANA name of its time zone.", completion: .zones)
    var zone = "Etc/UTC"

    @Option(help: "The number of next times, 1 to 1000.")
    var next = 5

    @Option(help: "The time after which the next times are, in RFC 3339; now if it is left out.")
    var after: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
      guard (1...1_000).contains(next) else { throw ValidationError("--next is a number from 1 to 1000.") }
    }

    func run() async throws {
      try await CommandFailure.reporting {
        let zone = try ZoneCatalog.system.zone(named: zone)
        let start = try RunFilterOptions.time(after, "--after")
        let explanation = ScheduleExplanation(
          of: try Schedule(parsing: schedule, in: zone), after: start ?? SystemClock().now(), count: next)
        try output.show(explanation.json) { _, times in
          explanation.lines(in: output.utc ? times : TimeText(zone: zone))
        }
      }
    }
  }
}

/// How a schedule is shown.
extension ScheduleExplanation {
  /// The explanation as JSON.
  var json: JSONValue {
    [
      "schedule": .string(schedule.text), "summary": .string(schedule.summary),
      "timeZone": schedule.zone.map { .string($0.name) } ?? .null,
      "next": .array(
        occurrences.map { occurrence in
          var members: [String: JSONValue] = ["time": .string("\(occurrence.time)")]
          members["note"] = occurrence.note.map { .string($0) }
          return .object(members)
        }), "clockChanges": .array(changes.map { .string($0) }),
    ]
  }

  /// Returns the explanation for people.
  func lines(in times: TimeText) -> [String] {
    var lines = [schedule.summary, ""]
    lines += occurrences.map { "  \(times.text($0.time))" + ($0.note.map { "  \($0)" } ?? "") }
    if occurrences.isEmpty { lines.append("  It never runs again.") }
    if !changes.isEmpty { lines += ["", "Clock changes within a year:"] + changes.map { "  \($0)" } }
    return lines
  }
}
