#if Google && Server
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import Foundation

/// The service from the Cloud Run guide, with one job of each kind.
@main
enum CloudRunService {
  private struct Greeting: Codable, Sendable {
    var name: String
  }

  static func main() async {
    do {
      try await serveOnCloudRun(try jobs(), ProcessInfo.processInfo.environment)
    } catch {
      JobServer.exit(with: error)
    }
  }

  private static func jobs() throws -> JobRegistry {
    try JobRegistry {
      EndpointJob("greet", input: Greeting.self, output: String.self) { greeting, _ in
        .done("Hello, \(greeting.name)!")
      }
      PeriodicJob("tick", every: .seconds(1)) { context in
        try await context.enqueue("greet", Greeting(name: "tick"), key: "from-tick")
        return .done
      }
      ScheduledJob("nightly", cron: "0 2 * * *", in: "Europe/Berlin") { _ in .done }
    }
  }
}
#else
/// A placeholder for builds without the traits Google and Server.
@main
enum CloudRunService {
  static func main() {}
}
#endif
