public import CloudJobsCore

/// The documents of the registered jobs, as read at one time.
public struct JobDocuments: Sendable {
  /// The definitions in code.
  public var definitions: [JobDefinition]
  /// The documents, or the errors of invalid ones; absent for a job without a document.
  public var documents: [JobID: Result<JobDocument, JobError>]
  /// The source of time zones.
  public var zones: ZoneCatalog

  /// Creates the documents of some definitions.
  public init(
    definitions: [JobDefinition], documents: [JobID: Result<JobDocument, JobError>] = [:], zones: ZoneCatalog = .system
  ) {
    self.definitions = definitions
    self.documents = documents
    self.zones = zones
  }

  /// Reads the documents of a registry's jobs.
  ///
  /// - Parameters:
  ///   - registry: the jobs.
  ///   - store: the store of the documents.
  /// - Throws: ``StoreError`` `unavailable`.
  public init(of registry: JobRegistry, in store: any JobStore) async throws(StoreError) {
    self.init(definitions: registry.definitions, zones: registry.zones)
    for start in stride(from: 0, to: definitions.count, by: StoreLimits.batch) {
      let ids = definitions.dropFirst(start).prefix(StoreLimits.batch).map(\.id)
      for (id, record) in try await store.read(jobs: ids, runs: []).jobs { documents[id] = record.document }
    }
  }

  /// Returns a job's effective configuration.
  ///
  /// - Parameter definition: the definition.
  /// - Returns: the job.
  /// - Throws: ``/CloudJobsCore/JobError`` if the document is invalid.
  public func resolve(_ definition: JobDefinition) throws(JobError) -> ResolvedJob {
    let document = try documents[definition.id]?.get()
    return try ResolvedJob(definition, configuration: document?.configuration, zones: zones)
  }

  /// Returns the faults of the jobs' dependencies under the documents.
  ///
  /// - Parameters:
  ///   - job: a job whose configuration replaces that of its document; nil for none.
  ///   - configuration: its configuration.
  /// - Returns: a text for each fault; empty if no document sets dependencies.
  func dependencyFaults(changing job: JobID? = nil, to configuration: JobConfiguration? = nil) -> [String] {
    let configurations = definitions.map { definition in
      definition.id == job ? configuration : try? documents[definition.id]?.get().configuration
    }
    guard configurations.contains(where: { $0?.dependencies != nil }) else { return [] }
    let overridden = zip(definitions, configurations).map { definition, configuration in
      var definition = definition
      if let configuration { definition.policy = definition.policy.overridden(by: configuration) }
      return definition
    }
    return JobRegistry.dependencyFaults(of: overridden).map(\.message)
  }
}
