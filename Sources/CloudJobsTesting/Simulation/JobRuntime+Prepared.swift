package import CloudJobs
package import CloudJobsCore

extension JobRuntime {
  /// Creates a runtime, and prepares the documents of its jobs as a server does at its start.
  package static func prepared(
    _ registry: JobRegistry, store: any JobStore, queue: any TaskQueue = .store, authentication: Authentication,
    options: RuntimeOptions = RuntimeOptions()
  ) async throws(JobError) -> JobRuntime {
    let runtime = JobRuntime(registry, store: store, queue: queue, authentication: authentication, options: options)
    try await runtime.prepare()
    return runtime
  }
}
