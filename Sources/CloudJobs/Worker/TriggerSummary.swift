import CloudJobsCore
import Logging

/// The triggers of a runtime's jobs: the line that a server logs at its start, so that no schedule waits unnoticed for
/// a trigger that never comes.
struct TriggerSummary: Hashable, Sendable {
  /// The sentence.
  var text: String
  /// Whether an operator must act before all jobs are triggered.
  var needsAttention: Bool

  /// Creates the summary for some jobs.
  ///
  /// - Parameters:
  ///   - definitions: the registered jobs.
  ///   - owner: the party that delivers failed attempts again.
  ///   - worker: the options of the worker in the process; nil if none runs.
  ///   - hasSync: whether housekeeping calls a function of the program, such as a sync with Cloud Scheduler.
  ///   - mountPath: the path of the handler.
  init(
    _ definitions: [JobDefinition], owner: RetryOwner, worker: JobWorker.Options?, hasSync: Bool,
    mountPath: String = "/jobs"
  ) {
    let periodic = definitions.filter { $0.kind == .periodic }.map(\.id.rawValue)
    let scheduled = definitions.filter { $0.kind == .scheduled }.map(\.id.rawValue)
    let schedules = Self.list(periodic + scheduled)
    let master = "POST \(mountPath)/master once a minute"
    switch owner {
    case .pass:
      text =
        worker.map { Self.text(of: $0, schedules) }
        ?? "No worker runs in this process: delayed and retried runs and the schedules\(schedules) wait until "
        + "something calls \(master). Use JobServer, or run a JobWorker."
      needsAttention = worker.map { !$0.runsSchedules && !$0.executesRuns } ?? true
    case .runtime:
      text =
        periodic.isEmpty && scheduled.isEmpty
        ? "The queue delivers runs."
        : "The queue delivers runs; the schedules\(schedules) need Cloud Scheduler to call \(master)"
          + (scheduled.isEmpty ? "" : ", and POST \(mountPath)/scheduled/{jobId} for scheduled jobs")
          + (hasSync ? "; the sync sees to that." : ". CloudSync sets that up; call it from options.onHousekeeping.")
      needsAttention = !hasSync && !(periodic.isEmpty && scheduled.isEmpty)
    case .caller:
      text =
        periodic.isEmpty && scheduled.isEmpty
        ? "Runs are retried by their callers."
        : "Nothing in this process triggers the schedules\(schedules): have something call \(master), and "
          + "POST \(mountPath)/scheduled/{jobId} for scheduled jobs."
      needsAttention = !(periodic.isEmpty && scheduled.isEmpty)
    }
  }

  private static func text(of worker: JobWorker.Options, _ schedules: String) -> String {
    switch (worker.runsSchedules, worker.executesRuns) {
    case (true, true):
      "The worker of this process runs delayed and retried runs and the schedules\(schedules) by itself."
    case (true, false):
      "The worker of this process starts the schedules\(schedules); it leaves all runs to workers that execute them."
    case (false, true):
      "The worker of this process executes runs; it leaves the schedules\(schedules) to workers that start them."
    case (false, false):
      "The worker of this process does nothing: it neither starts schedules nor executes runs. Switch one of them on."
    }
  }

  private static func list(_ names: [String]) -> String {
    if names.isEmpty { return "" }
    let shown = names.prefix(5).joined(separator: ", ")
    return " of \(shown)" + (names.count > 5 ? " and \(names.count - 5) more" : "")
  }
}

extension JobRuntime {
  /// The number of deliveries and attempts in process.
  package var activeAttemptCount: Int { services.active.deliveries }

  /// Whether the runtime's work waits in a store on this machine, so that a worker in the process should execute it.
  public var needsWorker: Bool { services.settings.retryOwner == .pass && store is any DueTimeStore }

  /// Logs the triggers of the jobs.
  ///
  /// - Parameters:
  ///   - worker: the options of the worker in the process; nil if none runs.
  ///   - mountPath: the path of the handler.
  package func logTriggers(worker: JobWorker.Options?, mountPath: String) {
    let summary = TriggerSummary(
      services.registry.definitions, owner: services.settings.retryOwner, worker: worker,
      hasSync: options.onHousekeeping != nil, mountPath: mountPath)
    options.logger.log(level: summary.needsAttention ? .warning : .info, "\(summary.text)")
    guard worker == nil else { return }
    for definition in services.registry.definitions {
      guard let job = try? services.resolve(definition, nil), job.isRunByPass(under: services.settings.scheduleOwner),
        let note = job.minuteNote(after: clock.now())
      else { continue }
      options.logger.warning("\(note)")
    }
  }
}
