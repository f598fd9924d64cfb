import ArgumentParser
import CloudJobs
import CloudJobsCore
import ProgramConsole

/// The commands about jobs.
struct JobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "Shows and changes jobs.",
    subcommands: [
      List.self, Show.self, Enable.self, Disable.self, Pause.self, Resume.self, ScheduleJob.self, SetFields.self,
      Unregister.self,
    ], defaultSubcommand: List.self)

  /// `jobs list`.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the jobs that have a document, and those of the program.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await CommandFailure.reporting {
        let (jobs, time) = try await JobInventory(store.runtime()).all()
        try output.show(["jobs": .array(jobs), "time": .string("\(time)")]) { _, times in
          OutputOptions.lines(
            JobView.table(jobs, times), none: "The store has no job. A program makes them at its first start.")
        }
      }
    }
  }

  /// `jobs show`.
  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows a job: its document, its schedule and its state.")
    @OptionGroup var target: JobTarget

    func run() async throws {
      try await CommandFailure.reporting { try await target.show(target.inventory()) }
    }
  }

  /// `jobs enable`.
  struct Enable: JobChange {
    static let configuration = CommandConfiguration(abstract: "Enables a job.")
    @OptionGroup var target: JobTarget
    func change(_ configuration: inout JobConfiguration) { configuration.enabled = true }
  }

  /// `jobs disable`.
  struct Disable: JobChange {
    static let configuration = CommandConfiguration(
      abstract: "Disables a job: its occurrences are skipped, and it can't be triggered.")
    @OptionGroup var target: JobTarget
    func change(_ configuration: inout JobConfiguration) { configuration.enabled = false }
  }

  /// `jobs pause`.
  struct Pause: JobChange {
    static let configuration = CommandConfiguration(
      abstract: "Pauses a job: its occurrences are skipped, its runs wait, and what is under way goes on.")
    @OptionGroup var target: JobTarget
    func change(_ configuration: inout JobConfiguration) { configuration.paused = true }
  }

  /// `jobs resume`.
  struct Resume: JobChange {
    static let configuration = CommandConfiguration(abstract: "Ends the pause of a job.")
    @OptionGroup var target: JobTarget
    func change(_ configuration: inout JobConfiguration) { configuration.paused = nil }
  }

  /// `jobs schedule`.
  struct ScheduleJob: JobChange {
    static let configuration = CommandConfiguration(
      commandName: "schedule", abstract: "Sets the schedule of a job, at once.")

    @OptionGroup var target: JobTarget
    @Argument(help: "The schedule: cron, an interval such as 30m, or Cloud Scheduler's English; \"\" for the code's.")
    var schedule: String
    @Option(help: "The IANA name of its time zone.", completion: .zones) var zone: String?

    func change(_ configuration: inout JobConfiguration) {
      configuration.cron = schedule.isEmpty ? nil : schedule
      configuration.interval = nil
      // The code's schedule goes with the code's zone.
      if zone != nil || schedule.isEmpty { configuration.timeZone = zone }
    }
  }

  /// `jobs set`.
  struct SetFields: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "Sets fields of a job's document.",
      discussion:
        "A field is NAME=VALUE, where the value is JSON or plain text, and null goes back to the code's value.")

    @OptionGroup var target: JobTarget
    @Argument(help: "A field, such as maxConcurrent=3, timeout=90s or group=mail.") var fields: [String]

    func run() async throws {
      try await CommandFailure.reporting {
        var patch: [String: JSONValue] = [:]
        for field in fields {
          let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          guard parts.count == 2, !parts[0].isEmpty else {
            throw ValidationError("\"\(field)\" is no field. Write it as NAME=VALUE.")
          }
          let text = String(parts[1])
          patch[String(parts[0])] = (try? JSONValue(parsing: Array(text.utf8))) ?? .string(text)
        }
        let (inventory, job) = (try await target.inventory(), try target.id)
        try await inventory.configure(job, merging: .object(patch))
        try await target.show(inventory)
      }
    }
  }

  /// `jobs unregister`.
  struct Unregister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes a job's document, with its state.",
      discussion: "A program that has the job's code makes a new document at its next start. Its runs stay.")

    @OptionGroup var target: JobTarget
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
      try await CommandFailure.reporting {
        let (inventory, job) = (try await target.inventory(), try target.id)
        _ = try await inventory.job(job)
        try confirmation.require("This removes the document of \(job), with its state.")
        try await inventory.removeDocument(of: job)
        try target.output.show(["removed": .string(job.rawValue)]) { _, _ in ["Removed the document of \(job)."] }
      }
    }
  }
}

