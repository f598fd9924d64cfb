import ArgumentParser
import CloudJobs
import CloudJobsCore
import ProgramConsole

/// `status`.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows a store at a glance: its jobs, workers, what is due, and what failed.")

  @Flag(name: .shortAndLong, help: "Shows it again every two seconds, until Ctrl-C.") var watch = false
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      let runtime = try await store.runtime()
      let address = "\(try store.address())"
      // A screen of a terminal is shown in place; elsewhere, one state follows the other.
      let isScreen = watch && !output.json && Terminal.current.width != nil
      repeat {
        let status = try await StoreStatus.read(from: runtime)
        if isScreen { StandardStreams.writeLine("\u{1B}[H\u{1B}[2J") }
        try output.show(status.json) { _, times in [address, ""] + status.lines(times) }
        if watch { try await runtime.clock.sleep(until: runtime.clock.now() + .seconds(2)) }
      } while watch
    }
  }
}

/// A store at a glance.
struct StoreStatus: Sendable {
  /// The number of runs that are counted of each status; a count of that many may be more.
  static let countLimit = 500
  /// The number of failed runs that are shown.
  static let shownFailures = 5

  let jobs: [JSONValue]
  let workers: [WorkerStatus]
  let counts: [RunStatus: Int]
  let failures: [Run]
  let time: Timestamp

  /// Reads the state of a store.
  static func read(from runtime: JobRuntime) async throws(JobError) -> StoreStatus {
    let (jobs, time) = try await JobInventory(runtime).all()
    var counts: [RunStatus: Int] = [:]
    var failures: [Run] = []
    for status in [RunStatus.pending, .scheduled, .running, .failed] {
      let page = try await runtime.runs(matching: RunFilter(statuses: [status]), limit: countLimit)
      counts[status] = page.runs.count
      if status == .failed { failures = Array(page.runs.prefix(shownFailures)) }
    }
    return StoreStatus(
      jobs: jobs, workers: try await runtime.workers(), counts: counts, failures: failures, time: time)
  }

  private func count(_ isCounted: (JSONValue) -> Bool) -> Int { jobs.count(where: isCounted) }

  private var overdue: Int {
    count { job in
      guard let next = job["state"]?["nextRun"]?.string.flatMap({ Timestamp(rfc3339: $0) }) else { return false }
      return next + .minutes(2) < time
    }
  }

  /// The state as JSON.
  var json: JSONValue {
    [
      "time": .string("\(time)"),
      "jobs": [
        "total": .integer(Int64(jobs.count)), "disabled": .integer(Int64(count { $0["enabled"]?.bool == false })),
        "paused": .integer(Int64(count { $0["paused"]?.bool == true })),
        "setAside": .integer(Int64(count { $0["fault"] != nil })), "overdue": .integer(Int64(overdue)),
      ],
      "runs": .object(
        Dictionary(
          uniqueKeysWithValues: counts.map { status, count in
            (status.rawValue, ["count": .integer(Int64(count)), "isCut": .bool(count == Self.countLimit)])
          })),
      "workers": .array(
        workers.map { worker in
          [
            "name": .string(worker.record.name), "state": .string(worker.state.rawValue),
            "active": .integer(Int64(worker.record.active)),
            "concurrency": .integer(Int64(worker.record.concurrency)), "seenAt": .string("\(worker.seenAt)"),
          ]
        }), "failures": .array(failures.map { RunView.json($0, withPayload: false) }),
    ]
  }

  private func worker(_ worker: WorkerStatus, _ times: TimeText) -> String {
    "\(worker.record.name) \(worker.state.rawValue), \(worker.record.active) of \(worker.record.concurrency) active, "
      + "seen at \(times.text(worker.seenAt))"
  }

  /// Returns the state for people.
  func lines(_ times: TimeText) -> [String] {
    func number(_ status: RunStatus) -> String {
      let count = counts[status] ?? 0
      return count == Self.countLimit ? "\(count) or more" : "\(count)"
    }
    let width = Terminal.current.width
    let all = [
      (
        "jobs",
        "\(jobs.count), of which \(count { $0["enabled"]?.bool == false }) disabled, "
          + "\(count { $0["paused"]?.bool == true }) paused, \(count { $0["fault"] != nil }) set aside, "
          + "\(overdue) overdue"
      ),
      (
        "runs",
        "\(number(.pending)) pending, \(number(.scheduled)) scheduled, \(number(.running)) running, "
          + "\(number(.failed)) failed"
      ), ("workers", workers.isEmpty ? "none" : workers.map { worker($0, times) }.joined(separator: "; ")),
    ]
    var lines = all.flatMap { TextTable.labelled($0, $1, width: width) }
    if !failures.isEmpty {
      lines += ["", "Latest failures:"] + OutputOptions.lines(RunView.table(failures, times), none: "")
    }
    return lines
  }
}
