import CloudJobsCore
import HTTPTypes

/// The routes that show jobs and runs.
struct InspectionRoutes: Sendable {
  private let services: RuntimeServices
  private var store: any JobStore { services.store }

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Answers `GET runs`: stored runs, latest first.
  ///
  /// Parameters: `job`, `status` (one or more, separated by commas), `from` and `before` (time of creation),
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
    let page = try await services.read { () async throws(StoreError) in
      isOverdue
        ? try await store.wakingRuns(after: cursor, limit: limit)
        : try await store.runs(matching: filter, after: cursor, limit: limit)
    }
    let shown = isOverdue ? page.records.filter { (try? $0.run.get()).map(filter.matches) ?? true } : page.records
    let withPayload = try query.flag("payload")
    return HandlerResponse(
      .ok,
      Self.list("runs", shown.map { $0.json(withPayload: withPayload, services.redaction) }, page.next, time: page.time)
    )
  }

  /// Answers `GET runs/{runId}`: one run with its input and output.
  func showRun(_ text: String) async throws(JobError) -> HandlerResponse {
    let id = try RunID(text)
    let reading = try await services.read { () async throws(StoreError) in try await store.read(jobs: [], runs: [id]) }
    guard let record = reading.runs[id] else {
      throw JobError(.notFound, "No run has this id. GET runs lists the stored runs.", field: "runId")
    }
    return HandlerResponse(.ok, record.json(withPayload: true, services.redaction))
  }

  /// Answers `GET jobs`: the registered jobs with their documents, by name.
  ///
  /// Parameters: `kind`, `status`, `group`, `overdue`, `setAside`.
  func listJobs(_ target: String) async throws(JobError) -> HandlerResponse {
    let query = try InspectionQuery(target, names: ["kind", "status", "group", "overdue", "setAside"])
    let kinds = try query.choices("kind", JobKind.self)
    let statuses = try query.choices("status", JobStatus.self)
    let group = try query.read("group", "a group's name") { $0.isEmpty ? nil : $0 }
    let (isOverdue, isSetAside) = (try query.flag("overdue"), try query.flag("setAside"))
    var jobs: [JSONValue] = []
    var time = services.clock.now()
    let all = services.registry.definitions
    for start in stride(from: 0, to: all.count, by: StoreLimits.batch) {
      let definitions = all.dropFirst(start).prefix(StoreLimits.batch)
      let reading = try await services.read { () async throws(StoreError) in
        try await store.read(jobs: definitions.map(\.id), runs: [])
      }
      time = reading.time
      for definition in definitions {
        let view = JobView(definition, reading.jobs[definition.id], in: services)
        if let kinds, !kinds.contains(view.kind) { continue }
        if let statuses, !(view.state.status.map { statuses.contains($0) } ?? false) { continue }
        if let group, view.group != group { continue }
        if isOverdue, !(view.nextRun.map { $0 <= time } ?? false) { continue }
        if isSetAside, view.fault == nil { continue }
        jobs.append(view.json)
      }
    }
    return HandlerResponse(.ok, Self.list("jobs", jobs, nil, time: time))
  }

  /// Answers `GET jobs/{jobId}`.
  func showJob(_ id: JobID) async throws(JobError) -> HandlerResponse {
    let definition = try services.registry.definition(of: id)
    let reading = try await services.read { () async throws(StoreError) in try await store.read(jobs: [id], runs: []) }
    return HandlerResponse(.ok, JobView(definition, reading.jobs[id], in: services).json)
  }

  /// Answers `GET jobs/{jobId}/why`: why the job ran, did not run, or will run, at the time in the parameter `at` or at
  /// present.
  func explainJob(_ id: JobID, _ target: String) async throws(JobError) -> HandlerResponse {
    let time = try InspectionQuery(target, names: ["at"]).timestamp("at")
    return HandlerResponse(.ok, try await ExplanationReader(services).explain(id, at: time).fields)
  }

  /// Answers `GET runs/{runId}/why`: why the run is in its state.
  func explainRun(_ text: String) async throws(JobError) -> HandlerResponse {
    HandlerResponse(.ok, try await ExplanationReader(services).explain(run: try RunID(text)).fields)
  }

  /// Answers `GET workers`: the workers of the store, by the time of their start.
  func listWorkers() async throws(JobError) -> HandlerResponse {
    let (workers, time) = try await WorkerList(services).all()
    return HandlerResponse(.ok, Self.list("workers", workers.map(\.json), nil, time: time))
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
  /// Returns the run as the routes show it, with its payloads if they are asked for.
  ///
  /// Encrypted payloads are shown encrypted, and confidential fields are replaced.
  func json(withPayload: Bool, _ redaction: RedactionRule?) -> JSONValue {
    var members: [String: JSONValue]
    do throws(JobError) {
      var run = try run.get().redacted(by: redaction)
      if !withPayload { (run.input, run.output) = (nil, nil) }
      members = run.fields.object ?? [:]
      for name in ["input", "output"] { members[name] = members[name].map { redaction?.redacted($0) ?? $0 } }
    } catch {
      members = ["unreadable": .string(error.description)]
    }
    members["id"] = .string(id.rawValue)
    return .object(members)
  }
}

extension Run {
  /// Returns the run without confidential values in its texts, also where they were stored before the fields were
  /// confidential.
  func redacted(by rule: RedactionRule?) -> Run {
    guard let rule else { return self }
    let redactor = PayloadRedactor(input, rule)
    var run = self
    func redacted(_ failure: RunFailure?) -> RunFailure? {
      failure.map { RunFailure(kind: $0.kind, message: redactor.redact($0.message)) }
    }
    run.failure = redacted(failure)
    for index in run.earlierAttempts.indices {
      run.earlierAttempts[index].failure = redacted(run.earlierAttempts[index].failure)
    }
    run.reason = reason.map { redactor.redact($0) }
    return run
  }
}

