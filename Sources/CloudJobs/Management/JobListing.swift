package import CloudJobsCore

/// A job as an operator finds it: what its code says, what its document says, and what both come to.
package struct JobListing: Sendable {
  /// The id of the job, or of a document that is no job's.
  package var id: String
  /// The id; nil for a document whose id is no job's.
  package var jobID: JobID?
  /// The definition in code; nil if the code is in another program.
  package var definition: JobDefinition?
  /// Whether the store has a document.
  package var isStored: Bool
  /// The configuration of the document; nil if there is none, or if it is invalid.
  package var configuration: JobConfiguration?
  /// The job with its document applied; nil if the document is invalid.
  ///
  /// Without the code, it has what the document and its plan tell.
  package var job: ResolvedJob?
  /// The state.
  package var state = JobState()
  /// The reason why the document is invalid or set aside.
  package var fault: String?
  /// Fields of the document that are not read.
  package var unknownFields: [JobConfiguration.UnknownField] = []
  /// The state of the breaker, the health and its reasons; nil if the document is invalid.
  package var report: JobReport?

  /// Whether the code is in this program.
  package var isRegistered: Bool { definition != nil }
  /// The kind of trigger; nil if only the program with the code knows it.
  package var kind: JobKind? {
    if let definition { return job?.kind ?? definition.kind }
    return configuration?.type ?? (job?.schedule == nil ? nil : job?.kind)
  }
  /// The group.
  package var group: String? { job?.policy.group ?? definition?.policy.group }
}

extension JobInventory {
  /// Returns all jobs in the order of their ids, those included that only have code or only a document.
  ///
  /// - Returns: the jobs, and the store's time.
  /// - Throws: ``JobError`` `storeUnavailable`.
  package func listings() async throws(JobError) -> (jobs: [JobListing], time: Timestamp) {
    let (ids, records, time) = try await records()
    return (ids.map { listing(of: $0, records[$0], at: time) }, time)
  }

  /// Returns a job.
  ///
  /// - Parameter id: the id of the job.
  /// - Returns: the job, and the store's time.
  /// - Throws: ``JobError`` `unknownJob` or `storeUnavailable`.
  package func listing(of id: JobID) async throws(JobError) -> (job: JobListing, time: Timestamp) {
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [id], runs: [])
    }
    let record = reading.jobs[id]
    if record == nil, services.registry.jobs[id] == nil {
      // A job without a document is known by its runs.
      try await require(id)
    }
    return (listing(of: id.rawValue, record, at: reading.time), reading.time)
  }

  private func listing(of id: String, _ record: JobRecord?, at time: Timestamp) -> JobListing {
    let jobID = try? JobID(id)
    let definition = jobID.flatMap { services.registry.jobs[$0]?.definition }
    var listing = JobListing(id: id, jobID: jobID, definition: definition, isStored: record != nil)
    listing.fault = record?.quarantine
    listing.unknownFields = record?.unknownFields ?? []
    do throws(JobError) {
      let document = try record?.document.get()
      listing.configuration = document?.configuration
      listing.state = document?.state ?? JobState()
      guard let jobID else { return listing }
      let job: ResolvedJob
      if let definition {
        job = try services.resolve(definition, document?.configuration)
      } else {
        let known = JobDefinition(
          jobID, standingInUnder: document?.configuration ?? JobConfiguration(), plannedFor: document?.state.plannedFor)
        job = try ResolvedJob(known, configuration: document?.configuration, zones: services.registry.zones)
      }
      listing.job = job
      listing.report = JobReport(job, state: listing.state, at: time)
    } catch {
      listing.fault = error.description
    }
    return listing
  }
}

extension JobRuntime {
  /// Whether the store answers a query for each of some jobs cheaply, as one that is not paid by the query does.
  package var readsRunsCheaply: Bool { services.store is any DueTimeStore }

  /// The source of time zones.
  package var zones: ZoneCatalog { services.registry.zones }
}
