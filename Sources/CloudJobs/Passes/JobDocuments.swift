public import CloudJobsCore

/// The registered jobs' documents as they were read at one time.
public struct JobDocuments: Sendable {
  /// The definitions in code, by name.
  public var definitions: [JobDefinition]
  /// The documents, or why one can't be read; absent where a job has none.
  public var documents: [JobID: Result<JobDocument, JobError>]
  /// Where time zones come from.
  public var zones: ZoneCatalog

  /// Documents of some definitions.
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
  ///   - store: where the documents live.
  /// - Throws: ``StoreError`` `unavailable`.
  public init(of registry: JobRegistry, in store: any JobStore) async throws(StoreError) {
    self.init(definitions: registry.definitions, zones: registry.zones)
    for start in stride(from: 0, to: definitions.count, by: StoreLimits.batch) {
      let ids = definitions.dropFirst(start).prefix(StoreLimits.batch).map(\.id)
      for (id, record) in try await store.read(jobs: ids, runs: []).jobs { documents[id] = record.document }
    }
  }

  /// A job as it stands: its definition under its document.
  ///
  /// - Parameter definition: the definition.
  /// - Returns: the job.
  /// - Throws: ``JobError`` where the document can't be read or used.
  public func resolve(_ definition: JobDefinition) throws(JobError) -> ResolvedJob {
    let document = try documents[definition.id]?.get()
    return try ResolvedJob(definition, configuration: document?.configuration, zones: zones)
  }

  /// What is wrong with the jobs' dependencies as the documents have them.
  ///
  /// - Parameters:
  ///   - job: a job whose configuration is not that of its document; nil for none.
  ///   - configuration: its configuration.
  /// - Returns: a text for each fault; empty where no document names dependencies.
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
