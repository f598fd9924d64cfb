#if Google
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import ProgramConsole

/// `sync`.
struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Plans the queues and Cloud Scheduler jobs that the program's jobs need, and with --apply makes them.",
    discussion: """
      It needs the jobs' code: use the command line of the program that has it. Documents in the store override the \
      code. Only jobs of Cloud Scheduler that a sync of this owner made are changed or deleted, and queues are never \
      deleted.
      """)

  @Flag(help: "Makes the changes; without it, they are only shown.") var apply = false
  @OptionGroup var cloud: CloudOptions
  @OptionGroup var confirmation: Confirmation
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      let program = try JobCommand.program(to: "know the schedules of jobs")
      let configuration = try cloud.configuration(for: try store.address())
      let documents = try await documents(of: program)
      try await CloudOptions.withGoogle(configuration.tasks.project) { google in
        let sync = CloudSync(configuration, in: google)
        let plan = try await sync.plan(documents)
        let report = SyncReport(plan, configuration, isApplied: apply)
        if apply {
          if report.deletions > 0 {
            try confirmation.require(
              "This deletes \(report.deletions) \(report.deletions == 1 ? "job" : "jobs") of Cloud Scheduler.")
          }
          try await carryOut(plan, with: sync)
        }
        try output.show(report.json) { _, _ in report.lines }
      }
    }
  }

  private func documents(of program: JobProgram) async throws(JobError) -> JobDocuments {
    let store = try await store.open()
    do throws(StoreError) {
      return try await JobDocuments(of: program.registry, in: store)
    } catch {
      throw JobError(error)
    }
  }

  /// Makes the changes of a plan, and tells each on standard error.
  private func carryOut(_ plan: SyncPlan, with sync: CloudSync) async throws(JobError) {
    let changes = plan.changes.filter { $0.action != .unchanged }
    for (index, change) in changes.enumerated() {
      var step = plan
      step.changes = [change]
      StandardStreams.writeErrorLine("\(index + 1) of \(changes.count): \(change)")
      try await sync.apply(step)
    }
  }
}

/// A plan of a sync as a command shows it: pure.
struct SyncReport {
  let plan: SyncPlan
  let configuration: CloudSyncConfiguration
  /// Whether the plan has been carried out.
  let isApplied: Bool

  init(_ plan: SyncPlan, _ configuration: CloudSyncConfiguration, isApplied: Bool) {
    (self.plan, self.configuration, self.isApplied) = (plan, configuration, isApplied)
  }

  /// The number of resources that are deleted.
  var deletions: Int { plan.changes.count { $0.action == .delete } }

  /// The plan as JSON.
  var json: JSONValue {
    [
      "project": .string(configuration.tasks.project), "location": .string(configuration.tasks.location),
      "applied": .bool(isApplied),
      "changes": .array(
        plan.changes.map { change in
          var members: [String: JSONValue] = [
            "kind": .string(change.kind.rawValue), "name": .string(change.name), "paused": .bool(change.isPaused),
          ]
          switch change.action {
          case .create: members["action"] = "create"
          case .delete: members["action"] = "delete"
          case .unchanged: members["action"] = "unchanged"
          case .update(let fields):
            members["action"] = "update"
            members["fields"] = .array(fields.map { .string($0) })
          }
          return .object(members)
        }), "notes": .array(plan.notes.map { .string($0) }),
    ]
  }

  /// The plan for people: its changes, its notes, and what to do next.
  var lines: [String] {
    let changes = plan.changes.filter { $0.action != .unchanged }
    var lines = changes.map { "  \($0)" } + plan.notes.map { "  note: \($0)" }
    let place = "\(configuration.tasks.project), \(configuration.tasks.location)"
    let count = "\(changes.count) \(changes.count == 1 ? "change" : "changes")"
    if changes.isEmpty {
      lines.append("Nothing to change in \(place): \(plan.changes.count) resources are as they should be.")
    } else if isApplied {
      lines.append("Made \(count) in \(place).")
    } else {
      lines.append("\(count) in \(place). Make them with --apply\(deletions > 0 ? " --yes" : "").")
    }
    return lines
  }
}
#endif
