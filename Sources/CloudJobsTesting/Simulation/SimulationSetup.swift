import CloudJobsCore
import CloudJobsEmulator

/// What the emulated services hold when a world begins.
enum SimulationSetup {
  /// Where deliveries go, as the emulator is told; no socket is opened.
  static let origin = "http://runtime.invalid"

  /// The name of the queue that takes tasks whose job names none.
  static let defaultQueue = "default"

  /// The resource name of a queue.
  static func queueName(_ queue: String?) throws(ServiceFault) -> CloudTasks.QueueName {
    try CloudTasks.QueueName("\(SimulatedRuntime.location)/queues/\(queue ?? defaultQueue)")
  }

  /// Creates the queues that jobs name, the master job, and a scheduler job for each scheduled job.
  static func apply(
    _ definitions: [JobDefinition], to state: inout EmulatorState, at now: Timestamp
  ) throws(ServiceFault) {
    for queue in Set(definitions.map { $0.policy.queue ?? defaultQueue } + [defaultQueue]).sorted() {
      _ = try state.tasks.createQueue(CloudTasks.Queue(name: try queueName(queue)), at: now)
    }
    let location = try LocationName(SimulatedRuntime.location)
    let master = CloudScheduler.JobDraft(
      name: "\(location)/jobs/\(JobID.master)",
      target: .http(HTTPTarget(url: "\(origin)/jobs/master")), schedule: "* * * * *", timeZone: "Etc/UTC")
    _ = try state.scheduler.createJob(master, in: location, at: now)
    for definition in definitions where definition.kind == .scheduled {
      guard case .text(let text)? = definition.schedule else { continue }
      let draft = CloudScheduler.JobDraft(
        name: "\(location)/jobs/\(definition.id)",
        target: .http(HTTPTarget(url: "\(origin)/jobs/scheduled/\(definition.id)")), schedule: text,
        timeZone: definition.timeZone, attemptDeadline: definition.policy.timeout)
      _ = try state.scheduler.createJob(draft, in: location, at: now)
    }
  }
}
