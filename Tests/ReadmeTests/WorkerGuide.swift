#if Server && SQLite
import CloudJobsServer
import CloudJobsStores

/// The examples of `Documentation/workers.md` and `Documentation/settings.md`: compiled, and not executed.
enum WorkerGuide {
  struct Newsletter: JobInput {
    static let jobID: JobID = "newsletter"
    var user: Int
  }

  static func subscribe(fencedBy number: Int64) async throws {}

  static func program(_ jobs: JobRegistry) async {
    await JobRuntimeService.main { settings in
      JobRuntime(
        jobs, store: try await StoreAddress(settings.store ?? "sqlite:jobs.db").open(),
        authentication: .trustLoopback, options: settings.runtime)
    }
  }

  static func bulk(_ runtime: JobRuntime) async throws {
    let users = 1...100_000
    try await runtime.enqueue(contentsOf: users.lazy.map { EnqueueRequest(Newsletter(user: $0), key: "news-\($0)") })
  }

  static func leader(_ runtime: JobRuntime) async throws {
    try await runtime.whileLeading("price-feed") { term in
      try await subscribe(fencedBy: term.number)
    }
  }

  static func onlyWorker(_ runtime: JobRuntime) async throws {
    try await runtime.whileLeading("worker") { _ in
      await JobWorker(runtime).run()
    }
  }

  static func server(_ jobs: JobRegistry, _ store: any JobStore) async {
    await JobServer.main { settings in
      JobRuntime(jobs, store: store, authentication: .trustLoopback, options: settings.runtime)
    }
  }
}
#endif
