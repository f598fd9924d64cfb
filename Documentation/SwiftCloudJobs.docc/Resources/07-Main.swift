import CloudJobsCommands
import CloudJobsServer
import CloudJobsSQLite

@main
enum Main {
  static func main() async {
    var configuration = JobServerConfiguration()
    configuration.dashboard = DashboardOptions(title: "Shop")
    await JobServer.main(configuration: configuration) {
      JobRuntime(try makeJobs(), store: try .sqlite(path: "jobs.db"), authentication: .trustLoopback)
    }
  }
}
