#if Server && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import CloudJobsServer
import Foundation

/// A service as the README has it, on an SQLite file, with jobs that take their time.
@main
enum SlowService {
  static func main() async {
    let arguments = CommandLine.arguments
    await JobServer.main {
      let jobs = try JobRegistry {
        EndpointJob("greet") { _ in .done }
        EndpointJob("slow") { context in
          try await context.clock.sleep(until: context.clock.now() + .seconds(60))
          return .done
        }
        EndpointJob("stubborn") { _ in
          block()
          return .done
        }
      }
      return try await JobRuntime(
        jobs, store: .sqlite(path: arguments.count > 1 ? arguments[1] : "jobs.db"), queue: .store,
        authentication: .trustLoopback)
    }
  }

  /// Holds its thread for a minute; neither cancellation nor anything else reaches it.
  private static func block() {
    Thread.sleep(forTimeInterval: 60)
  }
}
#else
/// Without the traits Server and SQLite there is no such service.
@main
enum SlowService {
  static func main() {}
}
#endif