/// The job that a command changes.
struct JobTarget: ParsableArguments {
  @Argument(help: "The id of the job.") var job: String
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  /// The id of the job.
  var id: JobID { get throws(JobError) { try JobID(job) } }

  /// Returns the jobs of the store.
  func inventory() async throws(JobError) -> JobInventory { JobInventory(try await store.runtime()) }

  /// Shows the job as it is now.
  func show(_ inventory: JobInventory) async throws {
    try output.show(try await inventory.job(try id)) { value, times in JobView.lines(value, times) }
  }
}

/// A command that changes a job's document and shows it then.
protocol JobChange: AsyncParsableCommand {
  var target: JobTarget { get }
  func change(_ configuration: inout JobConfiguration)
}

extension JobChange {
  func run() async throws {
    try await CommandFailure.reporting {
      let (inventory, job) = (try await target.inventory(), try target.id)
      try await inventory.configure(job) { configuration in change(&configuration) }
      try await target.show(inventory)
    }
  }
}

/// How jobs are shown.
enum JobView {
  /// Returns the table of jobs.
  static func table(_ jobs: [JSONValue], _ times: TimeText) -> TextTable {
    TextTable(
      columns: [
        .init("job"), .init("kind", as: .text, drop: 1), .init("schedule"),
        .init("enabled", as: .status, drop: 3), .init("status", as: .status, drop: 4),
        .init("last run", as: .time, drop: 2), .init("next run", as: .time),
      ],
      rows: jobs.map { job in
        [
          job["id"]?.string ?? "", job["kind"]?.string ?? "-", job["schedule"]?.string ?? "-", activity(of: job),
          job["fault"] != nil ? "set aside" : job["state"]?["status"]?.string ?? "-",
          times.text(job["state"]?["lastRun"]), times.text(job["state"]?["nextRun"]),
        ]
      })
  }

  private static func activity(of job: JSONValue) -> String {
    let isPaused = job["paused"]?.bool == true
    guard let isEnabled = job["enabled"]?.bool else { return isPaused ? "paused" : "-" }
    return isEnabled ? (isPaused ? "paused" : "yes") : isPaused ? "no, paused" : "no"
  }

  /// Returns a job for people: what it is, then its document and its state.
  static func lines(_ job: JSONValue, _ times: TimeText) -> [String] {
    var lines = [job["id"]?.string ?? ""]
    func add(_ name: String, _ text: String?) {
      if let text { lines.append("  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + text) }
    }
    add("kind", job["kind"]?.string)
    add("enabled", activity(of: job))
    add("schedule", job["schedule"]?.string)
    add("time zone", job["timeZone"]?.string)
    add("fault", job["fault"]?.string)
    if job["registered"]?.bool == false { add("code", "in another program, which may say more") }
    for (title, name) in [("document", "configuration"), ("state", "state")] {
      let members = (job[name]?.object ?? [:]).sorted { $0.key < $1.key }
      if members.isEmpty { continue }
      lines.append("  \(title):")
      let width = (members.map(\.key.count).max() ?? 0) + 2
      for (name, value) in members {
        let text = value.string != nil ? times.text(value) : value.text
        lines.append("    " + name + String(repeating: " ", count: width - name.count) + text)
      }
    }
    return lines
  }
}
