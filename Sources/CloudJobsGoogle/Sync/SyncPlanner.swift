#if HTTP
import CloudJobs
import CloudJobsCore

/// The decisions of a sync: a function of the configuration, the jobs' documents and the location's resources.
struct SyncPlanner {
  let configuration: CloudSyncConfiguration
  let inventory: CloudInventory
  private var plan = SyncPlan()
  /// The names of the Cloud Scheduler jobs to keep.
  private var kept: Set<String> = []

  private init(_ configuration: CloudSyncConfiguration, _ inventory: CloudInventory) {
    self.configuration = configuration
    self.inventory = inventory
  }

  /// Returns the plan: queues first, then the master job, then jobs by name, then deletions.
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
        planner.plan.notes.append(
          "\(definition.id): its document is invalid, so its resources are left unchanged. \(error)")
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
      keep(configuration.fields(for: job.id, entry), isPaused: !job.policy.isActive)
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
        "\(name): it lacks the tag \(configuration.ownershipTag) and is left unchanged. Delete or rename it.")
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
        // After a failed update or a service error, only an update reactivates the job.
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
  /// Returns whether a Cloud Scheduler job was created by a sync of this owner.
  func isOwned(_ job: JSONValue) -> Bool {
    job["name"]?.string?.hasPrefix("\(parent)/jobs/\(owner)-") == true
      && job["description"]?.string?.hasPrefix(ownershipTag) == true
  }

  /// The fields of the Cloud Scheduler job that triggers the master pass.
  ///
  /// A failed pass is not retried: the next minute's pass finds what is due.
  var masterFields: JSONValue {
    fields(
      for: .master, schedule: masterSchedule, timeZone: "Etc/UTC", path: "master", deadline: masterDeadline, retries: 0)
  }

  /// Returns the fields of the Cloud Scheduler job that triggers a job.
  ///
  /// The runtime owns retries and answers 200 to a failed attempt; Cloud Scheduler only retries a delivery that could
  /// not be processed, with the same schedule time and therefore the same run.
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

/// A comparison of desired fields with a service's response in proto3 JSON.
///
/// Defaults may be absent, numbers may be strings, and durations may have other fractions. Members that are not desired
/// only count if they should be absent.
enum FieldComparison {
  /// Returns the paths of the fields that differ.
  ///
  /// - Parameters:
  ///   - wanted: the desired fields; `null` for one that should be absent.
  ///   - found: the existing fields.
  ///   - depth: the maximum number of path components: 1 names whole members.
  /// - Returns: dotted paths in alphabetical order.
  static func differences(_ wanted: JSONValue, _ found: JSONValue?, depth: Int) -> [String] {
    (wanted.object ?? [:]).sorted { $0.key < $1.key }.flatMap { name, value -> [String] in
      if depth > 1, value.object != nil {
        return differences(value, found?[name], depth: depth - 1).map { "\(name).\($0)" }
      }
      return matches(value, found?[name]) ? [] : [name]
    }
  }

  private static func matches(_ wanted: JSONValue, _ found: JSONValue?) -> Bool {
    let found = found ?? .null
    switch wanted {
    case .object(let members):
      return found.object != nil && members.allSatisfy { matches($0.value, found[$0.key]) }
        || found.isNull && members.allSatisfy { matches($0.value, nil) }
    case .array(let values): return values == found.array ?? []
    case .null: return found.isNull
    case .string(let text):
      if let span = WireDuration.parse(text) { return span == WireDuration.parse(found.string ?? "0s") }
      return text == found.string ?? ""
    case .bool(let value): return value == found.bool ?? false
    case .integer(let number):
      return number == found.integer ?? found.string.flatMap { Int64($0) } ?? (found.isNull ? 0 : nil)
    case .double: return wanted.double == found.double
    }
  }
}
#endif
