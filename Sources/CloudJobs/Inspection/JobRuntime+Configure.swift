public import CloudJobsCore

extension JobRuntime {
  /// Changes a job's document at run time.
  ///
  /// The change is checked first: a schedule that can't be read or can never fire is refused, and the document stays as
  /// it was. So is any change to a document that can't be read. A new schedule counts at once; running attempts are not
  /// touched.
  ///
  /// ```swift
  /// try await runtime.configure("cleanup") { $0.interval = .seconds(1_800) }
  /// ```
  ///
  /// - Parameters:
  ///   - job: the job.
  ///   - change: changes the configuration in the document; what is nil falls back to the definition in code.
  /// - Returns: the configuration after the change.
  /// - Throws: ``JobError`` `unknownJob`, `invalidSchedule`, `invalidTimeZone`, `invalidField`, or `storeUnavailable`.
  @discardableResult
  public func configure(
    _ job: JobID, _ change: (inout JobConfiguration) -> Void
  ) async throws(JobError) -> JobConfiguration {
    try await configure(job) { (configuration) throws(JobError) in
      var changed = configuration
      change(&changed)
      return changed
    }
  }

  /// Changes a job's document by a JSON merge patch (RFC 7396): a member sets a field, `null` removes it.
  ///
  /// - Throws: ``JobError`` as above; `invalidField` for a member that is no field of a job's document.
  func configure(_ job: JobID, merging patch: JSONValue) async throws(JobError) -> JobConfiguration {
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
    return try await configure(job) { (configuration) throws(JobError) in
      var members = configuration.fields.object ?? [:]
      for (name, value) in changes {
        if value.isNull { members.removeValue(forKey: name) } else { members[name] = value }
      }
      return try JobConfiguration(fields: .object(members))
    }
  }

  private func configure(
    _ job: JobID, _ change: (JobConfiguration) throws(JobError) -> JobConfiguration
  ) async throws(JobError) -> JobConfiguration {
    let definition = try registeredDefinition(job)
    for _ in 0..<Self.maximumRaces {
      let reading = try await stored { () async throws(StoreError) in try await store.read(jobs: [job], runs: []) }
      let record = reading.jobs[job]
      // A document that can't be read is corrected in the store: to change it here would lose its other fields.
      let document = try record?.document.get()
      let configuration = try change(document?.configuration ?? JobConfiguration())
      try check(configuration, of: definition)
      if configuration.dependencies != nil, configuration.dependencies != document?.configuration.dependencies {
        try await checkDependencies(configuration, of: job)
      }
      do throws(StoreError) {
        _ = try await access.commit([
          .putConfiguration(job, configuration, record.map { .version($0.version) } ?? .absent)
        ])
        try await reconcileDocuments(of: [definition])
        wakeUp.call()
        return configuration
      } catch {
        guard error.code == .conflict || error.code == .unknownOutcome else { throw JobError(error) }
      }
    }
    throw JobError(.busy, "The document was changed by others at the same time. Try again.", field: "jobId")
  }

  /// Checks that a changed document brings no dependency that can't be met.
  private func checkDependencies(_ configuration: JobConfiguration, of job: JobID) async throws(JobError) {
    let documents = try await stored { () async throws(StoreError) in try await JobDocuments(of: registry, in: store) }
    let known = Set(documents.dependencyFaults())
    guard let fault = documents.dependencyFaults(changing: job, to: configuration).first(where: { !known.contains($0) })
    else { return }
    throw JobError(.invalidField, fault, field: "dependencies")
  }

  /// Checks that a job can run under a configuration; an error of its schedule names the document's field.
  private func check(_ configuration: JobConfiguration, of definition: JobDefinition) throws(JobError) {
    do throws(JobError) {
      let job = try ResolvedJob(definition, configuration: configuration, zones: registry.zones)
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
