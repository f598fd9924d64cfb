import CloudJobs
import CloudJobsCore

/// How runs are shown.
enum RunView {
  /// Returns a run as JSON: its stored fields with its id.
  static func json(_ run: Run, withPayload: Bool) -> JSONValue {
    var run = run
    if !withPayload { (run.input, run.output) = (nil, nil) }
    var members = run.fields.object ?? [:]
    members["id"] = .string(run.id.rawValue)
    return .object(members)
  }

  /// Returns the members of a page of runs as JSON: its runs without their input and output, and its time.
  static func members(_ page: RunPage) -> [String: JSONValue] {
    ["runs": .array(page.runs.map { json($0, withPayload: false) }), "time": .string("\(page.time)")]
  }

  /// Returns a line of a log as JSON.
  static func json(_ line: RunLogLine) -> JSONValue {
    [
      "time": .string("\(line.time)"), "level": .string(line.level), "message": .string(line.message),
      "metadata": .object(line.metadata.mapValues { .string($0) }),
    ]
  }

  /// Returns a line of a log for people.
  static func line(_ line: RunLogLine, _ times: TimeText) -> String {
    let metadata = line.metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    return "\(times.text(line.time))  \(line.level)  \(line.message)\(metadata)"
  }

  /// Returns the table of runs.
  static func table(_ runs: [Run], _ times: TimeText) -> TextTable {
    TextTable(
      columns: [
        .init("run", as: .runID), .init("job"), .init("status", as: .status), .init("attempt", as: .number, drop: 1),
        .init("created", as: .time, drop: 4), .init("ended", as: .time, drop: 2), .init("reason", as: .text, drop: 3),
      ],
      rows: runs.map { run in
        [
          run.id.rawValue, run.job.rawValue, run.status.rawValue, "\(run.attempt)", times.text(run.createdAt),
          times.text(run.finishedAt), run.failure?.message ?? run.reason ?? "",
        ]
      })
  }

  /// Returns a run for people, a field a line.
  static func lines(_ run: JSONValue, _ times: TimeText) -> [String] {
    let members = run.object ?? [:]
    let first = ["id", "job", "status", "trigger", "attempt"]
    let names = first.filter { members[$0] != nil } + members.keys.filter { !first.contains($0) }.sorted()
    let width = (names.map(\.count).max() ?? 0) + 2
    return names.flatMap { name in
      let value = members[name] ?? .null
      let texts = name == "earlierAttempts" ? attempts(value, times) : nil
      let lines = texts ?? [value.string != nil ? times.text(value) : value.text]
      return lines.enumerated().map { index, text in
        let label = index == 0 ? name : ""
        return label + String(repeating: " ", count: width - label.count) + text
      }
    }
  }

  /// Returns a line for each earlier attempt of a run; nil if they have another form.
  private static func attempts(_ value: JSONValue, _ times: TimeText) -> [String]? {
    guard let attempts = try? RunAttempt.list(value), !attempts.isEmpty else { return nil }
    return attempts.map { attempt in
      let failure = attempt.failure.map { ": \($0.kind): \($0.message)" } ?? ""
      return "\(attempt.number)  \(times.text(attempt.startedAt)) to \(times.text(attempt.endedAt))  "
        + "\(attempt.outcome?.rawValue ?? "")\(failure)"
    }
  }
}
