import CloudJobsCommands

@main
enum Main {
  static func main() async {
    await JobCommand.main(store: "sqlite:jobs.db") { try makeJobs() }
  }
}
