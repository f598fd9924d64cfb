#if HTTP
import CloudJobs
import CloudJobsCore

/// Decides what sync does: a function of the configuration, the jobs' documents and what the location holds.
struct SyncPlanner {
  let configuration: CloudSyncConfiguration
  let inventory: CloudInventory
  private var plan = SyncPlan()
  /// The jobs of Cloud Scheduler that stay.
  private var kept: Set<String> = []

  private init(_ configuration: CloudSyncConfiguration, _ inventory: CloudInventory) {
    self.configuration = configuration
    self.inventory = inventory
  }

  /// The plan: queues first, then the master job, then jobs by name, then deletions.
  static func plan(
    _ configuration: CloudSyncConfiguration, _ documents: JobDocuments, _ inventory: CloudInventory
  ) -> SyncPlan {
    var planner = SyncPlanner(configuration, inventory)
    var jobs: [ResolvedJob] = []
    for definition in documents.definitions.sorted(by: { $0.id < $1.id }) {
      do throws(JobError) {
        jobs.append(try documents.resolve(definition))
      } catch {
        planner.kept.insert(configuration.schedulerJobName(of: definition.id))
        planner.plan.notes.append("\(definition.id): its document can't be used, all is left as it is. \(error)")
      }
    }
    for queue in Set(jobs.compactMap(\.policy.queue) + [configuration.tasks.queue]).sorted() {
      planner.keepQueue(queue)
    }
    planner.keep(configuration.masterFields, isPaused: false)
    for job in jobs where job.isRunByPass(under: .cloudScheduler) {
      if let note = job.minuteNote(after: .epoch) { planner.plan.notes.append(note) }
    }
    for job in jobs where job.kind == .scheduled && job.schedule != nil { planner.keepJob(job) }
    planner.deleteOthers()
    return planner.plan
  }

  private mutating func keepQueue(_ queue: String) {
    let name = "\(configuration.parent)/queues/\(queue)"
    let fields = (configuration.queues[queue] ?? configuration.queueSettings).fields(name: name)
    add(.queue, fields, found: inventory.queues[name], depth: 2)
  }

  private mutating func keepJob(_ job: ResolvedJob) {
    switch job.route(under: .cloudScheduler, deadlineMargin: configuration.deadlineMargin) {
    case .cloudScheduler(let entry):
      keep(configuration.fields(for: job.id, entry), isPaused: !job.policy.enabled)
    case .masterPass(let reason): plan.notes.append("\(job.id): the master pass runs it. \(reason)")
    case .none: break
    }
  }

  private mutating func keep(_ fields: JSONValue, isPaused: Bool) {
    let name = fields["name"]?.string ?? ""
    kept.insert(name)
    let found = inventory.jobs[name]
    if let found, !configuration.isOwned(found) {
      plan.notes.append(
        "\(name): it lacks the tag \(configuration.ownershipTag) and is left alone. Delete or rename it.")
      return
    }
    add(.schedulerJob, fields, found: found, depth: 1, isPaused: isPaused)
  }

  private mutating func add(
    _ kind: SyncChange.Kind, _ fields: JSONValue, found: JSONValue?, depth: Int, isPaused: Bool = false
  ) {
    var action = SyncChange.Action.create
    if let found {
      var names = FieldComparison.differences(fields, found, depth: depth)
      let state = found["state"]?.string ?? ""
      if kind == .schedulerJob {
        // After a failed update or an error of the service, only an update brings the job back.
        if state == "UPDATE_FAILED" || state == "DISABLED", names.isEmpty { names = ["schedule"] }
        if (state == "PAUSED") != isPaused { names.append("state") }
      }
      action = names.isEmpty ? .unchanged : .update(fields: names)
    }
    plan.changes.append(
      SyncChange(action: action, kind: kind, name: fields["name"]?.string ?? "", fields: fields, isPaused: isPaused))
  }

  private mutating func deleteOthers() {
    for (name, job) in inventory.jobs.sorted(by: { $0.key < $1.key })
    where !kept.contains(name) && configuration.isOwned(job) {
      plan.changes.append(
        SyncChange(action: .delete, kind: .schedulerJob, name: name, fields: .object([:]), isPaused: false))
    }
  }
}

extension CloudSyncConfiguration {
  /// Whether a job of Cloud Scheduler was made by a sync of this owner.
  func isOwned(_ job: JSONValue) -> Bool {
    job["name"]?.string?.hasPrefix("\(parent)/jobs/\(owner)-") == true
      && job["description"]?.string?.hasPrefix(ownershipTag) == true
  }

  /// The fields of the job of Cloud Scheduler that ticks the master pass.
  ///
  /// A pass that fails is not tried again: the next minute's finds what is due.
  var masterFields: JSONValue {
    fields(
      for: .master, schedule: masterSchedule, timeZone: "Etc/UTC", path: "master", deadline: masterDeadline, retries: 0)
  }

  /// The fields of the job of Cloud Scheduler that fires a job.
  ///
  /// The runtime owns retries and answers 200 to a failed attempt; what Cloud Scheduler tries again, under the same
  /// schedule time and thus the same run, is only a tick that could not be taken.
  func fields(for job: JobID, _ entry: CloudSchedulerEntry) -> JSONValue {
    fields(
      for: job, schedule: entry.schedule, timeZone: entry.timeZone, path: "scheduled/\(job)",
      deadline: entry.attemptDeadline, retries: 5)
  }

  private func fields(
    for job: JobID, schedule: String, timeZone: String, path: String, deadline: Duration, retries: Int64
  ) -> JSONValue {
    let url = "\(tasks.handler)/\(path)"
    let deadline = CloudSchedulerEntry.deadline(for: deadline)
    return [
      "name": .string(schedulerJobName(of: job)),
      "description": .string(
        "\(ownershipTag) \(job). Kept by sync: edit the job's document, as edits here are undone."),
      "schedule": .string(schedule), "timeZone": .string(timeZone),
      "attemptDeadline": .string(WireDuration.text(deadline)),
      "retryConfig": [
        "retryCount": .integer(retries), "minBackoffDuration": "5s", "maxBackoffDuration": "300s", "maxDoublings": 5,
      ],
      "httpTarget": ["uri": .string(url), "httpMethod": "POST", "oidcToken": tasks.token ?? .null],
    ]
  }
}
#endif
