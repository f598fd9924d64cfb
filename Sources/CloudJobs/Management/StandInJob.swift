package import CloudJobsCore

extension JobRuntime {
  /// Returns a runtime over the same store that enqueues runs of a job, also of one whose code is in another program.
  ///
  /// Such a job is known by its document or by a run. Its runs follow the policy of the document and, for the queue and
  /// the priority, that of its latest run; the rest is decided by the program that executes them. Their input is not
  /// checked.
  ///
  /// - Parameter job: the id of the job.
  /// - Returns: this runtime if the job is registered.
  /// - Throws: ``JobError`` `unknownJob` for a job that neither the registry nor the store knows,
  ///   `payloadKeyUnavailable` if its inputs are encrypted and this runtime has no codec, or `storeUnavailable`.
  package func enqueuing(_ job: JobID) async throws(JobError) -> JobRuntime {
    if services.registry.jobs[job] != nil { return self }
    let latest = try await runs(matching: RunFilter(job: job), limit: 1).runs.first
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [job], runs: [])
    }
    guard latest != nil || reading.jobs[job] != nil else {
      throw JobError(
        .unknownJob,
        "The store has no document and no run of \(job). Check the name, or enqueue it by the command line of the "
          + "program that has its code: JobCommand.main(jobs).", field: "jobId")
    }
    if options.payloadCodec == nil, let input = latest?.input, EncryptedPayload(input) != nil {
      throw JobError(
        .payloadKeyUnavailable,
        "The inputs of \(job) are encrypted, and this program has no key. Enqueue it by the command line of the "
          + "program that has the key: JobCommand.main(jobs, options: options).")
    }
    let registry: JobRegistry
    do throws(RegistryError) {
      registry = try JobRegistry(zones: services.registry.zones) { StandInJob(job, after: latest) }
    } catch {
      throw JobError(.invalidRegistry, error.description)
    }
    return JobRuntime(registry, store: store, queue: queue, authentication: authentication, options: options)
  }
}

/// A job whose code is in another program: its runs can be recorded, not executed.
struct StandInJob: JobHandler {
  /// Any input.
  struct AnyInput: Decodable, Sendable {
    init(from decoder: any Decoder) throws {}
  }

  /// The definition, as far as it is known.
  let definition: JobDefinition

  /// Creates a job.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - latest: its latest run, whose queue and priority are those of its policy.
  init(_ id: JobID, after latest: Run?) {
    var definition = JobDefinition(id: id, kind: .endpoint)
    if let latest {
      definition.policy.queue = latest.queue
      definition.policy.priority = latest.priority
    }
    self.definition = definition
  }

  /// Refuses to execute: no worker has this job.
  func run(_ input: AnyInput, context: JobContext) async throws -> JobOutcome<NoOutput> {
    throw JobFailure.failed("The code of \(definition.id) is in another program. Let that one execute its runs.")
  }
}
