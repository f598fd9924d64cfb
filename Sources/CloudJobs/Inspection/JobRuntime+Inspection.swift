import CloudJobsCore
import HTTPTypes

extension JobRuntime {
  /// Answers `GET runs`: stored runs, latest first.
  ///
  /// Parameters: `job`, `status` (one or more, separated by commas), `from` and `before` (creation time),
  /// `correlation`, `overdue`, `payload` (include input and output), `limit`, `cursor`.
  func listRuns(_ target: String) async throws(JobError) -> HandlerResponse {
    let query = try InspectionQuery(
      target,
      names: ["job", "status", "from", "before", "correlation", "overdue", "payload", "limit", "cursor"])
    var filter = RunFilter(job: try query.job())
    filter.statuses = try query.choices("status", RunStatus.self).map { Set($0) }
    filter.createdFrom = try query.timestamp("from")
    filter.createdBefore = try query.timestamp("before")
    filter.correlationID = try query.read("correlation", "a correlation id") { $0.isEmpty ? nil : $0 }
    let (limit, cursor) = (try query.limit(), try query.cursor())
    let isOverdue = try query.flag("overdue")
    let page = try await stored { () async throws(StoreError) in
      isOverdue
        ? try await store.wakingRuns(after: cursor, limit: limit)
        : try await store.runs(matching: filter, after: cursor, limit: limit)
    }
    let shown = isOverdue ? page.records.filter { (try? $0.run.get()).map(filter.matches) ?? true } : page.records
    let withPayload = try query.flag("payload")
    return Self.response(
      .ok,
      Self.list("runs", shown.map { $0.json(withPayload: withPayload) }, page.next, time: page.time))
  }

  /// Answers `GET runs/{runId}`: one run with its input and output.
  func showRun(_ text: String) async throws(JobError) -> HandlerResponse {
    let id = try RunID(text)
    let reading = try await stored { () async throws(StoreError) in try await store.read(jobs: [], runs: [id]) }
    guard let record = reading.runs[id] else {
      throw JobError(.notFound, "No run has this id. GET runs lists those that are stored.", field: "runId")
    }
    return Self.response(.ok, record.json(withPayload: true))
  }

  /// Answers `GET jobs`: the registered jobs as they stand, by name.
  ///
  /// Parameters: `kind`, `status`, `group`, `overdue`, `setAside`.
  func listJobs(_ target: String) async throws(JobError) -> HandlerResponse {
    let query = try InspectionQuery(target, names: ["kind", "status", "group", "overdue", "setAside"])
    let kinds = try query.choices("kind", JobKind.self)
    let statuses = try query.choices("status", JobStatus.self)
    let group = try query.read("group", "a group's name") { $0.isEmpty ? nil : $0 }
    let (isOverdue, isSetAside) = (try query.flag("overdue"), try query.flag("setAside"))
    var jobs: [JSONValue] = []
    var time = clock.now()
    let all = registry.definitions
    for start in stride(from: 0, to: all.count, by: StoreLimits.batch) {
      let definitions = all.dropFirst(start).prefix(StoreLimits.batch)
      let reading = try await stored { () async throws(StoreError) in
        try await store.read(jobs: definitions.map(\.id), runs: [])
      }
      time = reading.time
      for definition in definitions {
        let view = JobView(definition, reading.jobs[definition.id], in: self)
        if let kinds, !kinds.contains(view.kind) { continue }
        if let statuses, !(view.state.status.map { statuses.contains($0) } ?? false) { continue }
        if let group, view.group != group { continue }
        if isOverdue, !(view.nextRun.map { $0 <= time } ?? false) { continue }
        if isSetAside, view.fault == nil { continue }
        jobs.append(view.json)
      }
    }
    return Self.response(.ok, Self.list("jobs", jobs, nil, time: time))
  }

  /// Answers `GET jobs/{jobId}`.
  func showJob(_ id: JobID) async throws(JobError) -> HandlerResponse {
    let definition = try registeredDefinition(id)
    let reading = try await stored { () async throws(StoreError) in try await store.read(jobs: [id], runs: []) }
    return Self.response(.ok, JobView(definition, reading.jobs[id], in: self).json)
  }

  /// The definition of a registered job.
  func registeredDefinition(_ id: JobID) throws(JobError) -> JobDefinition {
    guard let definition = registry.jobs[id]?.definition else {
      throw JobError(.unknownJob, "No job is registered as \(id). GET jobs lists the registered ones.", field: "jobId")
    }
    return definition
  }

  /// Reads from the store; its errors as the handler answers them.
  func stored<Value: Sendable>(
    _ call: () async throws(StoreError) -> Value
  ) async throws(JobError) -> Value {
    do throws(StoreError) {
      return try await access.attempt(.read, call)
    } catch {
      throw JobError(error)
    }
  }

  private static func list(
    _ name: String, _ values: [JSONValue], _ next: StoreCursor?, time: Timestamp
  ) -> JSONValue {
    var members: [String: JSONValue] = [name: .array(values), "time": .string("\(time)")]
    members["next"] = next.map { .string($0.text) }
    return .object(members)
  }
}

extension RunRecord {
  /// The run as the routes show it; its payloads only where they are asked for.
  func json(withPayload: Bool) -> JSONValue {
    var members: [String: JSONValue]
    do throws(JobError) {
      var run = try run.get()
      if !withPayload { (run.input, run.output) = (nil, nil) }
      members = run.fields.object ?? [:]
    } catch {
      members = ["unreadable": .string(error.description)]
    }
    members["id"] = .string(id.rawValue)
    return .object(members)
  }
}

/// A registered job as the routes show it: what its definition and its document amount to.
struct JobView {
  let kind: JobKind
  let group: String?
  let state: JobState
  /// The time by which the store lists the job as due.
  let nextRun: Timestamp?
  /// Why the document can't be used; nil where it can.
  let fault: String?
  let json: JSONValue

  init(_ definition: JobDefinition, _ record: JobRecord?, in runtime: JobRuntime) {
    var members: [String: JSONValue] = ["id": .string(definition.id.rawValue)]
    var job: ResolvedJob?
    var document: JobDocument?
    var fault = record?.quarantine
    do throws(JobError) {
      document = try record?.document.get()
      job = try runtime.resolve(definition, document?.configuration)
    } catch {
      fault = error.description
    }
    (kind, state) = (job?.kind ?? definition.kind, document?.state ?? JobState())
    group = job?.policy.group ?? definition.policy.group
    (nextRun, self.fault) = (record?.nextRun, fault)
    members["kind"] = .string(kind.rawValue)
    members["group"] = group.map { .string($0) }
    if let job {
      members["enabled"] = .bool(job.policy.enabled)
      members["schedule"] = job.schedule.map { .string($0.text) }
      if job.schedule != nil { members["timeZone"] = .string(job.zone.name) }
      members["timeout"] = .integer(job.policy.timeout.microseconds / 1_000_000)
      members["maxAttempts"] = .integer(Int64(job.policy.retry.maxAttempts))
    }
    members["configuration"] = document?.configuration.fields ?? .object([:])
    members["state"] = state.fields
    members["fault"] = fault.map { .string($0) }
    json = .object(members)
  }
}
