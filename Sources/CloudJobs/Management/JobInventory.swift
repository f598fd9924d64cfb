package import CloudJobsCore

/// The jobs that a program sees: those that it registers, and those that only have a document in the store, because
/// their code is in another program.
package struct JobInventory: Sendable {
  let services: RuntimeServices

  /// Creates the inventory of a runtime.
  package init(_ runtime: JobRuntime) {
    self.init(runtime.services)
  }

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Returns all jobs in the order of their ids, as `GET jobs` shows them; `registered` tells whose code is here.
  ///
  /// - Returns: the jobs, and the store's time.
  /// - Throws: ``JobError`` `storeUnavailable`.
  package func all() async throws(JobError) -> (jobs: [JSONValue], time: Timestamp) {
    let (ids, records, time) = try await records()
    return (ids.map { view(of: $0, records[$0]) }, time)
  }

  /// Reads the documents of all jobs.
  ///
  /// - Returns: the ids of the jobs in their order, registered ones without a document included, the documents, and the
  ///   store's time.
  /// - Throws: ``JobError`` `storeUnavailable`.
  func records() async throws(JobError) -> (ids: [String], records: [String: JobRecord], time: Timestamp) {
    // By text: another program may have stored a document whose id is no job's.
    var records: [String: JobRecord] = [:]
    var time = services.clock.now()
    var cursor: StoreCursor?
    repeat {
      let page = try await services.read { [cursor] () async throws(StoreError) in
        try await services.store.jobs(after: cursor, limit: StoreLimits.batch)
      }
      for record in page.records { records[record.id] = record }
      (cursor, time) = (page.next, page.time)
    } while cursor != nil
    let ids = Set(records.keys).union(services.registry.definitions.map(\.id.rawValue))
    return (ids.sorted(), records, time)
  }

  /// Returns a job as ``all()`` does.
  ///
  /// - Throws: ``JobError`` `unknownJob` or `storeUnavailable`.
  package func job(_ id: JobID) async throws(JobError) -> JSONValue {
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [id], runs: [])
    }
    let record = reading.jobs[id]
    guard record != nil || services.registry.jobs[id] != nil else { throw .noDocument(of: id) }
    return view(of: id.rawValue, record)
  }

  /// Checks that a job is known, by its code, its document or a run; nil needs no check.
  ///
  /// - Throws: ``JobError`` `unknownJob` or `storeUnavailable`.
  package func require(_ job: JobID?) async throws(JobError) {
    guard let job, services.registry.jobs[job] == nil else { return }
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [job], runs: [])
    }
    guard reading.jobs[job] == nil else { return }
    let runs = try await RunManager(services).runs(RunFilter(job: job), after: nil, limit: 1).runs
    if runs.isEmpty { throw .noDocument(of: job) }
  }

  /// Changes a job's document, as ``JobRuntime/configure(_:_:)`` does, also for a job whose code is not here.
  ///
  /// - Throws: the errors of ``JobRuntime/configure(_:_:)``.
  package func configure(
    _ job: JobID, _ change: (inout JobConfiguration) throws(JobError) -> Void
  ) async throws(JobError) {
    _ = try await JobConfigurator(services, takesUnregistered: true).configure(job) {
      (configuration) throws(JobError) in
      var changed = configuration
      try change(&changed)
      return changed
    }
  }

  /// Changes a job's document by a JSON merge patch, as `PATCH jobs/{jobId}` does.
  ///
  /// - Throws: the errors of ``JobRuntime/configure(_:_:)``.
  package func configure(_ job: JobID, merging patch: JSONValue) async throws(JobError) {
    try await JobConfigurator(services, takesUnregistered: true).configure(job, merging: patch)
  }

  /// Removes a job's document; a program that has the job's code makes it anew at its next start.
  ///
  /// - Throws: ``JobError`` `unknownJob` or `storeUnavailable`.
  package func removeDocument(of job: JobID) async throws(JobError) {
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [job], runs: [])
    }
    guard reading.jobs[job] != nil else { throw .noDocument(of: job) }
    try await JobConfigurator(services).removeDocument(of: job)
  }

  private func view(of id: String, _ record: JobRecord?) -> JSONValue {
    if let job = try? JobID(id), let definition = services.registry.jobs[job]?.definition {
      var members = JobView(definition, record, in: services).json.object ?? [:]
      members["registered"] = true
      return .object(members)
    }
    var members: [String: JSONValue] = ["id": .string(id), "registered": false]
    members["fault"] = record?.quarantine.map { .string($0) }
    do throws(JobError) {
      let document = try record?.document.get()
      let configuration = document?.configuration ?? JobConfiguration()
      members["kind"] = configuration.type.map { .string($0.rawValue) }
      members["group"] = configuration.group.map { .string($0) }
      members["enabled"] = .bool(configuration.enabled ?? true)
      if configuration.paused == true { members["paused"] = true }
      // The code's schedule is known by what the next run was planned for.
      let own = document?.state.plannedFor.flatMap { PlanKey($0) }?.schedule
      let text = configuration.cron ?? configuration.interval.map { WireDuration.text($0) } ?? own
      members["schedule"] = text.map { .string($0) }
      members["timeZone"] = configuration.timeZone.map { .string($0) }
      members["configuration"] = configuration.fields
      members["state"] = (document?.state ?? JobState()).fields
    } catch {
      members["fault"] = .string(error.description)
    }
    return .object(members)
  }
}

extension JobConfiguration {
  /// Whether the document says when the job runs.
  var hasSchedule: Bool { cron != nil || interval != nil }
}

extension JobDefinition {
  /// Creates the definition that stands for a job whose code is in another program, as far as its document and its
  /// plan tell.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - configuration: the configuration of its document.
  ///   - plan: the text of the ``PlanKey`` that it was planned for; nil if it is not known. Its schedule stands for
  ///     that of the code where the document has none, and its zone where the document names none.
  init(_ id: JobID, standingInUnder configuration: JobConfiguration, plannedFor plan: String? = nil) {
    let key = plan.flatMap { PlanKey($0) }
    let hasSchedule = configuration.hasSchedule || key != nil
    self.init(id: id, kind: hasSchedule ? configuration.type ?? .periodic : .endpoint)
    if let key {
      timeZone = key.timeZone
      if !configuration.hasSchedule { schedule = .text(key.schedule) }
    }
  }
}

extension JobError {
  /// The error for a job that the store does not know.
  static func noDocument(of job: JobID) -> JobError {
    JobError(.unknownJob, "The store has no job \(job). List those that it has.", field: "jobId")
  }
}
