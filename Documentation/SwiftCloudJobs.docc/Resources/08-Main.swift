import CloudJobsCommands
import Foundation

@main
enum Main {
  static func main() async {
    let isOnCloudRun = ProcessInfo.processInfo.environment["K_SERVICE"] != nil
    await JobCommand.main(store: "sqlite:jobs.db", authentication: isOnCloudRun ? nil : .trustLoopback) {
      try makeJobs()
    }
  }
}
