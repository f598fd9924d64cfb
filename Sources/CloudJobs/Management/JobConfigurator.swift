import CloudJobsCore

/// Changes job documents at run time, after validating the change.
struct JobConfigurator: Sendable {
  private let services: RuntimeServices
  /// Whether jobs may be changed that have a document alone, because their code is in another program.
  private let takesUnregistered: Bool

  init(_ services: RuntimeServices, takesUnregistered: Bool = false) {
    self.services = services
    self.takesUnregistered = takesUnregistered
  }

  /// Changes a job's document by a JSON merge patch (RFC 7396): a member sets a field, `null` removes it.
  ///
  /// - Throws: ``JobError`` as ``JobRuntime/configure(_:_:)`` does; `invalidField` for a member that is no field of a
  ///   job's document.
  func configure(_ job: JobID, merging patch: JSONValue) async throws(JobError) {
    guard let changes = patch.object else {
      throw JobError(.malformedEnvelope, "Send an object of the fields to change: {\"interval\": \"30m\"}.")
    }
    // The state is the runtime's own.
    let unknown = JobConfiguration.unknownFields(of: patch).first
    if let name = unknown?.name ?? (changes["state"] == nil ? nil : "state") {
      let names = JobConfiguration.fieldNames.sorted().joined(separator: ", ")
      let hint = unknown?.suggestion.map { "Did you mean \($0)? " } ?? ""
      throw JobError(
        .invalidField, "A job's document has no such field. \(hint)Its fields are \(names).",
        field: String(name.prefix(64)))
    }
    _ = try await configure(job) { (configuration) throws(JobError) in
      var members = configuration.fields.object ?? [:]
      for (name, value) in changes {
        if value.isNull { members.removeValue(forKey: name) } else { members[name] = value }
      }
      return try JobConfiguration(fields: .object(members))
    }
  }

  /// Changes a job's document.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - change: returns the new configuration for the present one.
  /// - Returns: the configuration after the change.
  /// - Throws: ``JobError`` as ``JobRuntime/configure(_:_:)`` does.
  func configure(
    _ job: JobID, _ change: (JobConfiguration) throws(JobError) -> JobConfiguration
  ) async throws(JobError) -> JobConfiguration {
    let registered = services.registry.jobs[job]?.definition
    if registered == nil, !takesUnregistered { _ = try services.registry.definition(of: job) }
    let changed = try await RunCommitter(services).replanning { (_) async throws(JobError) -> JobConfiguration? in
      let reading = try await services.read { () async throws(StoreError) in
        try await services.store.read(jobs: [job], runs: [])
      }
      let record = reading.jobs[job]
      // An invalid document is fixed in the store: a change here would lose its other fields.
      let document = try record?.document.get()
      if registered == nil, record == nil { throw .noDocument(of: job) }
      let configuration = try change(document?.configuration ?? JobConfiguration())
      // The plan's zone is that of the code, unless the document named another one.
      let plan = document?.configuration.timeZone == nil ? document?.state.plannedFor : nil
      let zone = configuration.timeZone ?? plan.flatMap { PlanKey($0) }?.timeZone
      let definition =
        registered
        ?? JobDefinition(
          job, standingInUnder: configuration, plannedFor: configuration.hasSchedule ? plan : nil)
      var checked = configuration
      if registered == nil, !configuration.hasSchedule { checked.type = nil }
      try check(checked, of: definition)
      if registered != nil, configuration.dependencies != nil,
        configuration.dependencies != document?.configuration.dependencies
      {
        try await checkDependencies(configuration, of: job)
      }
      do throws(StoreError) {
        let line = line(editing: definition, document, to: configuration)
        let told = line.map { PassJournal(services).write([$0], time: reading.time) }
        _ = try await services.client.commit(
          [.putConfiguration(job, configuration, record.map { .version($0.version) } ?? .absent)]
            + (told.map { [$0] } ?? []))
        // Without a schedule and a zone of its own, the document leaves the next time to the program that has the code.
        let isKnown = configuration.hasSchedule && (zone != nil || configuration.cron == nil)
        if registered != nil || isKnown {
          try await DocumentReconciler(services).reconcile([definition])
        }
        services.wakeUp.call()
        return configuration
      } catch {
        if error.code == .conflict || error.code == .unknownOutcome { return nil }
        throw JobError(error)
      }
    }
    guard let changed else {
      throw JobError(.busy, "Other writers kept changing the document. Try again.", field: "jobId")
    }
    return changed
  }

  /// Returns the line that tells an edit of the schedule of a job that is not planned; nil if the reconciler tells it.
  private func line(
    editing definition: JobDefinition, _ document: JobDocument?, to configuration: JobConfiguration
  ) -> PassJournalEntry.Line? {
    guard document?.state.nextRun == nil, let before = document?.configuration,
      let old = try? ResolvedJob(definition, configuration: before, zones: services.registry.zones),
      let new = try? ResolvedJob(definition, configuration: configuration, zones: services.registry.zones),
      old.planKey != new.planKey
    else { return nil }
    return PassJournalEntry.Line(editing: new, from: old.planKey)
  }

  /// Removes a job's document, and tells it in the pass journal.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  func removeDocument(of job: JobID) async throws(JobError) {
    do throws(StoreError) {
      let reading = try await services.client.read(jobs: [job])
      let line = PassJournalEntry.Line(
        removing: job.rawValue, state: (try? reading.jobs[job]?.document.get())?.state)
      _ = try await services.client.commit([
        .deleteJob(job, .none), PassJournal(services).write([line], time: reading.time),
      ])
    } catch {
      throw JobError(error)
    }
  }

  /// Checks that a change adds no dependency that can't be met.
  private func checkDependencies(_ configuration: JobConfiguration, of job: JobID) async throws(JobError) {
    let documents = try await services.read { () async throws(StoreError) in
      try await JobDocuments(of: services.registry, in: services.store)
    }
    let known = Set(documents.dependencyFaults())
    guard let fault = documents.dependencyFaults(changing: job, to: configuration).first(where: { !known.contains($0) })
    else { return }
    throw JobError(.invalidField, fault, field: "dependencies")
  }

  /// Checks that a job can run under a configuration; an error of its schedule names the document's field.
  private func check(_ configuration: JobConfiguration, of definition: JobDefinition) throws(JobError) {
    do throws(JobError) {
      let job = try ResolvedJob(definition, configuration: configuration, zones: services.registry.zones)
      if let input = configuration.input, let fault = services.registry.jobs[job.id]?.fault(in: JSONText(input)) {
        let path = fault.field.map { $0.split(separator: ".").dropFirst().joined(separator: ".") } ?? ""
        throw JobError(.invalidField, fault.message, field: path.isEmpty ? "input" : "input.\(path)")
      }
      guard job.kind == .endpoint, configuration.cron != nil || configuration.interval != nil else { return }
      throw JobError(
        .invalidField, "An endpoint job has no schedule. Set type to periodic as well, or leave the schedule out.",
        field: configuration.cron == nil ? "interval" : "cron")
    } catch {
      guard error.code == .invalidSchedule else { throw error }
      let place = error.field.map { $0 == "cron" ? "" : "\($0): " } ?? ""
      throw JobError(
        .invalidSchedule, place + error.message, field: configuration.cron == nil ? "interval" : "cron")
    }
  }
}
