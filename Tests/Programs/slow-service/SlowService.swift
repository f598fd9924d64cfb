#if Server && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import CloudJobsServer
import Foundation

/// A service like the README's, on an SQLite file, with jobs that take a minute.
@main
enum SlowService {
  static func main() async {
    let arguments = CommandLine.arguments
    await JobServer.main {
      let jobs = try JobRegistry {
        EndpointJob("greet") { _ in }
        EndpointJob("slow") { context in
          try await context.clock.sleep(until: context.clock.now() + .seconds(60))
          return .done
        }
        EndpointJob("stubborn") { _ in
          block()
          return .done
        }
      }
      return JobRuntime(
        jobs, store: try .sqlite(path: arguments.count > 1 ? arguments[1] : "jobs.db"), queue: .store,
        authentication: .trustLoopback)
    }
  }

  /// Blocks its thread for a minute and ignores cancellation.
  private static func block() {
    Thread.sleep(forTimeInterval: 60)
  }
}
#else
/// A placeholder for builds without the traits Server and SQLite.
@main
enum SlowService {
  static func main() {}
}
#endif
