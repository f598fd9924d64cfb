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

/// A schedule in words, with its next times: pure.
struct ScheduleExplanation {
  /// A run of a schedule.
  struct Occurrence {
    var time: Timestamp
    /// What a clock change does to it; nil if none does.
    var note: String?
  }

  /// The schedule.
  let schedule: Schedule
  /// The next times, earliest first.
  let occurrences: [Occurrence]
  /// The days of the clock changes in the year after the start, with what they do to the schedule.
  let changes: [String]

  /// Creates the explanation of a schedule.
  ///
  /// - Parameters:
  ///   - schedule: the schedule.
  ///   - start: the time after which its times are.
  ///   - count: the number of times.
  init(of schedule: Schedule, after start: Timestamp, count: Int) {
    self.schedule = schedule
    var occurrences: [Occurrence] = []
    var time = start
    while occurrences.count < count, let next = schedule.next(after: time) {
      occurrences.append(Occurrence(time: next, note: schedule.note(at: next)))
      time = next
    }
    self.occurrences = occurrences
    changes = Self.changes(of: schedule, after: start)
  }

  /// Returns what the clock changes of a year do to a schedule, by asking for its runs around each.
  private static func changes(of schedule: Schedule, after start: Timestamp) -> [String] {
    guard let zone = schedule.zone else { return [] }
    let end = start + .days(366)
    var found: [String] = []
    var time = start
    while let change = zone.transition(after: time), change.time < end {
      time = change.time
      var counts: [(text: String, count: Int)] = []
      var run = schedule.next(after: change.time - .hours(3))
      while let current = run, current < change.time + .hours(4) {
        if let note = schedule.note(at: current) {
          let text = "\(zone.date(at: current)): \(note)"
          if counts.last?.text == text { counts[counts.count - 1].count += 1 } else { counts.append((text, 1)) }
        }
        run = schedule.next(after: current)
      }
      found += counts.map { $0.count == 1 ? $0.text : "\($0.text) (\($0.count) times)" }
    }
    return found
  }

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
