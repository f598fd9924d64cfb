#if Server
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import CloudJobsStores
import Foundation
import Logging

/// A shop's service with the dashboard, over jobs of all kinds and a history of their runs.
///
/// It prints `listening at <port>` once it serves. With `--seed` it makes a day's history first, and then enqueues runs
/// that succeed, fail, retry and report progress while it serves.
@main
struct DashboardService: AsyncParsableCommand {
  @Argument(help: "sqlite:FILE, postgres://… or memory") var store: String
  @Option(help: "The port; 0 is any.") var port = 0
  @Option(help: "The path of the dashboard.") var path = "/dashboard"
  @Option(help: "The name at the top of each page.") var title = "Corner shop"
  @Flag(help: "Lets visitors look, and change nothing.") var readOnly = false
  @Option(help: "Lets only the users alice and robin in, by this password; robin may only look.") var password: String?
  @Option(help: "The number of runs in the history that is made first.") var seed: Int?
  @Option(help: "A file with a list of texts in JSON; each gets runs that have it in all their fields.")
  var texts: String?
  @Flag(help: "Executes nothing.") var noWorker = false
  @Option(help: "The seconds between the refreshes of a page; 0 is none.") var refresh = 5
  @Option(help: "The worker's name.") var name = "worker-1"

  func run() async {
    do {
      let runtime = try await runtime()
      try await JobServer(runtime, configuration: try configuration()) { port in
        FileHandle.standardOutput.write(Data("listening at \(port)\n".utf8))
      }.runUntilSignal()
    } catch {
      JobServer.exit(with: error)
    }
  }

  private func runtime() async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.logger.logLevel = .error
    options.queueOrder = .weighted(["critical": 6, "default": 3, "mail": 1])
    options.redactedFields = ["cardNumber"]
    let runtime = JobRuntime(
      try Shop.jobs(), store: try await StoreAddress(store).open(), authentication: .trustLoopback, options: options)
    if let seed {
      var history = History(runtime, runs: seed)
      try await history.write()
      try await runtime.prepare()
      try await Present(runtime).enqueue()
    }
    if let texts {
      try await runtime.prepare()
      try await Present(runtime).enqueue(
        texts: try JSONDecoder().decode([String].self, from: Data(contentsOf: URL(filePath: texts))))
    }
    return runtime
  }

  private func configuration() throws -> JobServerConfiguration {
    var access = DashboardAccess.loopback(readOnly ? .readOnly : .full)
    if let password {
      access = try .passwords(
        [
          DashboardAccess.User("alice", password: password, role: readOnly ? .readOnly : .full),
          DashboardAccess.User("robin", password: password, role: .readOnly),
        ], hosts: ["127.0.0.1", "localhost", "jobs.example"])
    }
    var dashboard = DashboardOptions(path: path, title: title, access: access)
    dashboard.refreshInterval = refresh > 0 ? .seconds(refresh) : nil
    var configuration = JobServerConfiguration(host: "127.0.0.1", port: port)
    configuration.dashboard = dashboard
    configuration.worker?.name = name
    configuration.worker?.pollInterval = .milliseconds(200)
    if noWorker { configuration.worker = nil }
    return configuration
  }
}
#else
/// A placeholder for builds without the trait Server.
@main
enum DashboardService {
  static func main() {}
}
#endif