/// A registered job as the routes show it.
struct JobView {
  let kind: JobKind
  let group: String?
  let state: JobState
  /// The time by which the store lists the job as due.
  let nextRun: Timestamp?
  /// The reason why the document is invalid; nil if it is valid.
  let fault: String?
  let json: JSONValue

  init(_ definition: JobDefinition, _ record: JobRecord?, in services: RuntimeServices) {
    var members: [String: JSONValue] = ["id": .string(definition.id.rawValue)]
    var job: ResolvedJob?
    var document: JobDocument?
    var fault = record?.quarantine
    do throws(JobError) {
      document = try record?.document.get()
      job = try services.resolve(definition, document?.configuration)
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
      if job.policy.paused { members["paused"] = true }
      members["schedule"] = job.schedule.map { .string($0.text) }
      if job.schedule != nil { members["timeZone"] = .string(job.zone.name) }
      members["timeout"] = .integer(job.policy.timeout.microseconds / 1_000_000)
      members["descriptor"] = job.policy.effectiveDescriptor.fields
      members["maxAttempts"] = .integer(Int64(job.policy.retry.maxAttempts))
    }
    members["configuration"] = document?.configuration.fields ?? .object([:])
    members["state"] = state.fields
    members["fault"] = fault.map { .string($0) }
    json = .object(members)
  }
}

extension RuntimeServices {
  /// Reads from the store, and maps its errors to the handler's.
  func read<Value: Sendable>(_ call: () async throws(StoreError) -> Value) async throws(JobError) -> Value {
    do throws(StoreError) {
      return try await client.call(.read, call)
    } catch {
      throw JobError(error)
    }
  }
}

extension JobRegistry {
  /// Returns the definition of a registered job.
  ///
  /// - Throws: ``JobError`` `unknownJob`.
  func definition(of id: JobID) throws(JobError) -> JobDefinition {
    guard let definition = jobs[id]?.definition else {
      throw JobError(.unknownJob, "No job is registered as \(id). GET jobs lists the registered ones.", field: "jobId")
    }
    return definition
  }
}

/// The query parameters of a request that lists jobs or runs.
struct InspectionQuery {
  /// The number of records in a list without `limit`.
  static let standardLimit = 50

  private let values: [String: String]

  /// Parses the query of a request target.
  ///
  /// - Parameters:
  ///   - target: the path and the query.
  ///   - names: the parameters of the route.
  /// - Throws: ``JobError`` `invalidField` for an unknown parameter, or one that occurs twice.
  init(_ target: String, names: [String]) throws(JobError) {
    var values: [String: String] = [:]
    let query = target.prefix { $0 != "#" }.drop { $0 != "?" }.dropFirst()
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = PercentEncoding.decode(parts[0], plusIsSpace: true)
      guard names.contains(name) else {
        throw JobError(
          .invalidField, "This route has no such parameter. Use \(names.joined(separator: ", ")).",
          field: String(name.prefix(64)))
      }
      let value = parts.count > 1 ? PercentEncoding.decode(parts[1], plusIsSpace: true) : "true"
      guard values.updateValue(value, forKey: name) == nil else {
        throw JobError(.invalidField, "The parameter occurs twice. Send it once.", field: name)
      }
    }
    self.values = values
  }

  /// Returns a parameter, parsed by a function that returns nil for an invalid value.
  func read<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?) throws(JobError) -> Value? {
    guard let text = values[name] else { return nil }
    guard let value = read(text) else { throw JobError(.invalidField, "Expected \(expected).", field: name) }
    return value
  }

  func job(_ name: String = "job") throws(JobError) -> JobID? {
    try read(name, "a job id") { try? JobID($0) }
  }

  func flag(_ name: String) throws(JobError) -> Bool {
    try read(name, "true or false") { Bool($0) } ?? false
  }

  func timestamp(_ name: String) throws(JobError) -> Timestamp? {
    try read(name, "a time such as 2026-11-21T02:54:00Z") { Timestamp(rfc3339: $0) }
  }

  func choices<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) throws(JobError) -> [Choice]?
  where Choice.RawValue == String {
    let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    return try read(name, "one or more of \(all), separated by commas") { text in
      let choices = text.split(separator: ",", omittingEmptySubsequences: false).map { Choice(rawValue: String($0)) }
      return choices.contains { $0 == nil } ? nil : choices.compactMap { $0 }
    }
  }

  /// Returns the requested number of records.
  func limit() throws(JobError) -> Int {
    try read("limit", "a whole number from 1 to \(StoreLimits.batch)") { text in
      Int(text).flatMap { (1...StoreLimits.batch).contains($0) ? $0 : nil }
    } ?? Self.standardLimit
  }

  /// Returns the cursor of the requested page.
  func cursor() throws(JobError) -> StoreCursor? {
    try read("cursor", "the next of an earlier page") { StoreCursor(text: $0) }
  }
}

extension StoreCursor {
  /// The cursor as a text, for a URL or a command line.
  package var text: String { "\(key)_\(id)" }

  /// Creates a cursor from its text; nil if the text is invalid.
  package init?(text: String) {
    guard let separator = text.firstIndex(of: "_"), let key = Int64(text[..<separator]) else { return nil }
    self.init(key: key, id: String(text[text.index(after: separator)...]))
  }
}
