import CloudJobs
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

  /// Creates the queues that jobs name, the master job, and a scheduler job for each job that Cloud Scheduler fires.
  static func apply(
    _ registry: JobRegistry, under owner: ScheduleOwner, to state: inout EmulatorState, at now: Timestamp
  ) throws(ServiceFault) {
    let definitions = registry.definitions
    for queue in Set(definitions.map { $0.policy.queue ?? defaultQueue } + [defaultQueue]).sorted() {
      _ = try state.tasks.createQueue(CloudTasks.Queue(name: try queueName(queue)), at: now)
    }
    let location = try LocationName(SimulatedRuntime.location)
    let master = CloudScheduler.JobDraft(
      name: "\(location)/jobs/\(JobID.master)",
      target: .http(HTTPTarget(url: "\(origin)/jobs/master")), schedule: "* * * * *", timeZone: "Etc/UTC",
      attemptDeadline: CloudSchedulerEntry.deadlines.upperBound)
    _ = try state.scheduler.createJob(master, in: location, at: now)
    for definition in definitions {
      // The registry has resolved every definition before.
      guard let job = try? ResolvedJob(definition, configuration: nil, zones: registry.zones),
        case .cloudScheduler(let entry) = job.route(under: owner)
      else { continue }
      let draft = CloudScheduler.JobDraft(
        name: "\(location)/jobs/\(definition.id.schedulerName)",
        target: .http(HTTPTarget(url: "\(origin)/jobs/scheduled/\(definition.id)")), schedule: entry.schedule,
        timeZone: entry.timeZone, attemptDeadline: entry.attemptDeadline)
      do throws(ServiceFault) {
        _ = try state.scheduler.createJob(draft, in: location, at: now)
      } catch {
        throw ServiceFault(error.code, "The job \(definition.id): \(error.message)")
      }
    }
  }
}
